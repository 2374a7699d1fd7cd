//! The host over real files: what a hostile or merely unusual machine has.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use probes::reading::{Command, Host, Kind, Unread};
use probes::{Budget, Cadence, Privilege, Spec};

use super::{Deadline, Machine, MachineHost};

pub(super) static SPEC: Spec = Spec {
    id: "test",
    version: 1,
    title: "",
    reads: &[],
    runs: &["/bin/sh", "/usr/bin/env", "/nonexistent/program"],
    privilege: Privilege::None,
    cadence: Cadence::EveryRound,
    watch: &[],
    budget: Budget {
        millis: 5_000,
        bytes: 1024 * 1024,
    },
    does_not_show: &[],
};

pub(super) fn own() -> MachineHost {
    Machine::own().host(&SPEC, Deadline::within(5_000))
}

pub(super) fn below(root: &Path) -> MachineHost {
    Machine::below(root).unwrap().host(&SPEC, Deadline::within(5_000))
}

pub(super) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn absent_is_none_and_a_file_on_the_way_too() {
    let host = own();
    assert_eq!(host.read("/nonexistent", 1), Ok(None));
    assert_eq!(host.read("/etc/passwd/x", 1), Ok(None));
    assert_eq!(host.list("/nonexistent"), Ok(None));
    assert_eq!(host.stat("/nonexistent", true), Ok(None));
    assert_eq!(host.read_link("/nonexistent"), Ok(None));
    assert!(matches!(host.read("etc/passwd", 1), Err(Unread::Failed { .. })));
    assert!(matches!(host.read("/etc/\0", 1), Err(Unread::Failed { .. })));
}

#[test]
fn procfs_is_read_though_its_files_say_that_they_are_empty() {
    let status = own().read("/proc/self/status", 1 << 20).unwrap().unwrap();
    assert!(status.starts_with(b"Name:"));
    assert_eq!(own().stat("/proc/self/status", true).unwrap().unwrap().size, 0);
}

#[test]
fn more_than_the_limit_is_said_and_not_cut() {
    let temp = tempfile::tempdir().unwrap();
    let path = text(&temp.path().join("file"));
    std::fs::write(&path, vec![b'x'; 200_000]).unwrap();
    assert_eq!(own().read(&path, 200_000).unwrap().unwrap().len(), 200_000);
    assert!(matches!(
        own().read(&path, 199_999),
        Err(Unread::TooLarge { limit: 199_999, .. })
    ));
    // Sparse: 1 TiB that takes no space; stops at the limit.
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(own().read(&path, 100_000), Err(Unread::TooLarge { .. })));
    assert_eq!(own().read_at(&path, (1 << 40) - 3, 10).unwrap().unwrap(), [0; 3]);
}

#[test]
fn neither_fifo_nor_device_nor_folder_nor_socket_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let fifo = temp.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let socket = temp.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [
        text(&fifo),
        text(&socket),
        text(temp.path()),
        "/dev/zero".into(),
        "/dev/tty".into(),
    ] {
        assert!(matches!(own().read(&path, 10), Err(Unread::Failed { .. })), "{path}");
        assert!(
            matches!(own().read_at(&path, 0, 10), Err(Unread::Failed { .. })),
            "{path}"
        );
    }
    assert_eq!(own().stat(&text(&fifo), true).unwrap().unwrap().kind, Kind::Fifo);
    assert_eq!(own().stat("/dev/zero", true).unwrap().unwrap().device, (1, 5));
}

#[test]
fn loops_of_links_fail_and_links_are_followed_or_not_as_asked() {
    let temp = tempfile::tempdir().unwrap();
    let (a, b) = (temp.path().join("a"), temp.path().join("b"));
    symlink(&a, &b).unwrap();
    symlink(&b, &a).unwrap();
    assert!(matches!(own().read(&text(&a), 10), Err(Unread::Failed { .. })));
    assert_eq!(own().stat(&text(&a), false).unwrap().unwrap().kind, Kind::Link);
    assert_eq!(own().read_link(&text(&a)), Ok(Some(text(&b))));
    assert!(matches!(
        own().read_link(&text(temp.path())),
        Err(Unread::Failed { .. })
    ));
    let dangling = temp.path().join("dangling");
    symlink("/nonexistent", &dangling).unwrap();
    assert_eq!(own().read(&text(&dangling), 10), Ok(None));
}

