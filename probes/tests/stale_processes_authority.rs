//! Replaced code of real processes. Needs root: it writes into a folder of its own under /opt, since elsewhere a file that is
//! gone is no update.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use machine::Machine;
use serde_json::Value;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn files() -> Vec<(String, bool)> {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "stale-processes").unwrap();
    let document = probe.collect(&Machine::this()).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    // Root in a container does not see all.
    assert_ne!(facts["covered"], "none", "{}", facts["unread"]);
    let units = facts["units"].as_array().unwrap().iter();
    let of_unit = |unit: &Value| {
        let program = unit["program"] == true;
        let files = unit["files"].as_array().unwrap().iter();
        let files: Vec<_> = files.map(|file| (file.as_str().unwrap().to_owned(), program)).collect();
        files
    };
    units.flat_map(of_unit).collect()
}

/// As dpkg and rpm do: a new file takes the name of the old one.
fn replace(path: &std::path::Path) {
    let new = path.with_extension("new");
    fs::copy(path, &new).unwrap();
    fs::rename(&new, path).unwrap();
}

fn until_mapped(child: &Running, path: &std::path::Path) {
    let begin = Instant::now();
    let maps = format!("/proc/{}/maps", child.0.id());
    while !fs::read_to_string(&maps).unwrap().contains(path.to_str().unwrap()) {
        assert!(begin.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_replaced_program_and_a_replaced_library() {
    let folder = Folder(PathBuf::from(format!("/opt/affiant-test-{}", std::process::id())));
    fs::create_dir(&folder.0).unwrap();
    let (program, library) = (folder.0.join("sleep"), folder.0.join("libz.so.1"));
    fs::copy("/bin/sleep", &program).unwrap();
    let installed = fs::canonicalize("/lib/x86_64-linux-gnu/libz.so.1").expect("apt-get install zlib1g");
    fs::copy(installed, &library).unwrap();
    let of_program = Running(Command::new(&program).arg("60").spawn().unwrap());
    let of_library = Command::new("/bin/sleep").arg("60").env("LD_PRELOAD", &library).spawn();
    let of_library = Running(of_library.unwrap());
    until_mapped(&of_program, &program);
    until_mapped(&of_library, &library);

    let ours = |found: Vec<(String, bool)>| {
        let mut found: Vec<String> = found.into_iter().map(|(file, _)| file).collect();
        found.retain(|file| file.starts_with(folder.0.to_str().unwrap()));
        found
    };
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    assert_eq!(ours(files()), [""; 0]);
    replace(&program);
    let found = files();
    assert!(found.contains(&(text(&program), true)), "{found:?}");
    assert_eq!(ours(found), [text(&program)]);
    replace(&library);
    assert_eq!(ours(files()), [text(&library), text(&program)]);
    drop(of_program);
    assert_eq!(ours(files()), [text(&library)]);
    drop(of_library);
    assert_eq!(ours(files()), [""; 0]);
}
