//! What the probe tells of containers, from files alone, beside the kernel that runs them and beside the daemon.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use machine::{Machine, authority, facts_of, put};
use serde_json::{Value, json};

/// A small generator: the same cases each run.
struct Dice(u64);

impl Dice {
    fn of<'a>(&mut self, choices: &[&'a [&'a str]]) -> &'a [&'a str] {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        choices[usize::try_from((self.0 >> 33) % choices.len() as u64).unwrap()]
    }
}

/// An image with one program, which waits.
fn image(folder: &Path) -> Vec<u8> {
    put(
        folder,
        "wait.c",
        "#include <unistd.h>\nint main() { for (;;) pause(); }\n",
    );
    let at = |path: &str| folder.join(path).to_str().unwrap().to_owned();
    fs::create_dir_all(folder.join("image/bin")).unwrap();
    fs::create_dir_all(folder.join("image/etc")).unwrap();
    fs::write(folder.join("image/etc/passwd"), "root:x:0:0::/:\napp:x:1000:1000::/:\n").unwrap();
    let made = authority(
        "gcc libc6-dev",
        "gcc",
        &["-static", "-o", &at("image/bin/wait"), &at("wait.c")],
        b"",
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    authority("tar", "tar", &["-C", &at("image"), "-c", "."], b"").stdout
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

/// A machine whose own root has not all capabilities cannot give them; podman refuses some options beside each other.
fn beyond_this_machine(ran: &Output) -> bool {
    let said = String::from_utf8_lossy(&ran.stderr);
    !ran.status.success() && (said.contains("unable to apply caps") || said.contains("all caps not allowed"))
}

/// The names of a set of capabilities.
fn decoded(set: &str) -> BTreeSet<String> {
    let decoded = authority("libcap2-bin", "/usr/sbin/capsh", &[&format!("--decode={set}")], b"");
    let decoded = text(&decoded);
    let names = decoded
        .split_once('=')
        .unwrap()
        .1
        .split(',')
        .filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Without what runc does not know (it leaves them out) and what this machine's own root does not have.
fn within_reach(mut capabilities: BTreeSet<String>) -> BTreeSet<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let own = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap();
    let own = decoded(own.trim());
    capabilities.retain(|name| own.contains(name));
    for late in ["cap_perfmon", "cap_bpf", "cap_checkpoint_restore"] {
        capabilities.remove(late);
    }
    capabilities
}

/// What the kernel tells of a process, in the probe's words.
fn by_kernel(pid: &str) -> Value {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let capabilities = within_reach(decoded(&of("CapBnd:")));
    let namespace = |pid: &str, name: &str| fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
    let shared = ["cgroup", "ipc", "net", "pid", "user", "uts"]
        .into_iter()
        .filter(|name| namespace(pid, name) == namespace("self", name))
        .map(|name| if name == "net" { "network" } else { name });
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    let fields: Vec<Vec<&str>> = mounts.lines().map(|line| line.split(' ').collect()).collect();
    let at = |place: &str| fields.iter().rfind(|fields| fields[4] == place);
    let writable = |fields: &Vec<&str>| !fields[5].split(',').any(|option| option == "ro");
    // What hides a file is mounted over it; which of them there are depends on the kernel.
    let hidden = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"];
    json!({
        "capabilities": capabilities,
        "no_new_privileges": of("NoNewPrivs:") == "1",
        "unconfined": of("Seccomp:") == "0",
        "root": of("Uid:") == "0",
        "host_namespaces": shared.collect::<Vec<_>>(),
        "read_only": !writable(at("/").unwrap()),
        "masked_paths": hidden.iter().any(|path| at(path).is_some()),
        "mount": at("/m").map(writable),
    })
}

fn by_probe(settings: &Value) -> Value {
    assert_eq!(settings["running"], json!({"outcome": "observed", "value": true}));
    let mounts = settings["mounts"]["value"].as_array().unwrap();
    let capabilities = settings["capabilities"].as_array().unwrap();
    let mut capabilities: BTreeSet<_> = capabilities
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    if capabilities.remove("all") {
        capabilities = decoded("1ffffffffff");
    }
    json!({
        "capabilities": within_reach(capabilities),
        "no_new_privileges": settings["no_new_privileges"],
        "unconfined": settings["seccomp"] == "unconfined",
        "root": settings["user"] == "root",
        "host_namespaces": settings["host_namespaces"],
        "read_only": settings["read_only"],
        "masked_paths": settings["masked_paths"],
        "mount": mounts.iter().find(|mount| mount["path"] == "/etc" || mount["path"] == "/run").map(|mount| &mount["writable"]),
    })
}

fn settings(root: &Path, list: &str, id: &str) -> Value {
    let facts = facts_of("containers", &Machine::folder(root));
    let listed = facts[list]["value"]["containers"].as_array();
    let listed = listed.unwrap_or_else(|| panic!("{}", facts[list]));
    let found = listed.iter().find(|one| one["id"] == id[..12]);
    let settings = &found.unwrap_or_else(|| panic!("{id}: {listed:?}"))["settings"];
    assert_eq!(settings["outcome"], "observed", "{settings}");
    settings["value"].clone()
}

/// Options that both programs know.
fn options(dice: &mut Dice) -> Vec<&'static str> {
    let options: [&[&[&'static str]]; 9] = [
        &[
            &[],
            &["--cap-add", "NET_ADMIN"],
            &["--cap-add", "cap_sys_ptrace", "--cap-add", "SYS_NICE"],
            &["--cap-add", "ALL"],
        ],
        &[
            &[],
            &["--cap-drop", "CHOWN"],
            &["--cap-drop", "all"],
            &["--cap-drop", "net_raw", "--cap-drop", "KILL"],
        ],
        &[&[], &[], &["--security-opt", "seccomp=unconfined"]],
        &[&[], &["--security-opt", "no-new-privileges"]],
        &[&["--network", "none"], &["--network", "host"]],
        &[&[], &["--pid", "host"], &["--uts", "host"], &["--ipc", "host"]],
        &[&[], &["--read-only"]],
        &[
            &[],
            &["--user", "app"],
            &["--user", "0:5"],
            &["--user", "1000"],
            &["--user", "root"],
        ],
        &[
            &[],
            &["--volume", "/etc:/m:ro"],
            &["--volume", "/etc/:/m"],
            &["--mount", "type=bind,source=/run,target=/m,readonly"],
        ],
    ];
    let mut chosen: Vec<&str> = options
        .iter()
        .flat_map(|choices| dice.of(choices).iter().copied())
        .collect();
    chosen.extend(dice.of(&[&[], &[], &[], &[], &["--privileged"]]));
    chosen
}

/// Ends the daemon, and its containers before it, whatever becomes of the test.
struct Daemon {
    child: Child,
    socket: String,
}

impl Daemon {
    fn start(root: &Path) -> Self {
        let at = |path: &str| root.join(path).to_str().unwrap().to_owned();
        let socket = format!("unix://{}", at("sock"));
        // A `/run` of its own, so that nothing of the machine's own containers is touched.
        let script = "mount -t tmpfs tmpfs /run && exec dockerd --data-root \"$1/d\" --exec-root \"$1/e\" --pidfile \"$1/pid\" \
                      -H \"$2\" --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs";
        let child = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh", root.to_str().unwrap(), &socket])
            .stdout(Stdio::null())
            .stderr(fs::File::create(root.join("log")).unwrap())
            .spawn()
            .expect("unshare; install it: apt-get install util-linux");
        let daemon = Self { child, socket };
        for _ in 0..300 {
            if daemon.docker(&["version"], b"").status.success() {
                return daemon;
            }
            sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(root.join("log")).unwrap();
        panic!("{log}; install it: apt-get install docker.io");
    }

    fn docker(&self, args: &[&str], input: &[u8]) -> Output {
        authority(
            "docker.io",
            "/usr/bin/docker",
            &[&["-H", &self.socket], args].concat(),
            input,
        )
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let ids = self.docker(&["ps", "-aq"], b"").stdout;
        let ids = String::from_utf8_lossy(&ids).into_owned();
        self.docker(&[vec!["rm", "-f"], ids.split_whitespace().collect()].concat(), b"");
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.child.wait();
    }
}

fn docker_host() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    put(root.path(), "usr/bin/dockerd", "");
    put(root.path(), "etc/docker/daemon.json", "{\"data-root\": \"/d\"}");
    root
}

#[test]
fn docker_beside_the_kernel() {
    let root = docker_host();
    let daemon = Daemon::start(root.path());
    text(&daemon.docker(&["import", "-", "tiny:1"], &image(root.path())));
    let (mut dice, mut compared) = (Dice(3), 0);
    for case in 0..60 {
        let mut args = vec!["run", "-d"];
        args.extend(options(&mut dice));
        args.extend(dice.of(&[&[], &[], &["--cgroupns", "private"], &["--cgroupns", "host"]]));
        args.extend(dice.of(&[&[], &[], &["--security-opt", "systempaths=unconfined"]]));
        args.extend(["tiny:1", "/bin/wait"]);
        let ran = daemon.docker(&args, b"");
        if beyond_this_machine(&ran) {
            continue;
        }
        compared += 1;
        let id = text(&ran);
        let told = settings(root.path(), "docker_containers", &id);
        let pid = text(&daemon.docker(&["inspect", "-f", "{{.State.Pid}}", &id], b""));
        assert_eq!(by_probe(&told), by_kernel(&pid), "case {case}: {args:?}");
        text(&daemon.docker(&["rm", "-f", &id], b""));
    }
    println!("{compared} compared");
    assert!(compared >= 20, "{compared}");
}

fn ports_asked_for(host: &Value) -> BTreeSet<String> {
    let mut ports = BTreeSet::new();
    for (port, bindings) in host["PortBindings"].as_object().unwrap() {
        for binding in bindings.as_array().unwrap() {
            ports.insert(format!("{port} {}", binding["HostIp"].as_str().unwrap()));
        }
    }
    if host["PublishAllPorts"] == true {
        ports.insert("all ".to_owned());
    }
    ports
}

fn ports_told(settings: &Value) -> BTreeSet<String> {
    let ports = settings["ports"]["value"].as_array().unwrap().iter();
    let text = |port: &Value, name: &str| port[name].as_str().unwrap().to_owned();
    ports
        .map(|port| match port["container_port"].as_u64() {
            Some(number) => format!("{number}/{} {}", text(port, "protocol"), text(port, "address")),
            None => "all ".to_owned(),
        })
        .collect()
}

/// Volumes are the daemon's own, but for the one that was made of a folder of the host.
fn mounts_of_host(one: &Value) -> BTreeSet<(String, bool)> {
    let mounts = one["Mounts"].as_array().unwrap().iter();
    mounts
        .filter_map(|mount| {
            let source = match mount["Name"].as_str() {
                Some("bound") => "/boot",
                Some(_) => return None,
                None => mount["Source"].as_str()?,
            };
            Some((source.to_owned(), mount["RW"].as_bool()?))
        })
        .collect()
}

fn mounts_told(settings: &Value) -> BTreeSet<(String, bool)> {
    let mounts = settings["mounts"]["value"].as_array().unwrap().iter();
    mounts
        .map(|mount| {
            (
                mount["path"].as_str().unwrap().to_owned(),
                mount["writable"].as_bool().unwrap(),
            )
        })
        .collect()
}

/// What needs no running container, beside what the daemon answers.
#[test]
fn docker_beside_its_daemon() {
    let root = docker_host();
    let daemon = Daemon::start(root.path());
    text(&daemon.docker(&["import", "-", "tiny:1"], &image(root.path())));
    let bound = [
        "volume",
        "create",
        "-o",
        "type=none",
        "-o",
        "o=bind",
        "-o",
        "device=/boot",
        "bound",
    ];
    text(&daemon.docker(&bound, b""));
    let mut dice = Dice(5);
    for case in 0..40 {
        let name = format!("case-{case}");
        let mut args = vec!["create", "--name", &name];
        args.extend(dice.of(&[
            &[],
            &["--restart", "always"],
            &["--restart", "on-failure:5"],
            &["--restart", "unless-stopped"],
        ]));
        args.extend(dice.of(&[
            &[],
            &["-p", "80"],
            &["-p", "127.0.0.1:8080:80"],
            &["-p", "[::1]:90-92:90-92/udp", "-p", "80:80"],
        ]));
        args.extend(dice.of(&[
            &[],
            &["-p", "192.0.2.1:53:53/udp"],
            &["-P", "--expose", "99"],
            &["-p", "8000-8010:80"],
        ]));
        args.extend(dice.of(&[
            &[],
            &["--memory", "64m"],
            &["--pids-limit", "10"],
            &["--pids-limit", "-1"],
        ]));
        args.extend(dice.of(&[
            &[],
            &["--device", "/dev/null:/dev/x:r"],
            &["--device-cgroup-rule", "c 1:3 r"],
        ]));
        args.extend(dice.of(&[&[], &["-v", "bound:/b"], &["-v", "bound:/b:ro"], &["-v", "other:/b"]]));
        args.extend(dice.of(&[
            &[],
            &["--mount", "type=bind,source=/etc,target=/e,bind-propagation=rshared"],
        ]));
        args.extend(["tiny:1", "/bin/wait"]);
        let id = text(&daemon.docker(&args, b""));
        let told = settings(root.path(), "docker_containers", &id);
        let inspected: Value = serde_json::from_str(&text(&daemon.docker(&["inspect", &id], b""))).unwrap();
        let one = &inspected[0];
        let host = &one["HostConfig"];
        assert_eq!(ports_told(&told), ports_asked_for(host), "case {case}: {args:?}");
        assert_eq!(mounts_told(&told), mounts_of_host(one), "case {case}: {args:?}");
        let devices = host["Devices"].as_array().unwrap().iter();
        let expected = json!({
            "name": name, "image": one["Config"]["Image"], "image_id": one["Image"], "running": one["State"]["Running"],
            "policy": host["RestartPolicy"]["Name"], "at_most": host["RestartPolicy"]["MaximumRetryCount"],
            "memory": host["Memory"] != 0, "pids": host["PidsLimit"].as_i64().is_some_and(|limit| limit > 0),
            "devices": devices.map(|device| device["PathOnHost"].clone()).collect::<Vec<_>>(),
            "rules": host["DeviceCgroupRules"].as_array().cloned().unwrap_or_default(),
        });
        let found = json!({
            "name": told["name"], "image": told["image"], "image_id": told["image_id"], "running": told["running"]["value"],
            "policy": told["restart"]["value"]["policy"], "at_most": told["restart"]["value"]["at_most"],
            "memory": told["memory_limited"], "pids": told["pids_limited"],
            "devices": told["devices"], "rules": told["device_rules"],
        });
        assert_eq!(found, expected, "case {case}: {args:?}");
    }
}

#[test]
fn podman_beside_the_kernel() {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    put(root.path(), "usr/bin/podman", "");
    put(
        root.path(),
        "etc/containers/storage.conf",
        "[storage]\ngraphroot = \"/g\"\nrunroot = \"/r\"\n",
    );
    let at = |path: &str| root.path().join(path).to_str().unwrap().to_owned();
    let (graph, run) = (at("g"), at("r"));
    let global = [
        "--root",
        &graph,
        "--runroot",
        &run,
        "--storage-driver",
        "vfs",
        "--cgroup-manager",
        "cgroupfs",
    ];
    let podman = |args: &[&str], input: &[u8]| authority("podman", "/usr/bin/podman", &[&global, args].concat(), input);
    text(&podman(&["import", "-", "tiny:1"], &image(root.path())));
    let (mut dice, mut compared) = (Dice(7), 0);
    for case in 0..40 {
        let mut args = vec![
            "run",
            "-d",
            "--ulimit",
            "nofile=1000:1000",
            "--ulimit",
            "nproc=1000:1000",
        ];
        args.extend(options(&mut dice));
        args.extend(["tiny:1", "/bin/wait"]);
        let ran = podman(&args, b"");
        if beyond_this_machine(&ran) {
            continue;
        }
        compared += 1;
        let id = text(&ran);
        let pid = text(&podman(&["inspect", "-f", "{{.State.Pid}}", &id], b""));
        let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        put(root.path(), &format!("proc/{pid}/cgroup"), &cgroup);
        let told = settings(root.path(), "podman_containers", &id);
        let (ours, theirs) = (by_probe(&told), by_kernel(&pid));
        let inspected: Value = serde_json::from_str(&text(&podman(&["inspect", &id], b""))).unwrap();
        text(&podman(&["kill", &id], b""));
        assert_eq!(ours, theirs, "case {case}: {args:?}");
        for (ours, theirs) in [
            (&told["name"], &inspected[0]["Name"]),
            (&told["image"], &inspected[0]["ImageName"]),
            (&told["image_id"], &inspected[0]["Image"]),
            (&told["privileged"], &inspected[0]["HostConfig"]["Privileged"]),
        ] {
            assert_eq!(ours, theirs, "case {case}: {args:?}");
        }
        fs::remove_dir_all(root.path().join("proc")).unwrap();
        let ended = settings(root.path(), "podman_containers", &id);
        assert_eq!(ended["running"]["value"], false);
        text(&podman(&["rm", "-f", &id], b""));
    }
    println!("{compared} compared");
    assert!(compared >= 15, "{compared}");
}
