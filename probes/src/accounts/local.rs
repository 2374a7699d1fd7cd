//! Users and groups of the files under `/etc`, for probes that tell who has a right.

use super::directory::Directory;
use super::group;
use super::name_services::NameServices;
use super::passwd;
use crate::reading::{Reading, Unread};

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// What the files tell, and whether they tell everything.
#[derive(Debug)]
pub(crate) struct LocalAccounts {
    users: Vec<passwd::Entry>,
    /// Groups in the order of the file.
    pub(crate) groups: Vec<group::Entry>,
    /// There may be users whom the files do not tell: other sources, or lines that could not be understood.
    pub(crate) other_users: bool,
    /// Likewise groups.
    pub(crate) other_groups: bool,
    /// `/etc/nsswitch.conf`, if it could be read.
    pub(crate) services: Result<Option<NameServices>, Unread>,
}

impl LocalAccounts {
    /// Reads `/etc/passwd`, `/etc/group` and `/etc/nsswitch.conf`. `Ok(None)`: there is no `/etc/passwd`. A group file that
    /// cannot be read is an error too: who has a right by a group would not be known.
    pub(crate) fn read(reading: &Reading<'_>) -> Result<Option<Self>, Unread> {
        let Some(bytes) = reading.private(PASSWD, PASSWD)? else {
            return Ok(None);
        };
        let users = passwd::parse(&bytes).map_err(|error| failed(PASSWD, &error))?;
        let bytes = reading.private(GROUP, GROUP)?;
        let groups = group::parse(bytes.as_deref().unwrap_or_default()).map_err(|error| failed(GROUP, &error))?;
        let services = NameServices::read(reading);
        let elsewhere = |database| match &services {
            Ok(Some(services)) => !services.others(database).is_empty(),
            Ok(None) => false,
            Err(_) => true,
        };
        Ok(Some(Self {
            other_users: elsewhere("passwd") || !users.bad.is_empty(),
            other_groups: elsewhere("group") || !groups.bad.is_empty() || bytes.is_none(),
            users: users.entries,
            groups: groups.entries,
            services,
        }))
    }

    /// The same, indexed.
    pub(crate) fn directory(&self) -> Directory<'_> {
        let mut directory = Directory::new(&self.users, &self.groups);
        directory.other_users = self.other_users;
        directory.other_groups = self.other_groups;
        directory
    }
}

fn failed(place: &str, error: &impl ToString) -> Unread {
    Unread::Failed {
        place: place.to_owned(),
        reason: error.to_string(),
    }
}
