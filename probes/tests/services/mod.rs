//! What the probe `services` tells, beside systemctl in the booted container of `systemd_units_authority.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::machine::{Machine, authority};

/// Units with settings of every form.
pub(crate) const UNITS: &[(&str, &str)] = &[
    (
        "s-user.service",
        "[Service]\nUser=daemon\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-user-again.service",
        "[Service]\nUser=root\nUser=\nUser=bin\nExecStart=-/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-root.service",
        "[Service]\nUser=0\nExecStart=+/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-root-again.service",
        "[Service]\nUser=daemon\nUser=\nExecStart=!!/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-dynamic.service",
        "[Service]\nDynamicUser=on\nExecStart=@/bin/sleep other 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-dynamic-named.service",
        "[Service]\nUser=own\nDynamicUser=1\nExecStart=:/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-reset.service",
        "[Service]\nExecStart=/bin/false\nExecStart=\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-quoted.service",
        "[Service]\nExecStart=\"/opt/a program/sleep\" 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-folded.service",
        "[Service]\nExecStart=/bin/sleep \\\n# a comment between\n  1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-unresolved.service",
        "[Service]\nExecStart=sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-confined.service",
        "[Service]\nExecStart=/bin/sleep 1000\nNoNewPrivileges=yes\nPrivateTmp=true\nPrivateDevices=on\nPrivateNetwork=1\n\
         ProtectSystem=strict\nProtectHome=read-only\nProtectKernelTunables=t\nProtectKernelModules=y\nProtectKernelLogs=no\n\
         ProtectControlGroups=false\nProtectClock=off\nProtectHostname=0\nLockPersonality=n\nRestrictRealtime=f\n\
         RestrictSUIDSGID=yes\nMemoryDenyWriteExecute=yes\nProtectProc=invisible\nProcSubset=pid\nUMask=0077\n\
         DevicePolicy=closed\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-loosened.service",
        "[Service]\nExecStart=/bin/sleep 1000\nNoNewPrivileges=yes\nPrivateTmp=yes\nPrivateTmp=\nProtectSystem=full\n\
         ProtectHome=tmpfs\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-nonsense.service",
        "[Service]\nExecStart=/bin/sleep 1000\nPrivateTmp=yes\nPrivateTmp=perhaps\nProtectSystem=strict\nProtectSystem=much\n\
         noNewPrivileges=yes\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "s-instance@.service",
        "[Service]\nUser=%i\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=daemon\n",
    ),
    (
        "s-typing.service",
        "[Service]\nExecStart=/bin/sleep 1000\nProtectSystem strict\nNoNewPrivileges=yes\nUMask=0077 \\\n\nPrivateTmp=yes\n[Install]\n\
         WantedBy=multi-user.target\n",
    ),
    (
        "s-pulls.service",
        "[Unit]\nWants=s-latin.service s-broken.service s-drop-ins.service\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\n\
         WantedBy=multi-user.target\n",
    ),
    ("s-drop-ins.service", "[Service]\nExecStart=/bin/sleep 1000\n"),
];

/// Files in which systemd finds no UTF-8, or no end of a section's name.
pub(crate) const BYTES: &[(&str, &[u8])] = &[
    (
        "s-latin.service",
        b"\xef\xbb\xbf[Unit]\n# gr\xfc\xdfe\n[Service]\nExecStart=/bin/sleep 1000\nNoNewPrivileges=yes\n",
    ),
    (
        "s-broken.service",
        b"[Service]\nExecStart=/bin/sleep 1000\n[Unit\nNoNewPrivileges=yes\n",
    ),
    (
        "s-drop-ins.service.d/a.conf",
        b"[Service]\nProtectHome=yes\n[Unit\nProtectSystem=full\n",
    ),
    (
        "s-drop-ins.service.d/b.conf",
        b"[Service]\nPrivateTmp=yes\nPrivateDevices=\xe4\nLockPersonality=yes\n",
    ),
];

