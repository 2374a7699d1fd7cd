//! Noticing changes: inotify on folders, since a rename replaces the file that one would have watched; poll(2) on the
//! files of procfs that support it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use probes::Spec;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// procfs files that poll(2) says have changed (proc_pid_mountinfo(5), proc_swaps(5)).
const POLLED: [&str; 4] = [
    "/proc/self/mountinfo",
    "/proc/self/mounts",
    "/proc/mounts",
    "/proc/swaps",
];

/// Changes of a folder that can change what a probe sees. Not MODIFY: whoever writes also closes.
fn changes() -> WatchFlags {
    WatchFlags::CLOSE_WRITE
        | WatchFlags::MOVED_TO
        | WatchFlags::MOVED_FROM
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::ATTRIB
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

/// Begins to watch what the probes name; each message is "something changed". What cannot be watched (too many watches,
/// no inotify) is left to the schedule, and said. The thread that waits for changes ends with the process.
pub fn start(specs: &[&Spec]) -> Receiver<()> {
    let (sender, receiver) = channel(1);
    let mut paths: Vec<_> = specs.iter().flat_map(|spec| spec.watch).copied().collect();
    paths.sort_unstable();
    paths.dedup();
    let (polled, watched): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| POLLED.contains(path));
    let mut files = Vec::new();
    for path in polled {
        match File::open(path) {
            Ok(file) => files.push(file),
            Err(error) => tracing::warn!(path, %error, "cannot be watched; changes are seen by the schedule"),
        }
    }
    // The rest of procfs and of sysfs gives no events.
    let targets = watched
        .into_iter()
        .filter(|path| !path.starts_with("/proc/") && !path.starts_with("/sys/"))
        .map(PathBuf::from)
        .collect();
    let started = Folders::new(targets).and_then(|folders| {
        let wait = move || wait(&files, folders, &sender);
        std::thread::Builder::new().name("watch".to_owned()).spawn(wait)
    });
    if let Err(error) = started {
        tracing::warn!(%error, "changes are not watched and are seen by the schedule");
    }
    receiver
}

/// Blocks in poll(2), so that an idle agent is not woken.
fn wait(files: &[File], mut folders: Folders, sender: &Sender<()>) {
    while !sender.is_closed() {
        let mut polled: Vec<_> = files.iter().map(|file| PollFd::new(file, PollFlags::PRI)).collect();
        polled.push(PollFd::new(&folders.descriptor, PollFlags::IN));
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => {
                let error = std::io::Error::from(errno);
                tracing::error!(%error, "changes are not watched any more and are seen by the schedule");
                return;
            }
        }
        let ready: Vec<_> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
        drop(polled);
        let (inotify, files) = ready
            .split_last()
            .map_or((false, [].as_slice()), |(last, rest)| (*last, rest));
        let changed = files.contains(&true);
        if (inotify && folders.take()) || changed {
            // A message that is still unread says the same.
            let _ = sender.try_send(());
        }
    }
}

/// Which names in a folder matter.
#[derive(Debug, Default)]
struct Names {
    all: bool,
    some: Vec<OsString>,
    /// Names on the way to something that is not there yet: when they change, the watches are made anew.
    on_the_way: Vec<OsString>,
}

struct Folders {
    targets: Vec<PathBuf>,
    watches: BTreeMap<i32, Names>,
    descriptor: OwnedFd,
}

enum Seen {
    Nothing,
    Change,
    /// Folders came or went.
    Rebuild,
}

impl Folders {
    fn new(targets: Vec<PathBuf>) -> std::io::Result<Self> {
        let mut folders = Self {
            targets,
            watches: BTreeMap::new(),
            descriptor: descriptor()?,
        };
        folders.build();
        Ok(folders)
    }

    fn build(&mut self) {
        self.watches.clear();
        for target in self.targets.clone() {
            // A link (a configuration file kept elsewhere) is watched where it is, and where it leads to.
            let resolved = std::fs::canonicalize(&target).ok().filter(|path| *path != target);
            self.add(&target);
            if let Some(resolved) = resolved {
                self.add(&resolved);
            }
        }
    }

