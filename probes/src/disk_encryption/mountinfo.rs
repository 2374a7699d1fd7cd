//! The mount table: proc_pid_mountinfo(5).

use std::collections::{HashMap, HashSet};

use super::text::unescape;

/// The kernel's own limit of mounts in a namespace (`fs.mount-max`, 100,000 unless raised). More is not read.
pub const MAX_MOUNTS: usize = 100_000;
/// PATH_MAX: no mount point is longer.
const MAX_PATH: usize = 4096;

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Mount ID.
    pub id: u32,
    /// Mount ID of the parent.
    pub parent: u32,
    /// Major and minor number of the filesystem's device (`st_dev`); major 0 if it has no block device of its own.
    pub device: (u32, u32),
    /// Which folder of the filesystem is mounted.
    pub root: String,
    /// Where it is mounted.
    pub mount_point: String,
    /// Options of this mount, as written.
    pub mount_options: String,
    /// Type of the filesystem.
    pub filesystem: String,
    /// What was given as source.
    pub source: String,
    /// Options of the filesystem as a whole, as written.
    pub options: String,
}

impl Mount {
    /// Whether the filesystem as a whole, not just this mount, is read-only.
    pub fn read_only(&self) -> bool {
        self.options.split(',').any(|option| option == "ro")
    }

    /// Whether this mount has an option: `nosuid`, `nodev`, `noexec`, `ro`.
    pub fn has(&self, option: &str) -> bool {
        self.mount_options.split(',').any(|other| other == option)
    }

    /// The value of an option, octal escapes undone.
    pub fn option(&self, name: &str) -> Option<String> {
        self.options.split(',').find_map(|option| {
            let (key, value) = option.split_once('=')?;
            (key == name).then(|| unescape(value.as_bytes()))
        })
    }
}

/// All mounts of a namespace.
#[derive(Debug, Default)]
pub struct MountTable {
    /// In the order of the file, which is the order of mounting.
    pub mounts: Vec<Mount>,
    /// Numbers of lines that are not of the form that the manual page gives, from 1.
    pub malformed: Vec<usize>,
    children: HashMap<(u32, String), usize>,
    root: Option<usize>,
}

/// More mounts than [`MAX_MOUNTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_MOUNTS} mounts")]
pub struct TooManyMounts;

