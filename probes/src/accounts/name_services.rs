//! Where the system looks for accounts: nsswitch.conf(5), and the records that nss-systemd(8) answers from.

use std::collections::{BTreeMap, BTreeSet};

use crate::reading::{Reading, Unread};

/// The administrator's file, and that of vendors who keep theirs apart.
const FILES: [&str; 2] = ["/etc/nsswitch.conf", "/usr/etc/nsswitch.conf"];
/// Databases that tell of accounts and groups.
const DATABASES: [&str; 5] = ["group", "gshadow", "initgroups", "passwd", "shadow"];
/// Sources that are the files themselves: `compat` reads them too and is told by its lines.
const LOCAL: [&str; 2] = ["compat", "files"];
/// Users of services while they run, root and nobody; and people, if there are records of them.
const SYSTEMD: &str = "systemd";
/// Folders of records (nss-systemd(8)), of which one suffices.
const RECORDS: [&str; 5] = [
    "/etc/userdb",
    "/run/userdb",
    "/run/host/userdb",
    "/usr/local/lib/userdb",
    "/usr/lib/userdb",
];
/// What systemd-homed keeps of the homes of this host.
const HOMES: &str = "/var/lib/systemd/home";

/// Databases and the sources of each, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameServices {
    sources: BTreeMap<String, Vec<String>>,
    records: Records,
}

/// Whether nss-systemd tells of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Records {
    users: bool,
    groups: bool,
}

impl NameServices {
    /// Reads it; `Ok(None)`: there is no such file.
    pub(crate) fn read(reading: &Reading<'_>) -> Result<Option<Self>, Unread> {
        for path in FILES {
            if let Some(text) = reading.text(path)? {
                let mut services = Self::parse(&text);
                let mut sources = services.sources.values().flatten();
                if sources.any(|source| source == SYSTEMD) {
                    services.records = Records::read(reading)?;
                }
                return Ok(Some(services));
            }
        }
        Ok(None)
    }

    fn parse(text: &str) -> Self {
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
        Self {
            sources,
            records: Records::default(),
        }
    }

    /// Sources of a database other than the files; none if the file does not name it.
    pub(crate) fn others(&self, database: &str) -> Vec<&str> {
        let people = match database {
            "passwd" | "shadow" => self.records.users,
            _ => self.records.groups,
        };
        let sources = self.sources.get(database).into_iter().flatten().map(String::as_str);
        sources
            .filter(|source| !LOCAL.contains(source) && (*source != SYSTEMD || people))
            .collect()
    }

    /// As `database: source`, sorted.
    pub(crate) fn all_others(&self) -> Vec<String> {
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

impl Records {
    /// Names of records alone are looked at: `NAME.user`, `NAME.group` and, for members, `USER:GROUP.membership`.
    fn read(reading: &Reading<'_>) -> Result<Self, Unread> {
        let mut records = Self::default();
        for folder in RECORDS {
            for entry in reading.private_list(folder, folder)?.unwrap_or_default() {
                match entry.name.rsplit_once('.') {
                    Some((_, "user")) => records.users = true,
                    Some((_, "group" | "membership")) => records.groups = true,
                    _ => {}
                }
            }
        }
        let homes = reading.private_list(HOMES, HOMES)?.unwrap_or_default();
        if homes.iter().any(|home| home.name.ends_with(".identity")) {
            // Each has a group of its own, and can name others.
            records.users = true;
            records.groups = true;
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    #[test]
    fn sources_of_a_file() {
        let text = "# comment\npasswd: files systemd\ngroup: files [SUCCESS=merge] sss\nshadow: compat\nhosts: dns\nsudoers: files sss # x\n";
        let services = NameServices::parse(text);
        assert_eq!(services.all_others(), ["group: sss"]);
        assert_eq!(services.others("sudoers"), ["sss"]);
    }

    #[test]
    fn records_of_people_are_another_source() {
        let base = || Captured::default().file("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\n");
        let others = |host: &Captured| NameServices::read(&testing(host)).map(|read| read.unwrap().all_others());
        assert_eq!(others(&base()).unwrap(), [""; 0]);
        assert_eq!(
            others(&base().file("/etc/userdb/ada.user-privileged", "{}")).unwrap(),
            [""; 0]
        );
        assert_eq!(
            others(&base().file("/etc/userdb/ada.user", "{}")).unwrap(),
            ["passwd: systemd"]
        );
        let member = base().file("/usr/lib/userdb/ada:sudo.membership", "");
        assert_eq!(others(&member).unwrap(), ["group: systemd"]);
        let home = base().file("/var/lib/systemd/home/ada.identity", "{}");
        assert_eq!(others(&home).unwrap(), ["group: systemd", "passwd: systemd"]);
        assert!(others(&base().denied("/var/lib/systemd/home")).is_err());
        let not_asked = Captured::default()
            .file("/usr/etc/nsswitch.conf", "passwd: files\n")
            .file("/etc/userdb/ada.user", "{}");
        assert_eq!(others(&not_asked).unwrap(), [""; 0]);
        assert_eq!(NameServices::read(&testing(&Captured::default())), Ok(None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = NameServices::parse(&text).all_others();
        }
    }
}
