//! Users of Redis and Valkey: whether each can be used, and needs a password.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Digest;

/// A user; what it may do is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    enabled: bool,
    without_password: bool,
    /// Of passwords, as the server keeps them: only to know which of them are taken away again.
    passwords: BTreeSet<String>,
}

impl User {
    /// Before any rule.
    pub(super) const fn reset() -> Self {
        Self {
            enabled: false,
            without_password: false,
            passwords: BTreeSet::new(),
        }
    }

    /// `default`, if nothing is said of it, with the password for all.
    pub(super) const fn initial(password: Option<&str>) -> Self {
        Self {
            enabled: true,
            without_password: password.is_none(),
            passwords: BTreeSet::new(),
        }
    }

    /// Whether it can be used by who knows no password.
    pub(super) const fn is_open(&self) -> bool {
        self.enabled && self.without_password
    }

    /// Adds one rule, such as `on` or `>password`. `false`: the server does not take it.
    pub(super) fn apply(&mut self, rule: &str) -> bool {
        match rule.to_ascii_lowercase().as_str() {
            "on" => self.enabled = true,
            "off" => self.enabled = false,
            "nopass" => {
                self.without_password = true;
                self.passwords.clear();
            }
            "resetpass" => {
                self.without_password = false;
                self.passwords.clear();
            }
            "reset" => *self = Self::reset(),
            _ => return self.password(rule),
        }
        true
    }

    fn password(&mut self, rule: &str) -> bool {
        let mut rest = rule.chars();
        let (first, rest) = (rest.next(), rest.as_str());
        let hashed = match first {
            Some('>' | '<') => Digest::of(rest.as_bytes()).to_string(),
            Some('#' | '!')
                if rest.len() == 64 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
            {
                rest.to_owned()
            }
            Some('#' | '!') => return false,
            _ => return true,
        };
        if matches!(first, Some('>' | '#')) {
            self.without_password = false;
            self.passwords.insert(hashed);
            true
        } else {
            self.passwords.remove(&hashed)
        }
    }
}

/// A file of users, or the line that the server does not take.
pub(super) fn file(bytes: &[u8]) -> Result<BTreeMap<String, User>, usize> {
    let mut users = BTreeMap::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line.trim_ascii());
        if line.is_empty() {
            continue;
        }
        let mut words = line.split(' ');
        let (Some("user"), Some(name)) = (words.next(), words.next()) else {
            return Err(index + 1);
        };
        let mut user = User::reset();
        let taken = words.all(|rule| user.apply(rule));
        if !taken || users.len() >= super::MAX_USERS || users.insert(name.to_owned(), user).is_some() {
            return Err(index + 1);
        }
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(rules: &str) -> Option<User> {
        let mut user = User::reset();
        rules.split(' ').all(|rule| user.apply(rule)).then_some(user)
    }

    #[test]
    fn who_needs_a_password() {
        for (rules, open) in [
            ("on nopass", true),
            ("nopass", false),
            ("on >x", false),
            ("on nopass >x", false),
            ("on >x nopass", true),
            ("on nopass resetpass", false),
            ("ON NOPASS +@all ~*", true),
            ("on nopass reset", false),
            ("on >x <x", false),
        ] {
            assert_eq!(user(rules).unwrap().is_open(), open, "{rules}");
        }
        assert_eq!(user("<x"), None);
        assert_eq!(user("#abc"), None);
        assert_eq!(file(b"user a on\n\nuser a off\n"), Err(3));
        assert_eq!(file(b"# c\n"), Err(1));
    }
}