/// Files beside units.
pub(crate) const DROP_INS: &[(&str, &str)] = &[
    (
        "s-loosened.service.d/own.conf",
        "[Service]\nNoNewPrivileges=no\nProtectSystem=no\n",
    ),
    ("s-user.service.d/10-a.conf", "[Service]\nUser=games\n"),
    (
        "s-user.service.d/20-b.conf",
        "[Service]\nUser=man\nExecStart=\nExecStart=/bin/sleep 2000\n",
    ),
    ("service.d/all.conf", "[Service]\nRestrictNamespaces=no\n"),
];

/// Settings that are a word for systemctl too.
const WORDS: [&str; 21] = [
    "DevicePolicy",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "RestrictRealtime",
    "RestrictSUIDSGID",
];

fn systemctl(args: &[&str]) -> String {
    String::from_utf8_lossy(&authority("systemd", "/usr/bin/systemctl", args, b"").stdout).into_owned()
}

/// Names of the units that `systemctl list-units` lists.
fn listed(args: &[&str]) -> BTreeSet<String> {
    let args = [&["list-units", "--all", "--plain", "--no-legend", "--full"], args].concat();
    let names = systemctl(&args);
    let names = names.lines().filter_map(|line| line.split_ascii_whitespace().next());
    names.map(str::to_owned).collect()
}

fn shown(unit: &str) -> BTreeMap<String, String> {
    let properties = format!("User,DynamicUser,ExecStart,FragmentPath,LoadState,{}", WORDS.join(","));
    let said = systemctl(&["show", "-p", &properties, unit]);
    let lines = said.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A switch has many words for each side; systemctl prints one.
fn one_word(value: &str) -> &str {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "on" | "1" => "yes",
        "no" | "n" | "false" | "f" | "off" | "0" | "" => "no",
        _ => value,
    }
}

fn names(list: &Value) -> BTreeSet<String> {
    let names = list.as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The services whose settings were changed since they were started, with the files.
fn changed() -> BTreeMap<String, BTreeSet<String>> {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "services").unwrap();
    let facts = probe.collect(&Machine::this()).remove(0).facts.unwrap();
    let services = facts["services"].as_array().unwrap().iter();
    let changed = services.filter_map(|service| {
        let files = &service["changed_since_start"];
        assert!(
            files["outcome"] == "absent" || service["active"]["value"] == true,
            "{service}"
        );
        let files = names(files.get("value").filter(|files| **files != serde_json::json!([]))?);
        Some((service["unit"].as_str().unwrap().to_owned(), files))
    });
    changed.collect()
}

/// Inside the container: a drop-in that comes after the start, read by systemd, and taken by the service.
pub(crate) fn compare_changed() {
    const UNIT: &str = "s-user.service";
    const FOLDER: &str = "/etc/systemd/system/s-user.service.d";
    let path = format!("{FOLDER}/late.conf");
    let property = |name: &str| systemctl(&["show", "--value", "-p", name, UNIT]).trim().to_owned();
    // What the process really runs with: the 19th field of proc_pid_stat(5).
    let nice = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", property("MainPID"))).unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        after_name.split(' ').nth(16).unwrap().to_owned()
    };
    assert_eq!(changed(), BTreeMap::new());
    let before = nice();
    // Times are told to the second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    std::fs::create_dir_all(FOLDER).unwrap();
    std::fs::write(&path, "[Service]\nNice=9\n").unwrap();
    let only = BTreeMap::from([(UNIT.to_owned(), BTreeSet::from([path]))]);
    assert_eq!(
        (property("NeedDaemonReload"), changed()),
        ("yes".to_owned(), only.clone())
    );
    systemctl(&["daemon-reload"]);
    // systemd knows them now; the service does not have them.
    assert_eq!(
        (property("NeedDaemonReload"), property("Nice")),
        ("no".to_owned(), "9".to_owned())
    );
    assert_eq!((nice(), changed()), (before, only));
    systemctl(&["restart", UNIT]);
    assert_eq!((nice(), changed()), ("9".to_owned(), BTreeMap::new()));
}

