//! `syslog-ng.conf`: destinations in the network.

use super::facts::RemoteTarget;
use crate::formats::included;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

const MAIN: &str = "/etc/syslog-ng/syslog-ng.conf";
const MAX_FILES: usize = 500;
const MAX_TARGETS: usize = 1_000;
const DRIVERS: [(&str, &str); 7] = [
    ("network", "tcp"),
    ("syslog", "tcp"),
    ("tcp", "tcp"),
    ("tcp6", "tcp"),
    ("udp", "udp"),
    ("udp6", "udp"),
    ("elasticsearch-http", "http"),
];

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Vec<RemoteTarget>>, Unread> {
    let mut targets = vec![];
    let mut waiting = vec![MAIN.to_owned()];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        let Some(text) = reading.text(&path)? else { continue };
        files += 1;
        if files > MAX_FILES || targets.len() > MAX_TARGETS {
            return Err(Unread::Failed {
                place: path,
                reason: "too many files or targets".to_owned(),
            });
        }
        for line in text.lines() {
            if let Some(pattern) = line.trim().strip_prefix("@include") {
                let pattern = included::below("/etc/syslog-ng", pattern.trim().trim_matches('"'));
                waiting.extend(included::files(reading, &pattern)?);
            }
        }
        targets.extend(parse(&path, &text));
    }
    targets.order();
    Ok((files > 0).then_some(targets))
}

/// Words, quoted texts and the signs between them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = vec![];
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends = letter.is_whitespace() || "(){};\"'#,".contains(letter);
        if ends && !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        match letter {
            '#' => drop(letters.by_ref().find(|next| *next == '\n')),
            '"' | '\'' => {
                let quoted: String = letters.by_ref().take_while(|next| *next != letter).collect();
                tokens.push(quoted);
            }
            '(' | ')' | '{' | '}' | ';' => tokens.push(letter.to_string()),
            _ if ends => {}
            _ => word.push(letter),
        }
    }
    tokens.push(word);
    tokens
}

/// In blocks `destination NAME { DRIVER("host" option(value) …); };`.
fn parse(path: &str, text: &str) -> Vec<RemoteTarget> {
    let tokens = tokens(text);
    let mut targets = vec![];
    let mut in_destination = false;
    let mut index = 0;
    let token = |index: usize| tokens.get(index).map_or("", String::as_str);
    while index < tokens.len() {
        if token(index) == "destination" && token(index + 2) == "{" {
            in_destination = true;
        } else if matches!(token(index), "source" | "filter" | "log" | "parser" | "rewrite") && token(index + 2) == "{"
        {
            in_destination = false;
        }
        let driver = DRIVERS.iter().find(|(name, _)| *name == token(index));
        if let Some((_, transport)) = driver.filter(|_| in_destination && token(index + 1) == "(") {
            let mut target = RemoteTarget {
                host: super::rsyslog::without_credentials(token(index + 2)),
                port: None,
                transport: (*transport).to_owned(),
                tls: Some(false),
                peer_check: None,
                selector: None,
                file: path.to_owned(),
            };
            let mut depth = 0_usize;
            index += 1;
            while index < tokens.len() {
                match token(index) {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    "tls" if token(index + 1) == "(" => target.tls = Some(true),
                    "port" => target.port = Some(token(index + 2).to_owned()),
                    "peer-verify" | "peer_verify" => target.peer_check = Some(token(index + 2).to_owned()),
                    "transport" if token(index + 2) == "udp" => "udp".clone_into(&mut target.transport),
                    "transport" if token(index + 2) == "tls" => target.tls = Some(true),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                index += 1;
            }
            targets.push(target);
        }
        index += 1;
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let text = "source s { network(ip(0.0.0.0) port(514)); };\ndestination d_a { file(\"/var/log/a\"); };\n\
                    destination d_b { # c\n syslog(\"log.example.org\" transport(\"tls\") port(6514) tls(ca-dir(\"/etc/ca\") peer-verify(required-trusted))); };\n\
                    destination d_c { udp(\"192.0.2.1\" port(514)); };\nlog { source(s); destination(d_b); };\n";
        let found = parse("/f", text);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].host.as_str(), found[0].tls, found[0].port.as_deref()),
            ("log.example.org", Some(true), Some("6514"))
        );
        assert_eq!(found[0].peer_check.as_deref(), Some("required-trusted"));
        assert_eq!((found[1].transport.as_str(), found[1].tls), ("udp", Some(false)));
    }
}
