//! `/etc/nsswitch.conf` (nsswitch.conf(5)), `/etc/login.defs` (login.defs(5)), `/etc/shells` (shells(5)) and
//! `/etc/sudo.conf` (sudo.conf(5)).

use std::collections::{BTreeMap, BTreeSet};

/// Databases that tell of accounts and groups.
const DATABASES: [&str; 5] = ["group", "gshadow", "initgroups", "passwd", "shadow"];
/// Sources that are the files themselves (`compat` reads them too and is told by its lines), or hold no people.
const FILES: [&str; 3] = ["compat", "files", "systemd"];

/// Databases and the sources of each, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameServices {
    sources: BTreeMap<String, Vec<String>>,
}

impl NameServices {
    pub(crate) fn parse(text: &str) -> Self {
        let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((database, list)) = line.split_once(':') else {
                continue;
            };
            // What to do after a source stands in brackets: [NOTFOUND=return].
            let mut within = false;
            let mut names = vec![];
            for word in list.replace('[', " [ ").replace(']', " ] ").split_ascii_whitespace() {
                match word {
                    "[" => within = true,
                    "]" => within = false,
                    _ if !within => names.push(word.to_owned()),
                    _ => {}
                }
            }
            sources.insert(database.trim().to_ascii_lowercase(), names);
        }
        Self { sources }
    }

    /// Sources of a database other than the files; none if the file does not name it.
    pub(crate) fn others(&self, database: &str) -> Vec<&str> {
        let sources = self.sources.get(database).into_iter().flatten().map(String::as_str);
        sources.filter(|source| !FILES.contains(source)).collect()
    }

    /// As `database: source`, sorted.
    pub(super) fn all_others(&self) -> Vec<String> {
        let of = |database: &&str| {
            let database = *database;
            self.others(database)
                .into_iter()
                .map(move |source| format!("{database}: {source}"))
                .collect::<Vec<_>>()
        };
        let all: BTreeSet<String> = DATABASES.iter().flat_map(of).collect();
        all.into_iter().collect()
    }
}

/// Values of `/etc/login.defs` by name; the last line of a name counts.
pub(super) fn login_defs(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (name, value) = line.split_once([' ', '\t', '"'])?;
        Some((name.to_owned(), value.trim().trim_matches('"').to_owned()))
    };
    lines.filter_map(entry).collect()
}

/// A number of `/etc/login.defs`, which may be octal or hexadecimal as in C.
pub(super) fn number(values: &BTreeMap<String, String>, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = values.get(name) else { return Ok(None) };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    let value = value.map_err(|_| format!("{name} is {text:?}, not a number"))?;
    Ok(Some(if negative { -value } else { value }))
}

/// Shells, sorted.
pub(super) fn shells(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let shells: BTreeSet<&str> = lines.filter(|line| line.starts_with('/')).collect();
    shells.into_iter().map(str::to_owned).collect()
}

/// What `/etc/sudo.conf` says of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SudoConf {
    /// Another policy than sudoers decides.
    pub(super) other_policy: bool,
    /// Another main file.
    pub(super) main: Option<String>,
}

/// Lines `Plugin symbol path arguments`. Symbols of policies end in `policy`; those of logging do not.
pub(super) fn sudo_conf(text: &str) -> SudoConf {
    let mut conf = SudoConf::default();
    for line in text.lines().map(str::trim) {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("Plugin") {
            continue;
        }
        match words.next() {
            Some("sudoers_policy") => {
                conf.main = words
                    .filter_map(|word| word.strip_prefix("sudoers_file="))
                    .next_back()
                    .map(str::to_owned);
            }
            Some("sudoers_io" | "sudoers_audit" | "sudoers_io_plugin") | None => {}
            Some(_) => conf.other_policy = true,
        }
    }
    conf
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn name_services() {
        let text = "# comment\npasswd: files systemd\ngroup: files [SUCCESS=merge] sss\nshadow: compat\nhosts: dns\nsudoers: files sss # x\n";
        let services = NameServices::parse(text);
        assert_eq!(services.all_others(), ["group: sss"]);
        assert_eq!(services.others("sudoers"), ["sss"]);
    }

    #[test]
    fn login_definitions() {
        let values =
            login_defs("# UID_MIN 1\nUID_MIN\t\t\t 1000\nUMASK 027\nUID_MAX 0xEA60\nENCRYPT_METHOD \"SHA512\"\nX\n");
        assert_eq!(number(&values, "UID_MIN"), Ok(Some(1000)));
        assert_eq!(number(&values, "UID_MAX"), Ok(Some(60_000)));
        assert_eq!(number(&values, "UMASK"), Ok(Some(0o27)));
        assert_eq!(number(&values, "GID_MIN"), Ok(None));
        assert_eq!(values["ENCRYPT_METHOD"], "SHA512");
        assert!(number(&values, "ENCRYPT_METHOD").is_err());
    }

    #[test]
    fn shells_and_policies() {
        assert_eq!(
            shells("# shells\n/bin/sh\n /bin/bash # x\nnot\n/bin/sh\n"),
            ["/bin/bash", "/bin/sh"]
        );
        assert_eq!(
            sudo_conf("#Plugin other_policy x.so\nPlugin sudoers_io sudoers.so\n"),
            SudoConf::default()
        );
        let conf = sudo_conf("Plugin sudoers_policy sudoers.so sudoers_mode=0400 sudoers_file=/etc/s\n");
        assert_eq!(conf.main.as_deref(), Some("/etc/s"));
        assert!(sudo_conf("Plugin my_policy my.so\n").other_policy);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = (NameServices::parse(&text).all_others(), login_defs(&text), shells(&text), sudo_conf(&text));
        }
    }
}
