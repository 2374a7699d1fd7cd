//! Probes that run on changes say what they would say if they read everything, whatever changed.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use affiant_agent::collection::{Collection, Runner, Unchanged};
use affiant_agent::folder::Folder;
use affiant_agent::machine::Machine;
use evidence::Digest;
use probes::Cadence;
use probes::registry::{self, Registered};
use serde_json::Value;

fn on_change() -> Vec<Registered> {
    let all = registry::all().into_iter();
    all.filter(|probe| probe.spec.cadence == Cadence::OnChange).collect()
}

fn whole(root: &Path) -> Collection {
    Runner::new(Machine::below(root).unwrap(), on_change()).collect()
}

fn kept(root: &Path, folder: &Path, agent: &[u8]) -> Collection {
    let unchanged = Unchanged::new(Folder::create(folder).unwrap(), Digest::of(agent));
    let runner = Runner::new(Machine::below(root).unwrap(), on_change());
    runner.on_change(unchanged).collect()
}

/// Many packages, installed and in a list: both files are large ones.
fn host(root: &Path) {
    let stanza = |number: u32, version: &str| {
        format!("Package: p{number}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
    };
    let dpkg = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n";
    let packages = |version| (0..2000).map(|number| stanza(number, version)).collect::<String>() + dpkg;
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n".to_owned()),
        (
            "etc/apt/sources.list",
            "deb http://deb.example/debian bookworm main\n".to_owned(),
        ),
        ("var/lib/dpkg/status", packages("1")),
        (LIST, packages("2")),
        (
            "var/lib/apt/lists/deb.example_debian_dists_bookworm_InRelease",
            "Origin: Debian\nSuite: stable\nCodename: bookworm\nArchitectures: amd64\nComponents: main\n".to_owned(),
        ),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

const LIST: &str = "var/lib/apt/lists/deb.example_debian_dists_bookworm_main_binary-amd64_Packages";

#[test]
fn says_what_a_whole_reading_says_after_every_change() {
    let temp = tempfile::tempdir().unwrap();
    let (root, folder) = (temp.path().join("root"), temp.path().join("unchanged"));
    host(&root);
    let settle = || std::thread::sleep(Duration::from_secs(4));
    let status = root.join("var/lib/dpkg/status");
    let list = root.join(LIST);
    let same_size = |path: &Path, from: &str, to: &str| {
        let time = fs::metadata(path).unwrap().modified().unwrap();
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace(from, to)).unwrap();
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    // Files must have settled for their times to be believed: four seconds before each of the first three.
    let changes: [(&str, &dyn Fn()); 9] = [
        ("a version of the same length, with the old time", &|| {
            same_size(&list, "p7\n", "q7\n");
        }),
        ("a status of the same length, with the old time", &|| {
            same_size(&status, "Version: 1", "Version: 3");
        }),
        ("another file in its place", &|| {
            fs::copy(&list, root.join("copy")).unwrap();
            same_size(&root.join("copy"), "Version: 2", "Version: 4");
            fs::rename(root.join("copy"), &list).unwrap();
        }),
        ("pinned", &|| {
            fs::create_dir_all(root.join("etc/apt/preferences.d")).unwrap();
            let pin = "Package: p1\nPin: release *\nPin-Priority: -1\n";
            fs::write(root.join("etc/apt/preferences.d/pin"), pin).unwrap();
        }),
        ("a source less", &|| {
            fs::write(root.join("etc/apt/sources.list"), "").unwrap();
        }),
        ("a source elsewhere", &|| {
            fs::rename(root.join("etc/apt/sources.list"), root.join("sources")).unwrap();
            fs::write(root.join("sources"), "deb http://deb.example/debian bookworm main\n").unwrap();
            symlink("../../sources", root.join("etc/apt/sources.list")).unwrap();
        }),
        ("a list that is gone", &|| {
            fs::remove_file(&list).unwrap();
        }),
        ("a status that is none", &|| {
            fs::write(&status, vec![0xff; 100_000]).unwrap();
        }),
        ("no packages", &|| {
            fs::remove_dir_all(root.join("var/lib/dpkg")).unwrap();
        }),
    ];
    settle();
    let mut before = kept(&root, &folder, b"agent").manifest();
    assert_eq!(before, whole(&root).manifest());
    for (number, (what, change)) in changes.into_iter().enumerate() {
        change();
        let expected = whole(&root).manifest();
        assert_eq!(kept(&root, &folder, b"agent").manifest(), expected, "{what}");
        assert_eq!(kept(&root, &folder, b"agent").manifest(), expected, "{what}, again");
        assert_ne!(expected, before, "{what} is to be seen");
        before = expected;
        if number < 2 {
            settle();
            kept(&root, &folder, b"agent");
            for (probe, path) in [("packages", "/var/lib/dpkg/status"), ("package-updates", LIST)] {
                let kept = fs::read(folder.join(format!("{probe}.json"))).unwrap();
                let kept: Value = serde_json::from_slice(&kept).unwrap();
                let readings = kept["answered"].as_array().unwrap().iter().filter(|answered| {
                    let of = |kind: &str| answered["question"][kind]["path"].as_str().unwrap_or_default();
                    of("read").ends_with(path) || of("read_at").ends_with(path)
                });
                let known: Vec<_> = readings
                    .map(|answered| answered["answer"]["file"].is_object())
                    .collect();
                assert!(
                    !known.is_empty() && known.iter().all(|known| *known),
                    "{probe}: {path} by its times"
                );
            }
        }
    }
}

#[test]
fn reads_again_only_what_may_have_changed() {
    let temp = tempfile::tempdir().unwrap();
    let (root, folder) = (temp.path().join("root"), temp.path().join("unchanged"));
    host(&root);
    let file = folder.join("packages.json");
    let read = || fs::read_to_string(&file).unwrap();

    // Just written: the files' times do not tell them from what is written in the next moment, so all of them is read.
    kept(&root, &folder, b"agent");
    assert!(!read().contains(r#""changed":"#));
    std::thread::sleep(Duration::from_secs(4));
    fs::remove_file(&file).unwrap();
    let true_manifest = kept(&root, &folder, b"agent").manifest();
    assert!(read().contains(r#""changed":"#));

    // What is kept is what is said.
    fs::write(&file, read().replace("p1999", "p____")).unwrap();
    assert_ne!(kept(&root, &folder, b"agent").manifest(), true_manifest);
    // It counts for the agent that left it, and for a day.
    assert_eq!(kept(&root, &folder, b"another").manifest(), true_manifest);
    let yesterday = read().replacen("20", "19", 1).replace("p1999", "p____");
    fs::write(&file, yesterday).unwrap();
    assert_eq!(kept(&root, &folder, b"another").manifest(), true_manifest);
    // Damage costs a reading.
    for damage in ["", "{}", "[1]", "\u{0}"] {
        fs::write(&file, damage).unwrap();
        assert_eq!(kept(&root, &folder, b"another").manifest(), true_manifest);
    }
}
