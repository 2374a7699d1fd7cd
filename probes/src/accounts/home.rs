//! Home folders: there or not, and who may enter.

use super::facts::Home;
use super::records::printable;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};
use evidence::facts::Outcome;

/// Filesystems that are mounted when somebody looks, or that wait for another machine: looking there would mount every
/// home there is, or hang.
const REMOTE: [&str; 7] = ["autofs", "nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "ceph"];

/// Where not to look.
pub(crate) struct Homes {
    /// Mount points with the kind of their filesystem.
    mounts: Vec<(String, bool)>,
}

impl Homes {
    /// Reads the mounts; proc_pid_mountinfo(5). Where there is no procfs nothing is mounted.
    pub(crate) fn new(reading: &Reading<'_>) -> Result<Self, Unread> {
        let bytes = reading.volatile_bytes("/proc/self/mountinfo")?.unwrap_or_default();
        let mut mounts: Vec<_> = bytes.split(|byte| *byte == b'\n').filter_map(mount).collect();
        // The longest mount point that fits is the one that holds a path; the last one if it is mounted over.
        mounts.order_by_key(|(point, _)| point.len());
        Ok(Self { mounts })
    }

    /// The home folder of one user.
    pub(crate) fn look(&self, reading: &Reading<'_>, uid: u32, path: &str) -> Known<Home> {
        let shown = format!("home of uid {uid}");
        let not = |outcome, detail: &str| {
            Known::Not(NotKnown {
                outcome,
                detail: format!("{shown}: {detail}"),
            })
        };
        if !path.starts_with('/') {
            return not(Outcome::Absent, "no absolute path is given");
        }
        let holds = |point: &str| {
            path.strip_prefix(point)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || point == "/")
        };
        if self
            .mounts
            .iter()
            .rev()
            .find(|(point, _)| holds(point))
            .is_some_and(|(_, remote)| *remote)
        {
            return not(Outcome::Skipped, "it lies on another machine or is mounted on demand");
        }
        match reading.private_stat(path, &shown) {
            Ok(Some(stat)) if stat.kind == Kind::Folder => Known::Observed(Home {
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
                group_writable: stat.mode & 0o020 != 0,
                world_writable: stat.mode & 0o002 != 0,
                world_accessible: stat.mode & 0o005 != 0,
            }),
            Ok(Some(_)) => not(Outcome::Absent, "it is no folder"),
            Ok(None) => not(Outcome::Absent, "there is no such folder"),
            Err(unread) => Known::unread(&unread),
        }
    }
}

/// Mount point, and whether it is remote.
fn mount(line: &[u8]) -> Option<(String, bool)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = printable(fields.nth(4)?).replace("\\040", " ");
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some((point, REMOTE.iter().any(|remote| remote.as_bytes() == kind)))
}
