//! The state of units as files tell it, beside systemd's own word in a booted container.
//!
//! The test makes a Debian root, boots it with systemd-nspawn and runs itself inside, where it compares every unit with
//! `systemctl`. It needs root.

#![cfg(test)]

mod journal;
mod machine;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use machine::{Machine, authority};
use probes::formats::systemd::{AtBoot, SYSTEMCTL, UnitState, Units};
use probes::registry::Registered;
use probes::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Reading, Spec};
use serde_json::Value;

const INSIDE: &str = "AFFIANT_TEST_INSIDE";
const PACKAGES: &str = "systemd,systemd-sysv,dbus,udev,iproute2,cron,rsyslog,openssh-server,unattended-upgrades,chrony";

/// Tells the state of every unit.
struct UnitsProbe;

const fn spec(runs: &'static [&'static str]) -> Spec {
    Spec {
        id: "units",
        version: 1,
        title: "units",
        reads: &[],
        runs,
        privilege: Privilege::None,
        cadence: Cadence::EveryRound,
        watch: &[],
        budget: Budget {
            millis: 10_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[],
    }
}

fn states(reading: &Reading<'_>) -> Result<Collected<Vec<UnitState>, NoNames>, ProbeError> {
    let units = Units::read(reading)?.expect("systemd is there");
    let names: Vec<String> = units.names().into_iter().map(str::to_owned).collect();
    Ok(Collected::facts(units.states(names.iter().map(String::as_str))))
}

impl Probe for UnitsProbe {
    const SPEC: Spec = spec(&[]);
    type Facts = Vec<UnitState>;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Vec<UnitState>, NoNames>, ProbeError> {
        states(reading)
    }
}

/// The same, and asks systemctl.
struct AskingProbe;

impl Probe for AskingProbe {
    const SPEC: Spec = spec(&[SYSTEMCTL]);
    type Facts = Vec<UnitState>;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Vec<UnitState>, NoNames>, ProbeError> {
        states(reading)
    }
}

fn read<P: Probe>() -> BTreeMap<String, Value> {
    let document = Registered::of::<P>().collect(&Machine::this()).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let states = facts.as_array().unwrap().iter();
    states
        .map(|state| (state["unit"].as_str().unwrap().to_owned(), state.clone()))
        .collect()
}

fn systemctl(args: &[&str]) -> String {
    String::from_utf8_lossy(&authority("systemd", SYSTEMCTL, args, b"").stdout).into_owned()
}

/// Inside the container.
fn compare() {
    let from_files = read::<UnitsProbe>();
    let asked = read::<AskingProbe>();
    let started: BTreeSet<String> = systemctl(&["list-dependencies", "--all", "--plain", "default.target"])
        .lines()
        .map(|line| line.trim_start_matches(['*', ' ', '●', '○', '×']).trim().to_owned())
        .collect();
    let mut wrong = String::new();
    let (mut compared, mut services) = (0, 0);
    for (unit, state) in &from_files {
        if unit.contains("@.") {
            continue; // systemctl says nothing of templates.
        }
        compared += 1;
        let shown: BTreeMap<String, String> = systemctl(&["show", "-p", "Id,ActiveState,LoadState", unit])
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (is_active, masked) = (&shown["ActiveState"], shown["LoadState"] == "masked");
        let active = &state["active"];
        if unit.ends_with(".service") && active["outcome"] == "observed" {
            services += 1;
            if active["value"] != (is_active == "active") {
                let _ = writeln!(wrong, "{unit}: {active} and systemctl says {is_active}");
            }
        } else if !unit.ends_with(".service") && active["outcome"] != "unsupported" {
            let _ = writeln!(wrong, "{unit}: {active} without being asked");
        }
        let told = &asked[unit]["active"]["value"];
        if told != (is_active == "active") {
            let _ = writeln!(wrong, "{unit}: asked, {told} and systemctl says {is_active}");
        }
        let at_boot = if masked {
            "masked"
        } else if started.contains(&shown["Id"]) || shown["Id"] == systemctl_id("default.target") {
            "pulled"
        } else {
            "not_pulled"
        };
        // A slice is pulled in by what is in it, which is no choice of anybody's.
        if state["at_boot"] != at_boot && unit.strip_suffix(".slice").is_none() {
            let _ = writeln!(wrong, "{unit}: {} and systemctl says {at_boot}", state["at_boot"]);
        }
    }
    compare_timers();
    println!(
        "{compared} units compared, {services} services by files; {}; {}",
        services::compare(),
        journal::compare()
    );
    services::compare_changed();
    assert!(compared > 100 && services > 50, "{compared} {services}");
    assert!(wrong.is_empty(), "\n{wrong}");
    for (unit, at_boot) in [
        ("w-oneshot.service", AtBoot::Pulled),
        ("w-masked.service", AtBoot::Masked),
        ("w-alias.service", AtBoot::Pulled),
        ("w-apart.service", AtBoot::NotPulled),
        ("w-upheld.service", AtBoot::Pulled),
    ] {
        assert_eq!(
            from_files[unit]["at_boot"],
            serde_json::to_value(at_boot).unwrap(),
            "{unit}"
        );
    }
    assert_eq!(from_files["w-oneshot.service"]["active"]["value"], true);
    assert_eq!(from_files["w-failed.service"]["active"]["value"], false);
    assert_eq!(from_files["w-looping.service"]["active"]["value"], false);
    assert_eq!(from_files["w-silent.service"]["active"]["outcome"], "unsupported");
}

/// Timers of the scheduled-jobs probe: those that are active are those that systemctl lists.
fn compare_timers() {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "scheduled-jobs")
        .unwrap();
    let document = probe.collect(&Machine::this()).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let own: BTreeSet<String> = facts["timers"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|timer| timer["active"]["value"] == true)
        .map(|timer| timer["unit"].as_str().unwrap().to_owned())
        .collect();
    let listed: Value = serde_json::from_str(&systemctl(&["list-timers", "--output=json"])).unwrap();
    let listed = listed.as_array().unwrap().iter();
    let theirs: BTreeSet<String> = listed.map(|timer| timer["unit"].as_str().unwrap().to_owned()).collect();
    println!("{} timers compared", theirs.len());
    assert_eq!(own, theirs);
    assert!(theirs.len() > 4 && theirs.contains("w-timer.timer"), "{theirs:?}");
    let daemons = facts["daemons"]["value"].to_string();
    let active = systemctl(&["is-active", "cron.service"]);
    assert_eq!(active.trim(), "active");
    assert!(daemons.contains("cron.service") && daemons.contains(r#""active":{"outcome":"observed","value":true}"#));
}

fn systemctl_id(unit: &str) -> String {
    let shown = systemctl(&["show", "-p", "Id", "--value", unit]);
    shown.trim().to_owned()
}

/// Units of every sort that the distribution's own are not.
const UNITS: &[(&str, &str)] = &[
    (
        "w-oneshot.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=w-alias.service\n",
    ),
    (
        "w-failed.service",
        "[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "w-looping.service",
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=300\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "w-silent.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "w-upholds.service",
        "[Unit]\nUpholds=w-upheld.service\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    ("w-upheld.service", "[Service]\nExecStart=/bin/sleep 1000\n"),
    (
        "w-apart.service",
        "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=bluetooth.target\n",
    ),
    (
        "w-instance@.service",
        "[Service]\nExecStart=/bin/sleep %i\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=1000\n",
    ),
    (
        "w-socket.socket",
        "[Socket]\nListenStream=/run/w-socket\n[Install]\nWantedBy=sockets.target\n",
    ),
    ("w-socket.service", "[Service]\nExecStart=/bin/sleep 1000\n"),
    (
        "w-timer.timer",
        "[Timer]\nOnCalendar=yearly\n[Install]\nWantedBy=timers.target\n",
    ),
    ("w-timer.service", "[Service]\nExecStart=/bin/true\n"),
    (
        "w-path.path",
        "[Path]\nPathExists=/nowhere\n[Install]\nWantedBy=paths.target\n",
    ),
    ("w-path.service", "[Service]\nExecStart=/bin/true\n"),
    ("w-masked.service", ""),
    (
        "w-condition.service",
        "[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "w-nonsense.service",
        "nonsense\n[Unit]\nWants=w-timer.timer\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
    ),
];

fn make_root(root: &Path) {
    let mirrors = authority(
        "apt",
        "apt-get",
        &["indextargets", "--format", "$(REPO_URI) $(RELEASE)"],
        b"",
    );
    let mirrors = String::from_utf8_lossy(&mirrors.stdout);
    let mirror = mirrors.lines().find_map(|line| line.strip_suffix(" bookworm"));
    let made = authority(
        "mmdebstrap",
        "mmdebstrap",
        &[
            "--quiet",
            "--variant=minbase",
            &format!("--include={PACKAGES}"),
            "bookworm",
            root.to_str().unwrap(),
            &format!(
                "deb {} bookworm main",
                mirror.expect("the machine's apt sources have a mirror of bookworm")
            ),
        ],
        b"",
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::create_dir_all(root.join("opt/a program")).unwrap();
    std::fs::copy(root.join("bin/sleep"), root.join("opt/a program/sleep")).unwrap();
    let units = || UNITS.iter().chain(services::UNITS);
    for (name, text) in units().chain(services::DROP_INS) {
        let path = root.join("etc/systemd/system").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for (name, bytes) in services::BYTES {
        let path = root.join("etc/systemd/system").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let enabled: Vec<&str> = units()
        .filter(|(_, text)| text.contains("[Install]"))
        .map(|(name, _)| *name)
        .collect();
    let enable = Command::new("systemctl")
        .arg("--root")
        .arg(root)
        .arg("enable")
        .args(enabled)
        .output()
        .expect("systemctl; install it: apt-get install systemd");
    assert!(enable.status.success(), "{}", String::from_utf8_lossy(&enable.stderr));
    std::fs::copy(std::env::current_exe().unwrap(), root.join("root/compare")).unwrap();
}

struct Booted(Child);

impl Drop for Booted {
    fn drop(&mut self) {
        // To shut down in order takes time.
        self.inside(&["systemctl", "--force", "--force", "poweroff"]);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Booted {
    /// The process that is number 1 inside.
    fn leader(&self) -> Option<String> {
        let path = format!("/proc/{0}/task/{0}/children", self.0.id());
        let children = std::fs::read_to_string(path).ok()?;
        Some(children.split_ascii_whitespace().next()?.to_owned())
    }

    fn inside(&self, args: &[&str]) -> Option<std::process::Output> {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.leader()?, "-a", "env", &format!("{INSIDE}=1")]);
        command.args(args).stdin(Stdio::null()).output().ok()
    }
}

#[test]
fn every_unit_of_a_booted_system() {
    if std::env::var_os(INSIDE).is_some() {
        return compare();
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    make_root(&root);
    let booted = Command::new("systemd-nspawn")
        .args([
            "-q",
            "--private-network",
            "-b",
            "--console=pipe",
            "--register=no",
            "--keep-unit",
            "-D",
        ])
        .arg(&root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("systemd-nspawn; install it: apt-get install systemd-container");
    let booted = Booted(booted);
    let begin = Instant::now();
    let up = || {
        let output = booted.inside(&["systemctl", "is-system-running"])?;
        let state = String::from_utf8_lossy(&output.stdout).into_owned();
        // w-failed.service makes it degraded.
        (state.trim() == "degraded").then_some(())
    };
    while up().is_none() {
        assert!(begin.elapsed() < Duration::from_mins(1), "it does not boot");
        sleep(Duration::from_millis(200));
    }
    let compared = booted
        .inside(&["/root/compare", "--nocapture"])
        .expect("the container runs");
    let said = String::from_utf8_lossy(&compared.stdout);
    print!("{said}");
    assert!(
        compared.status.success() && said.contains("units compared"),
        "{}\n{}",
        String::from_utf8_lossy(&compared.stdout),
        String::from_utf8_lossy(&compared.stderr)
    );
}
