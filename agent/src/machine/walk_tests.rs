//! Walks over real trees, compared with find(1) where both can tell.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use probes::reading::{Found, Host as _, Kind, Unread, Walk, Walked};
use rustix::fs::{CWD, Mode, OFlags};

use super::tests::{SPEC, below, own, text};
use super::{Deadline, Machine, name};

const ALL: Walk<'static> = Walk {
    start: "/",
    file_bits: 0o7002,
    open_folders: true,
    of_root: &[],
    capabilities: true,
    users: None,
    groups: None,
};

fn walked(walk: &Walk<'_>) -> (BTreeSet<String>, Walked) {
    let mut found = BTreeSet::new();
    let host = Machine::own().host(&SPEC, Deadline::within(120_000));
    let walked = host.walk(walk, &mut |entry: Found| assert!(found.insert(entry.path)));
    (found, walked.unwrap().unwrap())
}

fn at(start: &str) -> Walk<'_> {
    Walk { start, ..ALL }
}

fn find(start: &str, test: &[&str]) -> BTreeSet<String> {
    let mut command = Command::new("find");
    let output = command.arg(start).arg("-xdev").args(test).arg("-print0").output();
    let output = output.unwrap().stdout;
    let paths = output.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    paths.map(name::to_text).collect()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn bytes(name: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(name))
}

const PERMISSIONS: [&str; 15] = [
    "(", "-type", "f", "-perm", "/7002", ")", "-o", "(", "-type", "d", "-perm", "-0002", "!", "-perm", "-1000",
];

fn permissions(start: &str) -> BTreeSet<String> {
    let mut test = vec!["("];
    test.extend(PERMISSIONS);
    test.extend([")", ")"]);
    find(start, &test)
}

#[test]
fn finds_what_find_finds_in_a_tree_of_odd_entries() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    // Every mode there is, on files and on folders.
    for mode in 0..0o10000 {
        if mode % 5 == 0 || mode & 0o7002 != 0 {
            let folder = root.join(format!("{}/{}", mode % 7, mode % 11));
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("f{mode}"));
            std::fs::write(&file, "").unwrap();
            set_mode(&file, mode);
            std::fs::create_dir(folder.join(format!("d{mode}"))).unwrap();
            set_mode(&folder.join(format!("d{mode}")), mode);
        }
    }
    let odd: [&[u8]; 6] = [b"caf\xe9", b"new\nline", b" ", b"\\xff", b"-name", b"..."];
    for name in odd {
        std::fs::create_dir(root.join(bytes(name))).unwrap();
        let file = root.join(bytes(name)).join(bytes(name));
        std::fs::write(&file, "").unwrap();
        set_mode(&file, 0o4755);
    }
    symlink("/", root.join("outside")).unwrap();
    symlink("0", root.join("folder")).unwrap();
    rustix::fs::mkfifoat(CWD, root.join("fifo"), Mode::from_raw_mode(0o666)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    set_mode(&root.join("socket"), 0o777);

    let start = text(root);
    let (found, walked) = walked(&at(&start));
    let expected = permissions(&start);
    assert!(expected.len() > 4_000, "{}", expected.len());
    assert!(found == expected, "{:?}", found.symmetric_difference(&expected).take(5));
    assert_eq!(walked.entries, find(&start, &[]).len() as u64);
    assert_eq!((walked.unread.len(), walked.unread_count), (0, 0));
    assert_eq!(own().walk(&at("/nonexistent"), &mut |_| {}), Ok(None));
    assert!(matches!(
        own().walk(&at("/etc/passwd"), &mut |_| {}),
        Err(Unread::Failed { .. })
    ));
}

#[test]
fn finds_what_find_finds_in_usr_and_etc() {
    for start in ["/usr/bin", "/usr/lib", "/etc", "/var/lib"] {
        let (found, walked) = walked(&at(start));
        let capable: BTreeSet<_> = found.difference(&permissions(start)).cloned().collect();
        assert!(permissions(start).is_subset(&found), "{start}");
        for path in capable {
            let value = own().extended(&path, "security.capability").unwrap();
            assert!(value.is_some(), "{path}");
        }
        assert!(walked.entries > 100, "{start}");
    }
}