/// Inside the container: says how much was compared.
pub(crate) fn compare() -> String {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "services").unwrap();
    let mut documents = probe.collect(&Machine::this()).into_iter();
    let facts = documents.next().unwrap().facts.unwrap();
    let users = documents.next().unwrap().facts.unwrap()["users"].clone();
    let mut wrong = String::new();

    assert_eq!(names(&facts["failed"]["value"]), listed(&["--state=failed"]), "failed");
    let services: BTreeMap<String, Value> = facts["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| (service["unit"].as_str().unwrap().to_owned(), service.clone()))
        .collect();
    let active: BTreeSet<String> = services
        .iter()
        .filter(|(_, service)| service["active"]["value"] == true)
        .map(|(unit, _)| unit.clone())
        .collect();
    assert_eq!(active, listed(&["--type=service", "--state=active"]), "active services");
    let active: BTreeSet<String> = facts["sockets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|socket| socket["active"]["value"] == true)
        .map(|socket| socket["unit"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        active,
        listed(&["--type=socket,path", "--state=active"]),
        "active sockets and paths"
    );
    let files = systemctl(&[
        "list-unit-files",
        "--state=masked,masked-runtime",
        "--plain",
        "--no-legend",
    ]);
    let masked = files.lines().filter_map(|line| line.split_ascii_whitespace().next());
    assert_eq!(names(&facts["masked"]), masked.map(str::to_owned).collect(), "masked");

    let (mut words, mut broken) = (0, 0);
    for (unit, service) in &services {
        let theirs = shown(unit);
        // systemd takes nothing of such a file.
        if theirs["LoadState"] == "error" && service["settings"]["outcome"] == "malformed" {
            broken += 1;
            continue;
        }
        if service["settings"]["outcome"] != "observed" {
            let _ = writeln!(wrong, "{unit}: {service}, systemctl {theirs:?}");
            continue;
        }
        let settings = &service["settings"]["value"];
        let runs_as = match (theirs["DynamicUser"].as_str(), theirs["User"].as_str()) {
            ("yes", _) => "dynamic_user",
            (_, "" | "root" | "0") => "root",
            _ => "user",
        };
        let user = users[unit].as_str().unwrap_or_default();
        if settings["runs_as"] != runs_as || (runs_as == "user" && user != theirs["User"] && user != "%i") {
            let _ = writeln!(
                wrong,
                "{unit}: {} {user}, systemctl {runs_as} {}",
                settings["runs_as"], theirs["User"]
            );
        }
        let file = service["file"].as_str().unwrap_or_default();
        if file != theirs["FragmentPath"] && file != theirs["FragmentPath"].replace("/lib/", "/usr/lib/") {
            let _ = writeln!(wrong, "{unit}: {file}, systemctl {}", theirs["FragmentPath"]);
        }
        let programs: Vec<&str> = theirs
            .get("ExecStart")
            .into_iter()
            .flat_map(|text| text.split("{ path=").skip(1))
            .filter_map(|part| part.split(" ; ").next())
            .collect();
        let program = settings["program"].as_str().unwrap();
        let same = programs
            .last()
            .is_none_or(|last| *last == program || last.ends_with(&format!("/{program}")));
        if !same || (programs.is_empty() && !program.is_empty()) {
            let _ = writeln!(wrong, "{unit}: starts {program}, systemctl {programs:?}");
        }
        for name in WORDS {
            let Some(value) = settings["confinement"][name].as_str() else {
                continue;
            };
            words += 1;
            if one_word(value) != theirs[name] {
                let _ = writeln!(wrong, "{unit}: {name}={value}, systemctl {}", theirs[name]);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(broken, 1);
    assert!(services.len() > 30 && words > 60, "{} {words}", services.len());
    format!("{} services, {words} of their settings", services.len())
}
