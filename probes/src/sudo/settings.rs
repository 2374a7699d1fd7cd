//! What `Defaults` come to for a user, target user and command to which none is bound (sudo: `plugins/sudoers/defaults.c`).

use std::collections::BTreeSet;

use super::facts::{Applies, Settings};
use super::sudoers::resolve::applies_here;
use super::sudoers::syntax::{Binding, Policy, Value};

/// Seconds in the unit of `timestamp_timeout`.
const MINUTE: i64 = 60;

pub(super) fn settings(policy: &Policy, host: Option<&str>) -> Settings {
    let mut settings = Settings::default();
    let mut env_keep = BTreeSet::new();
    let mut scoped = BTreeSet::new();
    for defaults in &policy.defaults {
        let here = match &defaults.binding {
            Binding::Everything => Applies::Yes,
            Binding::Hosts(hosts) => applies_here(hosts, &policy.host_aliases, host),
            Binding::Users(_) | Binding::Runas | Binding::Commands => Applies::Unknown,
        };
        match here {
            Applies::Yes if defaults.name == "env_keep" => {
                settings.env_keep_replaced |= !matches!(defaults.value, Value::Add(_) | Value::Remove(_));
                change(&mut env_keep, &defaults.value);
            }
            Applies::Yes => set(&mut settings, &defaults.name, &defaults.value),
            Applies::Unknown => {
                scoped.insert(defaults.name.clone());
            }
            Applies::No => {}
        }
    }
    settings.env_keep = env_keep.into_iter().collect();
    settings.scoped = scoped.into_iter().collect();
    settings
}

/// `=`, `+=`, `-=` and `!` of a list.
fn change(list: &mut BTreeSet<String>, value: &Value) {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    match value {
        Value::Text(text) => *list = words(text).into_iter().collect(),
        Value::Add(text) => list.extend(words(text)),
        Value::Remove(text) => list.retain(|name| !text.split_whitespace().any(|word| word == name)),
        Value::Flag(_) => list.clear(),
    }
}

/// Values that sudo refuses change nothing, as it warns of them and goes on.
fn set(settings: &mut Settings, name: &str, value: &Value) {
    let flag = match name {
        "authenticate" => &mut settings.authenticate,
        "env_reset" => &mut settings.env_reset,
        "ignore_dot" => &mut settings.ignore_dot,
        "log_allowed" => &mut settings.log_allowed,
        "log_denied" => &mut settings.log_denied,
        "log_input" => &mut settings.log_input,
        "log_output" => &mut settings.log_output,
        "noexec" => &mut settings.noexec,
        "pwfeedback" => &mut settings.pwfeedback,
        "requiretty" => &mut settings.requiretty,
        "root_sudo" => &mut settings.root_sudo,
        "rootpw" => &mut settings.rootpw,
        "runaspw" => &mut settings.runaspw,
        "setenv" => &mut settings.setenv,
        "targetpw" => &mut settings.targetpw,
        "use_pty" => &mut settings.use_pty,
        "visiblepw" => &mut settings.visiblepw,
        _ => return set_value(settings, name, value),
    };
    if let Value::Flag(on) = value {
        *flag = Some(*on);
    }
}

fn set_value(settings: &mut Settings, name: &str, value: &Value) {
    let off = *value == Value::Flag(false);
    let text = match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    match (name, text) {
        ("exempt_group", _) => settings.exempt_group = text.is_some(),
        ("logfile", _) if off || text.is_some() => settings.logfile = text.map(str::to_owned),
        ("secure_path", Some(path)) => settings.secure_path = Some(path.split(':').map(str::to_owned).collect()),
        ("secure_path", None) if off => settings.secure_path = Some(vec![]),
        ("syslog", Some(facility)) => settings.syslog = Some(facility.to_owned()),
        ("syslog", None) => settings.syslog = Some(if off { "off" } else { "on" }.to_owned()),
        ("passwd_tries", Some(number)) => {
            settings.passwd_tries = number.parse().ok().map(|tries: u32| tries).or(settings.passwd_tries);
        }
        ("passwd_timeout", _) => {
            let seconds = text.map_or(off.then_some(0), seconds);
            settings.passwd_timeout_seconds = seconds.or(settings.passwd_timeout_seconds);
        }
        ("timestamp_timeout", _) => {
            let seconds = text.map_or(off.then_some(0), seconds);
            settings.timestamp_timeout_seconds = seconds.or(settings.timestamp_timeout_seconds);
        }
        ("timestamp_type", Some(kind)) if ["global", "kernel", "ppid", "tty"].contains(&kind) => {
            settings.timestamp_type = Some(kind.to_owned());
        }
        // The older name of the same setting.
        ("tty_tickets", None) => {
            settings.timestamp_type = Some(if off { "global" } else { "tty" }.to_owned());
        }
        ("umask", Some(mask)) => {
            if let Ok(mask) = u32::from_str_radix(mask, 8)
                && mask <= 0o777
            {
                settings.umask = Some(format!("{mask:04o}"));
            }
        }
        ("umask", None) if off => settings.umask = Some("0777".to_owned()),
        _ => {}
    }
}

/// Minutes with a fraction, as whole seconds, cut towards zero but never to it; a negative number is no end.
fn seconds(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if negative {
        return Some(-1);
    }
    let minutes: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let hundredths: i64 = format!("{fraction:0<2}").get(..2)?.parse().ok()?;
    let seconds = i64::from(minutes) * MINUTE + hundredths * MINUTE / 100;
    let some = fraction.bytes().any(|digit| digit != b'0');
    Some(if seconds == 0 && some { 1 } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_with_a_fraction() {
        let cases = [
            ("15", Some(900)),
            ("2.5", Some(150)),
            ("-1", Some(-1)),
            ("0", Some(0)),
            (".5", Some(30)),
            ("0.001", Some(1)),
            ("", None),
            ("5m", None),
            ("1.2.3", None),
            ("4294967296", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