#[test]
fn owners_of_every_kind_of_entry() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    for name in ["a", "b"] {
        std::fs::create_dir(root.join(name)).unwrap();
        std::fs::write(root.join(name).join("file"), "").unwrap();
        symlink("file", root.join(name).join("link")).unwrap();
        rustix::fs::mkfifoat(CWD, root.join(name).join("fifo"), Mode::from_raw_mode(0o600)).unwrap();
    }
    for entry in ["a", "a/file", "a/link", "a/fifo"] {
        lchown(root.join(entry), Some(54_321), None).expect("this test runs as root");
    }
    lchown(root.join("b/link"), None, Some(54_322)).unwrap();
    let start = text(root);
    let known = BTreeSet::from([0]);
    let walk = Walk {
        users: Some(&known),
        groups: Some(&known),
        ..at(&start)
    };
    let (found, _) = walked(&walk);
    assert_eq!(found, find(&start, &["(", "-uid", "+0", "-o", "-gid", "+0", ")"]));
    assert_eq!(found.len(), 5);
}

#[test]
fn capabilities_are_found_and_other_mounts_are_not_entered() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    for folder in ["mount", "bind", "here"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    let file = root.join("here/ping");
    std::fs::write(&file, "").unwrap();
    set_mode(&file, 0o755);
    let value = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    rustix::fs::setxattr(&file, "security.capability", &value, rustix::fs::XattrFlags::empty()).unwrap();
    let mount = |arguments: &[&str], target: &str| {
        let status = Command::new("mount").args(arguments).arg(root.join(target)).status();
        assert!(status.unwrap().success(), "this test runs as root");
    };
    mount(&["-t", "tmpfs", "none"], "mount");
    let here = text(&root.join("here"));
    mount(&["--bind", &here], "bind");
    std::fs::write(root.join("mount/file"), "").unwrap();
    set_mode(&root.join("mount/file"), 0o4777);

    let start = text(root);
    let mut found = vec![];
    let ended = own().walk(&at(&start), &mut |entry| found.push(entry));
    let inside = walked(&at(&format!("{start}/mount"))).0;
    for target in ["mount", "bind"] {
        Command::new("umount").arg(root.join(target)).status().unwrap();
    }
    ended.unwrap().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].path, text(&file));
    assert_eq!(found[0].capability.as_deref(), Some(&value[..]));
    assert_eq!((found[0].stat.kind, found[0].stat.mode), (Kind::File, 0o755));
    // A filesystem mounted with mode 1777 is not an open folder, and its file is found from there.
    assert_eq!(inside, BTreeSet::from([format!("{start}/mount/file")]));
}

#[test]
fn below_a_root_a_path_is_as_the_root_has_it() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(temp.path().join("usr/bin")).unwrap();
    symlink("usr/bin", temp.path().join("bin")).unwrap();
    let file = temp.path().join("usr/bin/su");
    std::fs::write(&file, "").unwrap();
    set_mode(&file, 0o4755);
    for (start, path) in [("/", "/usr/bin/su"), ("/usr/bin/", "/usr/bin/su"), ("/bin", "/bin/su")] {
        let mut found = vec![];
        below(temp.path())
            .walk(&at(start), &mut |entry| found.push(entry.path))
            .unwrap();
        assert_eq!(found, [path]);
    }
}

#[test]
fn too_deep_is_said_and_the_rest_is_found() {
    let temp = tempfile::tempdir().unwrap();
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    let mut folder = rustix::fs::open(temp.path(), flags, Mode::empty()).unwrap();
    for _ in 0..600 {
        rustix::fs::mkdirat(&folder, "d", Mode::RWXU).unwrap();
        folder = rustix::fs::openat(&folder, "d", flags, Mode::empty()).unwrap();
    }
    std::fs::write(temp.path().join("z"), "").unwrap();
    set_mode(&temp.path().join("z"), 0o2755);
    let start = text(temp.path());
    let (found, walked) = walked(&at(&start));
    assert_eq!(found, BTreeSet::from([format!("{start}/z")]));
    assert_eq!(walked.unread_count, 1);
    assert!(
        walked.unread[0].to_string().ends_with("/d: deeper than 256 folders"),
        "{:?}",
        walked.unread
    );
}