#[test]
fn below_a_root_no_link_leads_out() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("secret"), "outside").unwrap();
    let root = temp.path().join("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/hostname"), "inside").unwrap();
    for (name, target) in [
        ("etc/up", "../../../../../../secret"),
        ("etc/absolute", &*text(&temp.path().join("secret"))),
        ("etc/passwd", "/etc/passwd"),
        ("etc/fine", "/etc/hostname"),
        ("etc/magic", "/proc/self/root/etc/passwd"),
    ] {
        symlink(target, root.join(name)).unwrap();
    }
    let host = below(&root);
    assert_eq!(host.read("/etc/hostname", 100).unwrap().unwrap(), b"inside");
    assert_eq!(host.read("/etc/fine", 100).unwrap().unwrap(), b"inside");
    assert_eq!(host.read("/etc/up", 100), Ok(None));
    assert_eq!(host.read("/etc/absolute", 100), Ok(None));
    assert!(
        host.read("/etc/passwd", 100).is_err(),
        "a link to itself inside the root"
    );
    assert_eq!(host.read("/etc/magic", 100), Ok(None));
    assert_eq!(host.read("/../secret", 100), Ok(None));
    assert_eq!(host.read_link("/etc/up").unwrap().unwrap(), "../../../../../../secret");
    let names: Vec<_> = host
        .list("/etc")
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["absolute", "fine", "hostname", "magic", "passwd", "up"]);

    let command = Command {
        program: "/bin/sh",
        args: &[],
    };
    assert!(matches!(host.run(&command), Err(Unread::Skipped { .. })));
    assert!(matches!(host.inventory(), Err(Unread::Skipped { .. })));
    assert!(
        Machine::below(&root.join("none"))
            .unwrap_err()
            .to_string()
            .contains("/none: ")
    );
}

#[test]
fn names_that_are_no_text_can_be_listed_and_opened() {
    use std::os::unix::ffi::OsStrExt as _;
    let temp = tempfile::tempdir().unwrap();
    for name in [&b"caf\xe9"[..], b"caf\\xe9"] {
        std::fs::write(temp.path().join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
    }
    for host in [own(), below(Path::new("/"))] {
        let entries = host.list(&text(temp.path())).unwrap().unwrap();
        let names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["caf\\x5cxe9", "caf\\xe9"]);
        let bytes = names.map_bytes(|name| {
            host.read(&format!("{}/{name}", text(temp.path())), 100)
                .unwrap()
                .unwrap()
        });
        assert_eq!(bytes, [b"caf\\xe9".to_vec(), b"caf\xe9".to_vec()]);
    }
}

trait MapBytes {
    fn map_bytes(&self, read: impl Fn(&str) -> Vec<u8>) -> Vec<Vec<u8>>;
}

impl MapBytes for Vec<String> {
    fn map_bytes(&self, read: impl Fn(&str) -> Vec<u8>) -> Vec<Vec<u8>> {
        self.iter().map(|name| read(name)).collect()
    }
}

#[test]
fn after_the_deadline_every_question_is_timeout() {
    let host = Machine::own().host(&SPEC, Deadline::within(0));
    let sh = Command {
        program: "/bin/sh",
        args: &[],
    };
    let timeout = |unread: Option<Unread>| matches!(unread, Some(Unread::Timeout { millis: 0, .. }));
    assert!(timeout(host.read("/etc/passwd", 10).err()));
    assert!(timeout(host.read_at("/etc/passwd", 0, 10).err()));
    assert!(timeout(host.list("/").err()));
    assert!(timeout(host.stat("/", true).err()));
    assert!(timeout(host.read_link("/x").err()));
    assert!(timeout(host.run(&sh).err()));
    assert!(timeout(host.inventory().err()));
}

fn shell(script: &str, millis: u32) -> Result<Option<probes::reading::Output>, Unread> {
    let host = Machine::own().host(&SPEC, Deadline::within(millis));
    host.run(&Command {
        program: "/bin/sh",
        args: &["-c", script],
    })
}

