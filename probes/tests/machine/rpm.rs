//! Packages made by rpmbuild, and folders into which rpm installs them.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::authority;

/// A folder in memory where there is one: rpm waits for the disk after every package.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary folder")
}

/// Builds the packages of a specification; they then lie in `RPMS` of the folder `top`.
pub(crate) fn build(top: &str, specification: &str, more: &[&str]) {
    let define = format!("_topdir {top}");
    let args = [&["--quiet", "-bb", "--define", &define], more, &[specification]].concat();
    ended(authority("rpm", "rpmbuild", &args, b""));
}

/// A folder with an empty database and the os-release of Fedora.
pub(crate) fn root() -> tempfile::TempDir {
    let root = folder();
    fs::create_dir_all(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/os-release"), "ID=fedora\nVERSION_ID=42\n").unwrap();
    rpm(root.path(), &["--initdb"]);
    root
}

/// What rpm says of the database in `/var/lib/rpm` of the folder `root`, however it ends.
pub(crate) fn output(root: &Path, args: &[&str]) -> Output {
    let root = root.to_str().unwrap();
    let args = [&["--root", root, "--define", "_dbpath /var/lib/rpm"], args].concat();
    authority("rpm", "rpm", &args, b"")
}

/// The same, when it ends well.
pub(crate) fn rpm(root: &Path, args: &[&str]) -> String {
    ended(output(root, args))
}

/// Installs packages into the folder `root`.
pub(crate) fn install<F: AsRef<Path>>(root: &Path, files: &[F], more: &[&str]) {
    let files = files.iter().map(|file| file.as_ref().to_str().unwrap());
    let args: Vec<&str> = ["-i", "--nosignature"]
        .into_iter()
        .chain(more.iter().copied())
        .chain(files)
        .collect();
    rpm(root, &args);
}

fn ended(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