impl MountTable {
    /// Reads the table. A line that cannot be understood is listed and the rest is kept.
    pub fn parse(bytes: &[u8]) -> Result<Self, TooManyMounts> {
        let mut table = Self::default();
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
            if table.mounts.len() + table.malformed.len() >= MAX_MOUNTS {
                return Err(TooManyMounts);
            }
            match mount(line) {
                Some(mount) => table.mounts.push(mount),
                None => table.malformed.push(index + 1),
            }
        }
        let ids: HashSet<u32> = table.mounts.iter().map(|mount| mount.id).collect();
        for (index, mount) in table.mounts.iter().enumerate() {
            if mount.mount_point == "/" && (mount.parent == mount.id || !ids.contains(&mount.parent)) {
                table.root = Some(index);
            } else {
                table.children.insert((mount.parent, mount.mount_point.clone()), index);
            }
        }
        Ok(table)
    }

    /// The mount on which an absolute path without symbolic links lies, as path lookup finds it: from the root down,
    /// each time onto the topmost mount. A mount that is hidden under another is not found.
    pub fn of(&self, path: &str) -> Option<&Mount> {
        let mut at = self.mounts.get(self.root?)?;
        let ends = path
            .char_indices()
            .filter(|(index, c)| *c == '/' && *index > 0)
            .map(|(index, _)| index);
        let prefixes = std::iter::once("/")
            .chain(ends.filter_map(|end| path.get(..end)))
            .chain(std::iter::once(path));
        // Each step goes one mount further, so that more steps than mounts can only be a circle.
        let mut steps = 0;
        for prefix in prefixes {
            while let Some(next) = self.children.get(&(at.id, prefix.to_owned())) {
                steps += 1;
                if steps > self.mounts.len() {
                    return None;
                }
                at = self.mounts.get(*next)?;
            }
        }
        Some(at)
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
    let (id, parent) = (number()?, number()?);
    let (major, minor) = std::str::from_utf8(fields.next()?).ok()?.split_once(':')?;
    let device = (major.parse().ok()?, minor.parse().ok()?);
    let root = fields.next()?;
    let mount_point = fields.next()?;
    let mount_options = String::from_utf8_lossy(fields.next()?).into_owned();
    // Optional fields, ended by a hyphen.
    fields.find(|field| *field == b"-")?;
    let filesystem = unescape(fields.next()?);
    // The source can be empty, and then two spaces stand side by side.
    let source = unescape(fields.next()?);
    let options = String::from_utf8_lossy(fields.next()?).into_owned();
    let sound = mount_point.starts_with(b"/")
        && mount_point.len() <= MAX_PATH * 4
        && !filesystem.is_empty()
        && fields.next().is_none();
    sound.then(|| Mount {
        id,
        parent,
        device,
        root: unescape(root),
        mount_point: unescape(mount_point),
        mount_options,
        filesystem,
        source,
        options,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(text: &str) -> MountTable {
        MountTable::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_line_of_the_manual_page() {
        let table = table(
            "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 propagate_from:2 - ext3 /dev/root ro,errors=continue\n",
        );
        let mount = &table.mounts[0];
        assert_eq!((mount.id, mount.parent, mount.device), (36, 35, (98, 0)));
        assert_eq!(
            (mount.mount_point.as_str(), mount.filesystem.as_str()),
            ("/mnt 2", "ext3")
        );
        assert_eq!((mount.source.as_str(), mount.read_only()), ("/dev/root", true));
        assert_eq!(
            (mount.root.as_str(), mount.has("noatime"), mount.has("ro")),
            ("/mnt1", true, false)
        );
        assert!(table.malformed.is_empty());
    }

    #[test]
    fn lines_that_are_not_understood_are_listed_and_the_rest_is_kept() {
        let table = table(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\nnonsense\n2 1 8:2 / /x rw ext4 /dev/sda2 rw\n3 1 0:5 / /p rw - proc  rw\n",
        );
        assert_eq!(table.malformed, [2, 3]);
        assert_eq!(table.mounts.len(), 2);
        assert_eq!(table.mounts[1].source, "");
    }

    #[test]
    fn a_path_lies_on_the_mount_that_covers_it() {
        let table = table(
            "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /srv/data rw - ext4 b rw\n3 1 8:3 / /srv rw - ext4 c rw\n\
             4 3 8:4 / /srv rw - ext4 d rw\n5 4 8:5 / /srv/x rw - ext4 e rw\n",
        );
        let device = |path: &str| table.of(path).map(|mount| mount.device.1);
        assert_eq!(device("/etc"), Some(1));
        assert_eq!(device("/srv/data/file"), Some(4), "the mount on /srv/data is hidden");
        assert_eq!(device("/srv/x/y"), Some(5));
        assert_eq!(device("/srvx"), Some(1));
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let table = table(
            "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /x rw - ext4 b rw\n3 3 8:3 / /x rw - ext4 c rw\n2 2 8:2 / /x rw - ext4 b rw\n",
        );
        assert_eq!(table.of("/x/y"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), path in ".*") {
            let table = MountTable::parse(&bytes).unwrap();
            table.of(&path);
        }

        #[test]
        fn nearly_right_lines_are_read_without_panic(
            lines in proptest::collection::vec("[0-3] [0-3] [0-9]:[0-9] / /[ab/]{0,4} rw (- )?ext4 x (rw|ro)", 0..20),
            path in "/[ab/]{0,6}",
        ) {
            let table = MountTable::parse(lines.join("\n").as_bytes()).unwrap();
            table.of(&path);
        }
    }
}
