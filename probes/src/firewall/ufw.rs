//! ufw(8), as it keeps its settings and the administrator's rules.

use super::facts::{Ufw, UfwRule};
use crate::formats::shell;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const CONF: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";
/// Rules that are listed.
const MAX_RULES: usize = 500;

/// The configuration.
pub(super) fn read(reading: &Reading<'_>) -> Known<Ufw> {
    match find(reading) {
        Ok(Some(ufw)) => Known::Observed(ufw),
        Ok(None) => Known::absent(format!("{CONF} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>) -> Result<Option<Ufw>, Unread> {
    let Some(conf) = reading.text(CONF)? else {
        return Ok(None);
    };
    let conf = shell::assignments(&conf);
    let defaults = shell::assignments(&reading.text(DEFAULTS)?.unwrap_or_default());
    let policy = |name: &str| {
        let written = shell::last(&defaults, name).unwrap_or_default();
        written.to_ascii_lowercase()
    };
    let yes = |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    let mut rules = Vec::new();
    for (name, ipv6) in [("user.rules", false), ("user6.rules", true)] {
        // Before ufw 0.36 under /lib.
        for folder in ["/etc/ufw", "/lib/ufw"] {
            if let Some(text) = reading.text(&format!("{folder}/{name}"))? {
                rules.extend(text.lines().filter_map(|line| tuple(line, ipv6)));
                break;
            }
        }
    }
    Ok(Some(Ufw {
        enabled: yes(shell::last(&conf, "ENABLED")),
        ipv6: yes(shell::last(&defaults, "IPV6")),
        input_policy: policy("DEFAULT_INPUT_POLICY"),
        forward_policy: policy("DEFAULT_FORWARD_POLICY"),
        output_policy: policy("DEFAULT_OUTPUT_POLICY"),
        logging: shell::last(&conf, "LOGLEVEL").unwrap_or_default().to_owned(),
        rule_count: rules.len() as u64,
        rules: rules.into_iter().take(MAX_RULES).collect(),
    }))
}

/// `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`, with names of applications and a comment before or after the
/// direction.
fn tuple(line: &str, ipv6: bool) -> Option<UfwRule> {
    let mut words = line.strip_prefix("### tuple ### ")?.split_ascii_whitespace();
    let mut action = words.next()?.to_owned();
    // `route:allow`: a packet that is passed on.
    if let Some(forwarded) = action.strip_prefix("route:") {
        action = format!("forward_{forwarded}");
    }
    let (protocol, ports, _to, _source_port, from) = (
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
    );
    let direction = words.find(|word| {
        let way = word.split('_').next().unwrap_or_default();
        matches!(way, "in" | "out")
    });
    Some(UfwRule {
        action,
        protocol: protocol.to_owned(),
        ports: ports.to_owned(),
        from_any: matches!(from, "0.0.0.0/0" | "::/0"),
        direction: direction.unwrap_or("in").to_owned(),
        ipv6,
    })
}