#[test]
fn the_time_that_is_over_is_an_error_and_not_a_short_list() {
    let host = Machine::own().host(&SPEC, Deadline::within(0));
    assert!(matches!(
        host.walk(&at("/usr"), &mut |_| {}),
        Err(Unread::Timeout { .. })
    ));
    let host = Machine::own().host(&SPEC, Deadline::within(3));
    assert!(matches!(
        host.walk(&at("/usr"), &mut |_| {}),
        Err(Unread::Timeout { .. })
    ));
}

/// Folders that vanish and are swapped for links and FIFOs while they are walked.
#[test]
fn a_tree_that_changes_meanwhile_leads_nowhere_else() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("tree");
    let outside = temp.path().join("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("secret"), "").unwrap();
    set_mode(&outside.join("secret"), 0o4777);
    for number in 0..50 {
        std::fs::create_dir_all(root.join(format!("{number}/in"))).unwrap();
    }
    let over = std::sync::atomic::AtomicBool::new(false);
    let start = text(&root);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                for number in 0..50 {
                    let (place, aside) = (root.join(number.to_string()), root.join("aside"));
                    std::fs::rename(&place, &aside).unwrap();
                    symlink(&outside, &place).unwrap();
                    std::fs::remove_file(&place).unwrap();
                    std::fs::rename(&aside, &place).unwrap();
                }
            }
        });
        for _ in 0..200 {
            let mut found = vec![];
            let walked = own().walk(&at(&start), &mut |entry| found.push(entry.path));
            assert_eq!((found, walked.unwrap().unwrap().unread_count), (vec![], 0));
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// As root this test runs itself again as nobody.
#[test]
fn what_is_denied_is_listed() {
    const AGAIN: &str = "AFFIANT_TEST_WALK_DENIED";
    if let Ok(start) = std::env::var(AGAIN) {
        let (found, walked) = walked(&at(&start));
        assert_eq!(
            found,
            BTreeSet::from(["drop", "open"].map(|name| format!("{start}/{name}")))
        );
        let denied: Vec<_> = walked.unread.iter().map(ToString::to_string).collect();
        let expected = ["closed", "drop", "names"].map(|name| format!("{start}/{name}: permission denied"));
        assert_eq!((denied, walked.unread_count), (expected.to_vec(), 3));
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    std::fs::create_dir(&root).unwrap();
    for folder in [temp.path(), &root] {
        set_mode(folder, 0o755);
    }
    for (name, mode) in [("closed", 0o700), ("drop", 0o733), ("names", 0o744), ("open", 0o777)] {
        std::fs::create_dir(root.join(name)).unwrap();
        std::fs::write(root.join(name).join("file"), "").unwrap();
        set_mode(&root.join(name), mode);
    }
    // A copy, since the folder of the original need not be open to nobody.
    let copy = temp.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    set_mode(&copy, 0o755);
    let mut again = Command::new(&copy);
    again.args(["--exact", "machine::walk_tests::what_is_denied_is_listed"]);
    again.env(AGAIN, &root).current_dir("/").uid(65_534).gid(65_534);
    let output = again.output().expect("this test runs as root");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn many_entries_in_one_folder_take_no_memory() {
    let temp = tempfile::tempdir().unwrap();
    for number in 0..20_000 {
        std::fs::write(temp.path().join(format!("{number:0200}")), "").unwrap();
    }
    set_mode(&temp.path().join(format!("{:0200}", 7)), 0o6755);
    let (found, walked) = walked(&at(&text(temp.path())));
    assert_eq!((found.len(), walked.entries), (1, 20_001));
}
