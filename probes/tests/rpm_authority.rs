//! The package probes against rpm: packages made by rpmbuild and installed into a folder.
//!
//! Needs the packages rpm, sqlite3, db5.3-util and gpg.

#![cfg(test)]

mod machine;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use evidence::facts::Outcome;
use machine::{Machine, authority, rpm};
use probes::formats::rpm_version;
use serde_json::Value;

/// A reproducible sequence of numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }

    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        let length = 1 + self.below(most);
        (0..length).map(|_| pieces[self.below(pieces.len())]).collect()
    }
}

fn facts(root: &Path, id: &str) -> Value {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == id)
        .expect("it is registered");
    let document = probe.collect(&Machine::folder(root)).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.expect("observed documents have facts")
}

#[test]
fn versions_are_ordered_as_rpm_does() {
    let pieces = [
        "0",
        "1",
        "2",
        "10",
        "01",
        "9",
        "a",
        "b",
        "Z",
        "~",
        "^",
        "+",
        ".",
        "_",
        "~rc",
        "^git",
        "..",
        "99999999999999999999",
    ];
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut wrong = vec![];
    let mut seen = BTreeMap::new();
    for _ in 0..20 {
        let pairs: Vec<(String, String)> = (0..500)
            .map(|_| (numbers.text(&pieces, 6), numbers.text(&pieces, 6)))
            .collect();
        // Likely neighbours as well: the same beginning.
        let pairs: Vec<_> = pairs
            .into_iter()
            .enumerate()
            .map(|(at, (a, b))| if at % 2 == 0 { (format!("{a}{b}"), a) } else { (a, b) })
            .collect();
        let calls: String = pairs
            .iter()
            .map(|(a, b)| format!("print(rpm.vercmp('{a}', '{b}'), ' ') "))
            .collect();
        let output = authority("rpm", "rpm", &["--eval", &format!("%{{lua:{calls}}}")], b"");
        let text = String::from_utf8(output.stdout).unwrap();
        let said: Vec<i32> = text
            .split_ascii_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        assert_eq!(said.len(), pairs.len(), "{}", String::from_utf8_lossy(&output.stderr));
        for ((a, b), said) in pairs.iter().zip(said) {
            *seen.entry(said).or_insert(0) += 1;
            if rpm_version::part(a, b) != said.cmp(&0) {
                wrong.push((a.clone(), b.clone(), said));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ: {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
    assert!(seen.len() == 3 && seen.values().all(|count| *count > 100), "{seen:?}");
    assert_eq!(rpm_version::compare("1:1-1", "2-1"), Ordering::Greater);
}

/// Packages made for these tests, and a key that signed some.
struct Built {
    folder: tempfile::TempDir,
    /// Sorted.
    files: Vec<PathBuf>,
}

const VERSIONS: [&str; 6] = ["0", "1.0", "1.0~rc1", "2^20240101git", "3.1a", "10"];

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let folder = rpm::folder();
    let top = folder.path().to_str().unwrap().to_owned();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut spec = "Name: whole\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nVendor: Größe & Söhne\n\
                    Provides: kernel-uname-r = 6.1-1.x\n%description\nx\n%files\n"
        .to_owned();
    let mut install = "%install\n".to_owned();
    for number in 0..160 {
        let epoch = match numbers.below(3) {
            0 => String::new(),
            _ => format!("Epoch: {}\n", numbers.below(3)),
        };
        let version = VERSIONS[numbers.below(VERSIONS.len())];
        let release = 1 + numbers.below(20);
        let vendor = ["", "Vendor: Example Project\n", "Vendor: 日本\n"][numbers.below(3)];
        spec += &format!(
            "%package -n part-{number}\nSummary: Größe {number} 大きい\nVersion: {version}\nRelease: {release}.fc42\n\
             {epoch}{vendor}%description -n part-{number}\nx\n%files -n part-{number}\n"
        );
        // Headers of one page and of many.
        let files = [0, 0, 0, 3, 40, 400][numbers.below(6)];
        if files > 0 {
            let folder = format!("/opt/part-{number}");
            spec += &format!("{folder}\n");
            install += &format!(
                "mkdir -p %{{buildroot}}{folder}; for i in $(seq {files}); do : > %{{buildroot}}{folder}/a-rather-long-name-$i; done\n"
            );
        }
    }
    let path = format!("{top}/whole.spec");
    fs::write(&path, format!("{spec}{install}")).unwrap();
    rpm::build(&top, &path, &[]);
    let mut files: Vec<PathBuf> = fs::read_dir(folder.path().join("RPMS"))
        .unwrap()
        .flat_map(|architecture| fs::read_dir(architecture.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 161);
    sign(&top, &files[..40]);
    Built { folder, files }
});

/// Signs packages with a new key and leaves the public key in `key.asc`.
fn sign(top: &str, files: &[PathBuf]) {
    let home = format!("{top}/gnupg");
    fs::create_dir(&home).unwrap();
    let parameters = "%no-protection\nKey-Type: RSA\nKey-Length: 2048\nName-Email: sign@example.org\n%commit\n";
    let gpg = |args: &[&str], input: &[u8]| {
        let mut all = vec!["--homedir", &home, "--batch"];
        all.extend_from_slice(args);
        let output = authority("gpg", "gpg", &all, input);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    gpg(&["--gen-key"], parameters.as_bytes());
    fs::write(format!("{top}/key.asc"), gpg(&["--armor", "--export"], b"")).unwrap();
    let path = format!("_gpg_path {home}");
    let mut args = vec![
        "--define",
        "_gpg_name sign@example.org",
        "--define",
        &path,
        "--define",
        "__gpg /usr/bin/gpg",
        "--addsign",
    ];
    args.extend(files.iter().map(|file| file.to_str().unwrap()));
    let output = authority("rpm", "rpmsign", &args, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with rpm's database and an os-release.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        Self(rpm::root())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn rpm(&self, args: &[&str]) -> String {
        rpm::rpm(self.path(), args)
    }

    fn install(&self, files: &[PathBuf]) {
        rpm::install(self.path(), files, &["--nodeps"]);
    }

    /// What `rpm -qa` says, sorted, trusted keys left out.
    fn expected(&self) -> Vec<Vec<String>> {
        self.expected_of(&[])
    }

    fn expected_of(&self, args: &[&str]) -> Vec<Vec<String>> {
        let format = "%{NAME}\t%{EVR}\t%{ARCH}\t%{SOURCERPM}\t%{VENDOR}\t%{INSTALLTIME}\t%{RSAHEADER:pgpsig}\n";
        let text = self.rpm(&[args, &["-qa", "--qf", format]].concat());
        let mut packages: Vec<Vec<String>> = text
            .lines()
            .map(|line| line.split('\t').map(|word| word.replace("(none)", "")).collect())
            .filter(|fields: &Vec<String>| fields[0] != "gpg-pubkey")
            .map(|mut fields: Vec<String>| {
                // `RSA/SHA512, <date>, Key ID <id>`
                fields[6] = fields[6].rsplit(' ').next().unwrap_or_default().to_owned();
                fields
            })
            .collect();
        packages.sort();
        packages
    }

    /// The same from the probe's facts.
    fn found(&self) -> Vec<Vec<String>> {
        let facts = facts(self.path(), "packages");
        let word = |package: &Value, field: &str| package[field].as_str().map(str::to_owned);
        let mut packages: Vec<Vec<String>> = facts["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| {
                let name = word(package, "name").unwrap();
                let version = word(package, "version").unwrap();
                let source = word(package, "source").unwrap_or(name.clone());
                let unversioned = version.rsplit(':').next().unwrap().to_owned();
                let source_version = word(package, "source_version").unwrap_or(unversioned);
                let time = word(package, "installed_at").unwrap();
                let seconds = time.parse::<evidence::Timestamp>().unwrap().unix();
                vec![
                    name,
                    version,
                    word(package, "architecture").unwrap(),
                    format!("{source}-{source_version}.src.rpm"),
                    word(package, "vendor").unwrap_or_default(),
                    seconds.to_string(),
                    word(package, "signed_by").unwrap_or_default(),
                ]
            })
            .collect();
        packages.sort();
        packages
    }
}

#[test]
fn installed_packages_are_those_of_rpm() {
    let root = Root::new();
    root.rpm(&["--import", BUILT.folder.path().join("key.asc").to_str().unwrap()]);
    root.install(&BUILT.files);
    let expected = root.expected();
    assert_eq!(expected.len(), 161);
    assert_eq!(root.found(), expected);
    let facts = facts(root.path(), "packages");
    assert_eq!(facts["signatures"]["unsigned"].as_array().unwrap().len(), 121);
    let key = &facts["signatures"]["keys"][0];
    assert_eq!(key["packages"], 40);
    assert_eq!(facts["signatures"]["trusted_keys"][0], key["key_id"]);
    // Removed packages leave free pages, which others take.
    let names: Vec<String> = (0..80).map(|number| format!("part-{}", number * 2)).collect();
    let mut args = vec!["-e"];
    args.extend(names.iter().map(String::as_str));
    root.rpm(&args);
    assert_eq!(root.found(), root.expected());
    let again = BUILT.files.iter().filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        names.iter().any(|removed| name.starts_with(&format!("{removed}-")))
    });
    root.install(&again.cloned().collect::<Vec<_>>());
    assert_eq!(root.found(), root.expected());
}

/// While somebody reads, the log is not merged: the newest packages are in it alone.
#[test]
fn packages_that_are_in_the_log_alone() {
    let root = Root::new();
    root.install(&BUILT.files[..60]);
    let path = root.path().join("var/lib/rpm/rpmdb.sqlite");
    let mut reader = Command::new("sqlite3")
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("install it: apt-get install sqlite3");
    let mut input = reader.stdin.take().unwrap();
    input.write_all(b"begin; select count(*) from Packages;\n").unwrap();
    let mut line = String::new();
    BufReader::new(reader.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line.trim(), "60");
    root.install(&BUILT.files[60..]);
    root.rpm(&["-e", "part-0", "part-1"]);
    let log = fs::metadata(path.with_extension("sqlite-wal")).unwrap();
    assert!(log.len() > 1_000_000, "{}", log.len());
    assert_eq!(root.found(), root.expected());
    let whole = root.found().len();
    // Without the log they are not there: the test would see it if the log were not read.
    let copy = Root::new();
    fs::copy(&path, copy.path().join("var/lib/rpm/rpmdb.sqlite")).unwrap();
    for rest in ["rpmdb.sqlite-wal", "rpmdb.sqlite-shm"] {
        let _ = fs::remove_file(copy.path().join("var/lib/rpm").join(rest));
    }
    assert!(copy.found().len() < whole);
    drop(input);
    reader.wait().unwrap();
}

/// SQLite's other forms: pages of other sizes, no log, unused room at the end of pages.
#[test]
fn other_forms_of_the_database() {
    let root = Root::new();
    root.install(&BUILT.files);
    let expected = root.expected();
    let path = root.path().join("var/lib/rpm/rpmdb.sqlite");
    for size in [512, 1_024, 8_192, 65_536] {
        let script = format!("pragma journal_mode=delete; pragma page_size={size}; vacuum;");
        let output = authority("sqlite3", "sqlite3", &[path.to_str().unwrap(), &script], b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(root.found(), expected, "pages of {size} bytes");
    }
}

/// The form of RHEL 8 and SLES 12, which rpm of today reads and does not write: made by Berkeley DB's own program.
#[test]
fn databases_of_berkeley_db() {
    let root = Root::new();
    root.rpm(&["--import", BUILT.folder.path().join("key.asc").to_str().unwrap()]);
    root.install(&BUILT.files);
    let database = root.path().join("var/lib/rpm/rpmdb.sqlite");
    let script = "select hnum, hex(blob) from Packages";
    let rows = authority("sqlite3", "sqlite3", &[database.to_str().unwrap(), script], b"").stdout;
    let rows = String::from_utf8(rows).unwrap();
    let rows: Vec<(u32, &str)> = rows
        .lines()
        .map(|row| row.split_once('|').unwrap())
        .map(|(number, blob)| (number.parse().unwrap(), blob))
        .collect();
    assert_eq!(rows.len(), 162);
    for (order, big_endian) in [("1234", false), ("4321", true)] {
        for size in [512, 1_024, 4_096, 8_192, 65_536] {
            let old = Root::new();
            let word = |number: u32| {
                let bytes = if big_endian {
                    number.to_be_bytes()
                } else {
                    number.to_le_bytes()
                };
                bytes.map(|byte| format!("{byte:02x}")).concat()
            };
            let mut dump = format!(
                "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize={size}\ndb_lorder={order}\nHEADER=END\n {}\n {}\n",
                word(0),
                word(9_999)
            );
            for (number, blob) in &rows {
                dump += &format!(" {}\n {}\n", word(*number), blob.to_ascii_lowercase());
            }
            dump += "DATA=END\n";
            let folder = old.path().join("var/lib/rpm");
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
            let path = folder.join("Packages");
            let made = authority("db5.3-util", "db5.3_load", &[path.to_str().unwrap()], dump.as_bytes());
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let expected = old.expected_of(&["--define", "_db_backend bdb_ro"]);
            assert_eq!(expected.len(), 161);
            assert_eq!(old.found(), expected, "pages of {size} bytes, {order}");
            let facts = facts(old.path(), "packages");
            // Whose packages are of no host's architecture, as those made here are.
            let architecture = "/var/lib/rpm/Packages: neither rpm, glibc, bash nor filesystem is there to tell the host's architecture";
            assert_eq!(facts["unparsed"], serde_json::json!([architecture]));
            assert_eq!(facts["signatures"]["trusted_keys"].as_array().unwrap().len(), 1);
        }
    }
}
