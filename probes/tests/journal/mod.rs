//! What the probe `logging` tells of the journal, beside where journald really writes in the booted container of
//! `systemd_units_authority.rs`.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::machine::{Machine, authority, facts_of};

const DROP_IN: &str = "/etc/systemd/journald.conf.d/own.conf";
const PLACES: [(&str, &str); 2] = [("persistent", "/var/log/journal"), ("volatile", "/run/log/journal")];
const STORAGES: [&str; 9] = [
    "Storage=persistent",
    "Storage=volatile",
    "Storage=auto",
    "Storage=none",
    "Storage=Persistent",
    "Storage=\"persistent\"",
    "Storage=persistent\nStorage=\n",
    "Storage=volatile\nStorage=perhaps\n",
    "Storage persistent",
];

fn run(program: &str, args: &[&str]) -> bool {
    authority("systemd", program, args, b"").status.success()
}

fn told() -> Value {
    facts_of("logging", &Machine::this())["journald"]["value"].clone()
}

/// Where a message that is sent now is found.
fn written(mark: &str) -> Option<&'static str> {
    run("/usr/bin/logger", &["-t", "own", mark]);
    // Times of files are compared by the second.
    sleep(Duration::from_millis(1_100));
    run("/usr/bin/logger", &["-t", "own", mark]);
    // journald touches a file a quarter of a second after it wrote.
    sleep(Duration::from_millis(500));
    run("/usr/bin/journalctl", &["--sync"]);
    let holds = |folder: &&(&str, &str)| {
        let machines = fs::read_dir(folder.1).into_iter().flatten();
        machines.flatten().any(|machine| {
            let file = machine.path().join("system.journal");
            let args = ["--file", file.to_str().unwrap(), "-t", "own", "-o", "cat"];
            let output = authority("systemd", "/usr/bin/journalctl", &args, b"");
            String::from_utf8_lossy(&output.stdout).lines().any(|line| line == mark)
        })
    };
    PLACES.iter().find(holds).map(|(place, _)| *place)
}

fn restart() {
    run("/usr/bin/systemctl", &["reset-failed", "systemd-journald.service"]);
    assert!(run("/usr/bin/systemctl", &["restart", "systemd-journald.service"]));
    run("/usr/bin/journalctl", &["--flush"]);
}

pub(crate) fn compare() -> String {
    let mut compared = 0;
    fs::create_dir_all("/etc/systemd/journald.conf.d").unwrap();
    for storage in STORAGES {
        for with_folder in [true, false] {
            for (_, folder) in PLACES {
                let _ = fs::remove_dir_all(folder);
                fs::create_dir_all(folder).unwrap();
            }
            if !with_folder {
                fs::remove_dir_all(PLACES[0].1).unwrap();
            }
            fs::write(DROP_IN, format!("[Journal]\n{storage}\n")).unwrap();
            let before = told();
            restart();
            let place = written(&format!("mark-{compared}"));
            let after = told();
            let case = format!("{storage:?} with a folder: {with_folder}: {place:?}, {before}, {after}");
            assert_eq!(before["kept_over_reboot"], place == Some("persistent"), "{case}");
            if let Some(place) = place {
                assert_eq!(after["written_last"]["value"], place, "{case}");
            }
            compared += 1;
        }
    }
    // What is configured now does not hold before journald starts again.
    fs::write(DROP_IN, "[Journal]\nStorage=persistent\n").unwrap();
    restart();
    fs::write(DROP_IN, "[Journal]\nStorage=volatile\n").unwrap();
    assert_eq!(written("kept"), Some("persistent"));
    assert_eq!(
        (&told()["written_last"]["value"], &told()["kept_over_reboot"]),
        (&"persistent".into(), &false.into())
    );
    restart();
    assert_eq!(written("lost"), Some("volatile"));
    assert_eq!(told()["written_last"]["value"], "volatile");
    fs::write(DROP_IN, "[Journal]\nStorage=persistent\n").unwrap();
    assert_eq!(
        (&told()["written_last"]["value"], &told()["kept_over_reboot"]),
        (&"volatile".into(), &true.into())
    );
    format!("{compared} settings of the journal")
}
