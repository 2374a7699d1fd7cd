//! Which users and groups there are, and whose homes.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use crate::accounts::name_services::NameServices;
use crate::accounts::records::TooManyLines;
use crate::accounts::{group, passwd};
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

/// Folders whose entries are named after people.
const PERSONAL: [&str; 5] = ["/home/", "/export/home/", "/run/media/", "/media/", "/Users/"];
/// The first uid of people where no account says otherwise.
const PEOPLE: u32 = 1_000;
/// nobody.
const NOBODY: u32 = 65_534;
/// Given by systemd to services while they run (`DynamicUser=`, systemd.exec(5)).
const DYNAMIC: std::ops::RangeInclusive<u32> = 61_184..=65_519;
/// More ranges than any file of subordinate ids has that somebody keeps.
const MAX_RANGES: usize = 10_000;

/// Which users and groups there are.
pub(super) struct Owners {
    /// Uids of `/etc/passwd`; not known where accounts come from elsewhere too.
    pub(super) users: Known<BTreeSet<u32>>,
    /// Gids of `/etc/group`, likewise.
    pub(super) groups: Known<BTreeSet<u32>>,
    /// Home folders of people, each ending in `/`.
    homes: Vec<(String, u32)>,
    sub_users: Vec<(u32, u32)>,
    sub_groups: Vec<(u32, u32)>,
}

impl Owners {
    pub(super) fn read(reading: &Reading<'_>) -> Self {
        let services = NameServices::read(reading).map(Option::unwrap_or_default);
        let mut homes = vec![];
        let users = of_file(reading, "/etc/passwd", "passwd", &services, |bytes| {
            let read = passwd::parse(bytes)?;
            for user in &read.entries {
                let home = user.home.trim_end_matches('/');
                if user.uid >= PEOPLE && user.uid != NOBODY && home.len() > 1 {
                    homes.push((format!("{home}/"), user.uid));
                }
            }
            Ok((read.entries.iter().map(|user| user.uid).collect(), !read.bad.is_empty()))
        });
        let groups = of_file(reading, "/etc/group", "group", &services, |bytes| {
            let read = group::parse(bytes)?;
            Ok((
                read.entries.iter().map(|group| group.gid).collect(),
                !read.bad.is_empty(),
            ))
        });
        Self {
            users,
            groups,
            homes,
            sub_users: ranges(reading, "/etc/subuid"),
            sub_groups: ranges(reading, "/etc/subgid"),
        }
    }

    /// Whether a uid is one of somebody's containers or of a running service.
    pub(super) fn is_delegated_user(&self, uid: u32) -> bool {
        DYNAMIC.contains(&uid) || within(&self.sub_users, uid)
    }

    /// Likewise a gid.
    pub(super) fn is_delegated_group(&self, gid: u32) -> bool {
        DYNAMIC.contains(&gid) || within(&self.sub_groups, gid)
    }

    /// The path as the facts show it, if it is one that people named.
    pub(super) fn masked(&self, path: &str) -> Option<String> {
        let of_home = |(home, uid): &(String, u32)| path.starts_with(home).then(|| format!("home of uid {uid}/*"));
        let home = self.homes.iter().find_map(of_home);
        home.or_else(|| {
            let folder = PERSONAL.iter().find(|folder| path.starts_with(**folder));
            folder.map(|folder| format!("{folder}*"))
        })
    }
}

fn of_file(
    reading: &Reading<'_>,
    path: &str,
    database: &str,
    services: &Result<NameServices, Unread>,
    mut parse: impl FnMut(&[u8]) -> Result<(BTreeSet<u32>, bool), TooManyLines>,
) -> Known<BTreeSet<u32>> {
    let not = |outcome, detail| Known::Not(NotKnown { outcome, detail });
    let bytes = match reading.private(path, path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return not(Outcome::Absent, format!("{path} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    // Homes are wanted even where the file is not all there is.
    let parsed = parse(&bytes);
    match services {
        Err(unread) => return Known::unread(unread),
        Ok(services) => {
            let others = services.others(database);
            if !others.is_empty() {
                let detail = format!("{database} come from {} too", others.join(", "));
                return not(Outcome::Unsupported, detail);
            }
        }
    }
    match parsed {
        Ok((numbers, false)) => Known::Observed(numbers),
        Ok((_, true)) => not(
            Outcome::Malformed,
            format!("{path}: a line that could not be understood may be the one of an owner"),
        ),
        Err(error) => not(Outcome::Failed, format!("{path}: {error}")),
    }
}

/// First number and how many, of subuid(5).
fn ranges(reading: &Reading<'_>, path: &str) -> Vec<(u32, u32)> {
    // What cannot be read delegates nothing: owners then look unknown, which is said of them, rather than known.
    let bytes = reading.private(path, path).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let range = |line: &str| {
        let mut fields = line.split(':').skip(1).map(|field| field.trim().parse().ok());
        Some((fields.next()??, fields.next()??))
    };
    text.lines().filter_map(range).take(MAX_RANGES).collect()
}

fn within(ranges: &[(u32, u32)], number: u32) -> bool {
    ranges
        .iter()
        .any(|(first, count)| number.checked_sub(*first).is_some_and(|offset| offset < *count))
}