#[test]
fn a_program_gets_no_environment_and_no_input_and_its_end_is_seen() {
    let output = shell("env; cat; echo oops >&2; exit 3", 5_000).unwrap().unwrap();
    let mut lines: Vec<_> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PWD=/"]);
    assert_eq!((output.status, output.stderr), (3, b"oops\n".to_vec()));
    assert_eq!(shell("kill -9 $$", 5_000).unwrap().unwrap().status, 137);
    assert_eq!(
        shell("yes x | head -c 900000", 5_000).unwrap().unwrap().stdout.len(),
        900_000
    );
    assert!(matches!(shell("yes", 5_000), Err(Unread::TooLarge { .. })));
    assert_eq!(
        shell("yes >&2 & sleep 0.2; kill $!", 5_000)
            .unwrap()
            .unwrap()
            .stderr
            .len(),
        65_536
    );
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let temp = tempfile::tempdir().unwrap();
    let marker = temp.path().join("pid");
    let script = format!("sleep 60 & echo $! > {}; wait", marker.display());
    assert!(matches!(shell(&script, 300), Err(Unread::Timeout { millis: 300, .. })));
    let pid: i32 = std::fs::read_to_string(&marker).unwrap().trim().parse().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "still running: {stat}");
}

#[test]
fn programs_that_are_absent_undeclared_or_changeable_by_others_are_not_run() {
    let run = |program: &'static str, spec: &'static Spec| {
        let host = Machine::own().host(spec, Deadline::within(5_000));
        host.run(&Command { program, args: &[] })
    };
    assert_eq!(run("/nonexistent/program", &SPEC), Ok(None));
    assert!(matches!(run("/bin/true", &SPEC), Err(Unread::Skipped { .. })));

    let temp = tempfile::tempdir().unwrap();
    let program: &'static str = text(&temp.path().join("program")).leak();
    std::fs::write(program, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o777)).unwrap();
    let spec: &'static Spec = Box::leak(Box::new(Spec {
        runs: Box::leak(Box::new([program])),
        ..SPEC
    }));
    let refused = run(program, spec).unwrap_err().to_string();
    assert!(refused.contains("others than root"), "{refused}");
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(run(program, spec), Err(Unread::Denied { .. })));
}

#[test]
fn the_inventory_is_this_machine() {
    let inventory = own().inventory().unwrap();
    assert!(inventory.cpus > 0 && inventory.memory_bytes > 1 << 20);
    let loopback = inventory
        .interfaces
        .iter()
        .find(|interface| interface.name == "lo")
        .unwrap();
    assert!(loopback.addresses.contains(&"127.0.0.1/8".to_owned()), "{loopback:?}");
    assert_eq!(loopback.mac, "");
}

/// Denied needs a user without privileges: as root this test runs itself again as nobody.
#[test]
fn what_may_not_be_read_is_denied() {
    const AGAIN: &str = "AFFIANT_TEST_DENIED";
    if let Ok(folder) = std::env::var(AGAIN) {
        let host = own();
        for path in [format!("{folder}/locked/file"), format!("{folder}/file")] {
            assert_eq!(host.read(&path, 10), Err(Unread::Denied { place: path.clone() }));
        }
        let locked = format!("{folder}/locked");
        assert_eq!(host.list(&locked), Err(Unread::Denied { place: locked }));
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::create_dir(temp.path().join("locked")).unwrap();
    for (name, bits) in [("file", 0o000), ("locked/file", 0o644), ("locked", 0o000)] {
        let path = temp.path().join(name);
        if !path.exists() {
            std::fs::write(&path, "secret").unwrap();
        }
        mode(&path, bits);
    }
    mode(temp.path(), 0o755);
    // A copy, since the folder of the original need not be open to nobody.
    let copy = temp.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    mode(&copy, 0o755);
    let mut again = std::process::Command::new(&copy);
    again.args(["--exact", "machine::tests::what_may_not_be_read_is_denied"]);
    again.env(AGAIN, temp.path()).current_dir("/");
    if rustix::process::geteuid().is_root() {
        again.uid(65_534).gid(65_534);
    }
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