    fn add(&mut self, target: &Path) {
        if target.is_dir() {
            self.watch(target, |names| names.all = true);
        }
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return;
        };
        if parent.is_dir() {
            let is_folder = target.is_dir() || !target.exists();
            self.watch(parent, |names| {
                names.some.push(name.to_owned());
                if is_folder {
                    names.on_the_way.push(name.to_owned());
                }
            });
            return;
        }
        // Wait for the first folder on the way that is not there.
        let mut missing = parent;
        while let (Some(above), Some(name)) = (missing.parent(), missing.file_name()) {
            if above.is_dir() {
                self.watch(above, |names| names.on_the_way.push(name.to_owned()));
                return;
            }
            missing = above;
        }
    }

    fn watch(&mut self, folder: &Path, note: impl FnOnce(&mut Names)) {
        match inotify::add_watch(&self.descriptor, folder, changes()) {
            Ok(watch) => note(self.watches.entry(watch).or_default()),
            Err(errno) => {
                let error = std::io::Error::from(errno);
                tracing::warn!(folder = %folder.display(), %error, "cannot be watched; changes are seen by the schedule");
            }
        }
    }

    /// Reads the events that are there; whether something changed.
    fn take(&mut self) -> bool {
        let seen = self.read();
        if matches!(seen, Seen::Rebuild)
            && let Ok(descriptor) = descriptor()
        {
            // A new descriptor is simpler than bookkeeping about which watches are still right.
            self.descriptor = descriptor;
            self.build();
        }
        !matches!(seen, Seen::Nothing)
    }

    fn read(&self) -> Seen {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.descriptor, &mut buffer);
        let mut seen = Seen::Nothing;
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(_) => return seen,
            };
            let events = event.events();
            if events.contains(ReadFlags::QUEUE_OVERFLOW) {
                return Seen::Rebuild;
            }
            let gone = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
            if events.intersects(gone) {
                seen = Seen::Rebuild;
                continue;
            }
            let name = event
                .file_name()
                .map(|name| OsString::from_vec(name.to_bytes().to_vec()));
            let Some(names) = self.watches.get(&event.wd()) else {
                continue;
            };
            let among = |list: &[OsString]| name.as_ref().is_some_and(|name| list.contains(name));
            let structure = ReadFlags::CREATE | ReadFlags::DELETE | ReadFlags::MOVED_FROM | ReadFlags::MOVED_TO;
            if among(&names.on_the_way) && events.intersects(structure) {
                seen = Seen::Rebuild;
            } else if (names.all || among(&names.some)) && matches!(seen, Seen::Nothing) {
                seen = Seen::Change;
            }
        }
    }
}

fn descriptor() -> std::io::Result<OwnedFd> {
    Ok(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn notices(receiver: &mut Receiver<()>) -> bool {
        let noticed = tokio::time::timeout(Duration::from_millis(500), receiver.recv()).await;
        // The rest of the same change.
        tokio::time::sleep(Duration::from_millis(50)).await;
        while receiver.try_recv().is_ok() {}
        noticed == Ok(Some(()))
    }

    fn spec(watch: Vec<String>) -> &'static Spec {
        let watch: Vec<&'static str> = watch.into_iter().map(|path| &*path.leak()).collect();
        Box::leak(Box::new(Spec {
            id: "test",
            version: 1,
            title: "",
            reads: &[],
            runs: &[],
            privilege: probes::Privilege::None,
            cadence: probes::Cadence::EveryRound,
            watch: watch.leak(),
            budget: probes::Budget { millis: 1, bytes: 1 },
            does_not_show: &[],
        }))
    }

    #[tokio::test]
    async fn a_file_that_is_replaced_written_or_removed_is_noticed_and_its_neighbours_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        std::fs::write(path("watched"), "").unwrap();
        let mut receiver = start(&[spec(vec![path("watched").display().to_string()])]);
        std::fs::write(path("other"), "x").unwrap();
        assert!(!notices(&mut receiver).await);
        for round in 0..2 {
            std::fs::write(path("new"), "x").unwrap();
            std::fs::rename(path("new"), path("watched")).unwrap();
            assert!(notices(&mut receiver).await, "replaced, round {round}");
        }
        std::fs::write(path("watched"), "y").unwrap();
        assert!(notices(&mut receiver).await, "written");
        std::fs::remove_file(path("watched")).unwrap();
        assert!(notices(&mut receiver).await, "removed");
    }

    #[tokio::test]
    async fn what_is_not_there_yet_is_noticed_when_it_comes() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("a/b/conf.d");
        let mut receiver = start(&[spec(vec![format!("{}/", folder.display())])]);
        std::fs::create_dir_all(&folder).unwrap();
        assert!(notices(&mut receiver).await, "the folder came");
        std::fs::write(folder.join("x"), "").unwrap();
        assert!(notices(&mut receiver).await, "a file in it");
        std::fs::remove_dir_all(temp.path().join("a")).unwrap();
        assert!(notices(&mut receiver).await, "all is gone");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(notices(&mut receiver).await, "and back");
    }

    #[tokio::test]
    async fn mounts_are_noticed_where_they_can_be_made() {
        let mut receiver = start(&[spec(vec!["/proc/self/mountinfo".into()])]);
        tokio::task::yield_now().await;
        while receiver.try_recv().is_ok() {}
        let temp = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "t"])
            .arg(temp.path())
            .status();
        if mount.is_ok_and(|status| status.success()) {
            let noticed = notices(&mut receiver).await;
            std::process::Command::new("umount").arg(temp.path()).status().unwrap();
            assert!(noticed);
        }
    }
}
