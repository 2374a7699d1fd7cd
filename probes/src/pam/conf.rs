//! Files of settings of modules: `name = value` or a name alone (faillock.conf(5), pwquality.conf(5), pwhistory.conf(5)),
//! and access.conf(5).

use super::facts::AccessRules;

/// Names and values in the order of the file; a name alone has an empty value.
pub(super) fn settings(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(setting).collect()
}

/// One of them, from a line or an argument.
pub(super) fn setting(text: &str) -> (String, String) {
    let end = text.find(|letter: char| letter == '=' || letter.is_whitespace());
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let value = rest.trim_start();
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    (name.to_ascii_lowercase(), value.to_owned())
}

/// Adds the rules of one file of access.conf(5): `permission : users : origins`.
pub(super) fn access(text: &str, rules: &mut AccessRules) {
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.splitn(3, ':').map(str::trim).collect();
        rules.refuses_others = false;
        match fields.as_slice() {
            ["+", users, origins] if !users.is_empty() && !origins.is_empty() => rules.allowing += 1,
            ["-", users, origins] if !users.is_empty() && !origins.is_empty() => {
                rules.refusing += 1;
                rules.refuses_others = *users == "ALL" && *origins == "ALL";
            }
            _ => rules.malformed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_values() {
        let found = settings("# c\nminlen = 12 # x\nretry=3\neven_deny_root\n  UNLOCK_TIME 60\n = 5\n");
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [
            ("minlen", "12"),
            ("retry", "3"),
            ("even_deny_root", ""),
            ("unlock_time", "60"),
            ("", "5"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn rules_of_access() {
        let mut rules = AccessRules {
            files: vec![],
            allowing: 0,
            refusing: 0,
            refuses_others: false,
            malformed: 0,
        };
        access(
            "# c\n+:root:LOCAL\n - : ALL EXCEPT wheel : ALL\nnonsense\n+ : (admins) : 2001:db8::/32\n-:ALL:ALL\n",
            &mut rules,
        );
        assert_eq!(
            (rules.allowing, rules.refusing, rules.malformed, rules.refuses_others),
            (2, 2, 1, true)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,100}") {
            settings(&text);
        }
    }
}
