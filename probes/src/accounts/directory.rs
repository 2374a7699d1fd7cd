//! Users and groups by name and number, as sudo looks them up.

use std::collections::BTreeMap;

use super::{group, passwd};

use crate::order::Order as _;

/// The entries of `/etc/passwd` and `/etc/group`, indexed.
pub(crate) struct Directory<'a> {
    pub(crate) users: &'a [passwd::Entry],
    names: BTreeMap<String, Vec<usize>>,
    uids: BTreeMap<u32, Vec<usize>>,
    gids: BTreeMap<String, u32>,
    members: BTreeMap<u32, Vec<usize>>,
    /// Users that the files do not have may come from elsewhere.
    pub(crate) other_users: bool,
    /// Likewise groups.
    pub(crate) other_groups: bool,
}

impl<'a> Directory<'a> {
    pub(crate) fn new(users: &'a [passwd::Entry], groups: &'a [group::Entry]) -> Self {
        let mut directory = Self {
            users,
            names: BTreeMap::new(),
            uids: BTreeMap::new(),
            gids: BTreeMap::new(),
            members: BTreeMap::new(),
            other_users: false,
            other_groups: false,
        };
        for (index, user) in users.iter().enumerate() {
            directory.names.entry(folded(&user.name)).or_default().push(index);
            directory.uids.entry(user.uid).or_default().push(index);
            directory.members.entry(user.gid).or_default().push(index);
        }
        for group in groups {
            directory.gids.entry(folded(&group.name)).or_insert(group.gid);
            let members = directory.members.entry(group.gid).or_default();
            let listed = group
                .members
                .iter()
                .filter_map(|name| directory.names.get(&folded(name)));
            members.extend(listed.flatten());
        }
        for members in directory.members.values_mut() {
            members.order();
            members.dedup();
        }
        directory
    }

    /// Positions of the users with a name; upper and lower case are the same to sudo (`case_insensitive_user`).
    pub(crate) fn named(&self, name: &str) -> &[usize] {
        self.names.get(&folded(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Positions of the users with a uid.
    pub(crate) fn with_uid(&self, uid: u32) -> &[usize] {
        self.uids.get(&uid).map(Vec::as_slice).unwrap_or_default()
    }

    /// Gid of the group with a name; upper and lower case are the same (`case_insensitive_group`).
    pub(crate) fn gid(&self, name: &str) -> Option<u32> {
        self.gids.get(&folded(name)).copied()
    }

    /// Positions of the members of a group, by their own entries or the group's.
    pub(crate) fn members(&self, gid: u32) -> &[usize] {
        self.members.get(&gid).map(Vec::as_slice).unwrap_or_default()
    }
}

fn folded(name: &str) -> String {
    name.to_lowercase()
}
