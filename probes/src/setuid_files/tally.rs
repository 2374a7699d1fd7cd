//! Sorts what walks find into lists of bounded length.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Filesystem;
use crate::reading::{Found, Kind, is_below};

/// Entries of a list that are kept. Those of uid 0 come first, since everybody can make any number of the others.
const MAX_ENTRIES: usize = 1_000;

/// What decides the order: whether somebody else than root owns it, then its path.
type Place = (bool, String);

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) found: Found,
    pub(super) nosuid: bool,
}

/// The first entries of a list, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) total: u64,
    entries: BTreeMap<Place, Entry>,
}

impl Kept {
    fn add(&mut self, found: &Found, nosuid: bool) {
        self.total += 1;
        let place = (found.stat.uid != 0, found.path.clone());
        let full = self.entries.len() >= MAX_ENTRIES;
        if full && self.entries.last_key_value().is_some_and(|(last, _)| *last < place) {
            return;
        }
        let found = found.clone();
        self.entries.insert(place, Entry { found, nosuid });
        if self.entries.len() > MAX_ENTRIES {
            self.entries.pop_last();
        }
    }

    /// In their order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Whether not all are kept.
    pub(super) fn is_cut(&self) -> bool {
        self.total > self.entries.len() as u64
    }
}

/// All lists.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) setuid: Kept,
    pub(super) capabilities: Kept,
    pub(super) writable: Kept,
    pub(super) open_folders: Kept,
    pub(super) of_others: Kept,
    pub(super) without_user: Kept,
    pub(super) without_group: Kept,
}

/// Folders with programs, libraries and modules, which root runs or loads (file-hierarchy(7), hier(7)).
pub(super) const OF_ROOT: [&str; 16] = [
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/libexec",
    "/usr/local/sbin",
];

fn is_of_others(found: &Found) -> bool {
    let stat = found.stat;
    let by_others = stat.uid != 0 || stat.mode & 0o020 != 0;
    by_others && matches!(stat.kind, Kind::File | Kind::Folder) && is_below(found.path.as_bytes(), &OF_ROOT)
}

impl Tally {
    /// Sorts one entry in.
    pub(super) fn take(
        &mut self,
        found: &Found,
        filesystem: &Filesystem,
        users: Option<&BTreeSet<u32>>,
        groups: Option<&BTreeSet<u32>>,
    ) {
        let (stat, nosuid) = (found.stat, filesystem.nosuid);
        let add = |list: &mut Kept, belongs: bool| {
            if belongs {
                list.add(found, nosuid);
            }
        };
        let file = stat.kind == Kind::File;
        let open = stat.kind == Kind::Folder && stat.mode & 0o1002 == 0o0002;
        add(&mut self.setuid, file && stat.mode & 0o6000 != 0);
        add(&mut self.capabilities, found.capability.is_some());
        add(&mut self.writable, file && stat.mode & 0o002 != 0);
        add(&mut self.open_folders, open);
        add(&mut self.of_others, is_of_others(found));
        add(
            &mut self.without_user,
            users.is_some_and(|users| !users.contains(&stat.uid)),
        );
        add(
            &mut self.without_group,
            groups.is_some_and(|groups| !groups.contains(&stat.gid)),
        );
    }

    /// The name of a list that is cut.
    pub(super) fn cut(&self) -> Option<&'static str> {
        let lists = [
            ("setuid_files", &self.setuid),
            ("capability_files", &self.capabilities),
            ("world_writable_files", &self.writable),
            ("open_folders", &self.open_folders),
            ("without_user", &self.without_user),
            ("without_group", &self.without_group),
        ];
        lists.into_iter().find(|(_, list)| list.is_cut()).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Stat, captured};

    #[test]
    fn a_flood_of_somebody_else_hides_nothing_of_root() {
        let filesystem = Filesystem {
            mount_point: "/".into(),
            kind: "ext4".into(),
            nosuid: false,
            noexec: false,
            nodev: false,
        };
        let stat = captured::stat(Kind::File, 0o4755, 1000, 0);
        let mut tally = Tally::default();
        for number in (0..5_000).rev() {
            let found = Found {
                path: format!("/a/{number:04}"),
                stat,
                capability: None,
            };
            tally.take(&found, &filesystem, None, None);
        }
        let root = Found {
            path: "/usr/bin/zz".into(),
            stat: Stat { uid: 0, ..stat },
            capability: None,
        };
        tally.take(&root, &filesystem, None, None);
        let kept: Vec<_> = tally.setuid.entries().map(|entry| entry.found.path.as_str()).collect();
        assert_eq!(
            (kept.len(), tally.setuid.total, tally.cut()),
            (1_000, 5_001, Some("setuid_files"))
        );
        assert_eq!((kept[0], kept[1], kept[999]), ("/usr/bin/zz", "/a/0000", "/a/0998"));
    }
}
