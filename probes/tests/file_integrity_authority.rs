//! AIDE's configuration and databases beside AIDE itself, and which software there is beside dpkg.

#![cfg(test)]

mod machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use machine::{Machine, authority, facts_of};
use serde_json::Value;

/// What stands for the folder's own path in a configuration: AIDE reads the machine's files, the probe those of the folder.
const ROOT: &str = "ROOT";

/// A host with AIDE as a folder.
struct Host {
    folder: tempfile::TempDir,
    /// A copy of its configuration in which paths are the machine's.
    copy: tempfile::TempDir,
}

/// What both tell.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    database: Option<String>,
    new_database: Option<String>,
    included: u64,
    selections: u64,
    exclusions: u64,
    attributes: BTreeMap<String, u64>,
    reports: BTreeSet<String>,
}

impl Host {
    fn new() -> Self {
        let host = Self {
            folder: tempfile::tempdir().unwrap(),
            copy: tempfile::tempdir().unwrap(),
        };
        host.write("usr/bin/aide", "");
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        host.write("proc/sys/kernel/hostname", &name);
        host
    }

    fn write(&self, path: &str, text: &str) {
        for (root, text) in [
            (self.folder.path(), text.replace(ROOT, "")),
            (self.copy.path(), text.replace(ROOT, self.copy.path().to_str().unwrap())),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn aide(&self, args: &[&str]) -> (i32, String) {
        let config = self.copy.path().join("etc/aide/aide.conf");
        let args = [&["-c", config.to_str().unwrap()], args].concat();
        let output = authority("aide", "/usr/bin/aide", &args, b"");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// `None`: AIDE refuses the configuration.
    fn by_aide(&self) -> Option<Told> {
        let (status, said) = self.aide(&["-L", "config", "--config-check"]);
        if status != 0 {
            return None;
        }
        // Lines with bars tell how it parsed.
        let lines = || said.lines().filter(|line| !line.contains(['│', '┬', '┴']));
        let count = |marks: &[&str]| {
            lines()
                .filter(|line| marks.iter().any(|mark| line.contains(mark)))
                .count() as u64
        };
        let set = |option: &str| {
            let mark = format!(": set '{option}' option to 'file:");
            let path = lines()
                .find_map(|line| line.split_once(&mark)?.1.split_once("' (line"))?
                .0;
            Some(path.replace(self.copy.path().to_str().unwrap(), ""))
        };
        let mut attributes = BTreeMap::new();
        let marks = [": add selective rule '", ": add equal rule '"];
        for line in lines().filter(|line| marks.iter().any(|mark| line.contains(mark))) {
            // … rule 'PATH TYPES ATTRIBUTES' to node …
            let rule = line.split_once("' to node '").unwrap().0;
            let told = rule.rsplit_once(' ').unwrap().1;
            for attribute in told.split('+').filter(|attribute| !attribute.is_empty()) {
                *attributes.entry(attribute.to_owned()).or_default() += 1;
            }
        }
        let mut reports = BTreeSet::new();
        for line in lines() {
            // The default has no line.
            let set = line.split_once(": set 'report_url' to '");
            if let Some((url, _)) = set.and_then(|(_, rest)| rest.split_once("' (line")) {
                let url = url.replace(self.copy.path().to_str().unwrap(), "");
                let url = url.trim_end_matches(':');
                let url = url.strip_prefix("file:").unwrap_or(url);
                reports.insert(url.strip_prefix("//").unwrap_or(url).to_owned());
            }
        }
        if reports.is_empty() {
            reports.insert("stdout".to_owned());
        }
        Some(Told {
            attributes,
            reports,
            database: set("database_in"),
            new_database: set("database_out").or_else(|| set("database_new")),
            included: count(&[": include '", ": include file '"]),
            selections: count(&[": add selective rule '", ": add equal rule '"]),
            exclusions: count(&[": add negative rule '"]),
        })
    }

    fn aide_facts(&self) -> Value {
        let facts = facts(&Machine::folder(self.folder.path()));
        assert_eq!(facts["aide"]["outcome"], "observed", "{facts}");
        facts["aide"]["value"].clone()
    }

    fn by_probe(&self) -> Told {
        let facts = self.aide_facts();
        let number = |name: &str| facts[name].as_u64().unwrap();
        let new = facts["new_database_day"]["detail"].as_str().unwrap();
        let attributes = facts["attributes"].as_array().unwrap().iter();
        let reports = facts["reports"].as_array().unwrap().iter();
        Told {
            attributes: attributes
                .map(|one| {
                    (
                        one["name"].as_str().unwrap().to_owned(),
                        one["selections"].as_u64().unwrap(),
                    )
                })
                .collect(),
            reports: reports.map(|one| one.as_str().unwrap().to_owned()).collect(),
            database: facts["database"].as_str().map(str::to_owned),
            new_database: new.strip_suffix(" is not there").map(str::to_owned),
            included: number("included"),
            selections: number("selections"),
            exclusions: number("exclusions"),
        }
    }
}

fn facts(machine: &Machine) -> Value {
    facts_of("file-integrity", machine)
}

/// Configurations with something to get wrong each.
const CONFIGURATIONS: &[&str] = &[
    "/etc p\n",
    "database_in=file:/a\ndatabase_in=file:/b\ndatabase_out=file:/c\ndatabase_out=file:/d\n/etc p\n",
    "database=file:/old\ndatabase_in=file:/new\n",
    "database_in = file:///a/@@{HOSTNAME}.db \n",
    "database_out=file:/c\ndatabase_new=file:/d\n",
    "database_new=file:/d\ndatabase_out=file:/c\n",
    "@@define D /srv/db\ndatabase_in=file:@@{D}/aide.db\n@@undef D\ndatabase_out=file:/x@@{D}/aide.db\n",
    "@@define A x\n@@if defined A\n/1 p\n@@else\n/2 p\n!/3\n@@endif\n",
    "@@if not defined A\n/1 p\n@@if defined B\n/2 p\n@@else\n/3 p\n!/4\n@@endif\n@@endif\n=/5 p\n",
    "@@if not not defined A\n/1 p\n@@else\n/2 p\n/3 p\n@@endif\n",
    "@@ifdef A\n/1 p\n@@endif\n@@ifndef A\n/2 p\n/3 p\n@@endif\n",
    "@@ifhost nobody\n/1 p\n@@else\n/2 p\n/3 p\n@@endif\n@@ifnhost nobody\n/4 p\n@@endif\n",
    "@@if hostname @@{HOSTNAME}\n/1 p\n@@endif\n@@if not hostname nobody\n!/2\n@@endif\n",
    "@@if exists ROOT/etc/aide/aide.conf\n/1 p\n@@else\n/2 p\n/3 p\n@@endif\n@@if exists ROOT/nowhere\n!/4\n@@endif\n",
    "@@define D ROOT/etc\n@@if exists @@{D}/aide\n/1 p\n@@endif\n",
    "@@if defined A\n@@define B x\n@@include ROOT/nowhere\n@@endif\n@@if defined B\n/1 p\n@@endif\n/2 p\n",
    "  /1 p\n\t!/2\n  # /3 p\n#/4 p\n\n =/5 p\n",
    "/a\\ b p\n/c=d p\n/e%20f p\nX = p+sha256\n/g X\n/h f,d X\n!/i f\n",
    "@@include ROOT/etc/aide/one\n@@include ROOT/etc/aide/one\n@@x_include ROOT/etc/aide/one\n",
    "@@include ROOT/etc/aide/d ^[a-z]+$\n",
    "@@include ROOT/etc/aide/d \\.conf$\n",
    "@@include ROOT/etc/aide/d b\n",
    "@@include ROOT/etc/aide/d ^(a|b\\.conf)$ /prefix\n",
    "@@include ROOT/etc/aide/d .*\n/after p\n",
    "@@x_include ROOT/etc/aide/d ^.$\n",
    "@@define DB /first\n@@include ROOT/etc/aide/database\n@@define DB /second\n@@include ROOT/etc/aide/database\n",
    "@@include ROOT/etc/aide/database\ndatabase_in=file:/main\n",
    "@@include ROOT/etc/aide/defines\n@@if defined INSIDE\n/1 p\n@@endif\n",
    "@@define P ROOT/etc/aide\n@@include @@{P}/one\n@@include @@{P}/d ^a$\n",
    "config_version=/1\ndatabase_attrs=sha256\ngzip_dbout=no\nreport_url=file:/var/log/x\n/1 p\n",
    "Full = R+acl-sha1\nFull2 = p+u+Full\nH2 = H-md5\nAll = E+sha256+acl\nMine = >\n/1 Full\n/2 Mine+xattrs\n/3 L\n/4 f,d H2\n=/5 All\n/6 Full2-Full\n",
    "A = p\nB = A+u\nA = g\n/1 A\n/2 B\n",
    "/1 X-caps\n/2 R-X-md5\n/3 >-growing\n/4 f R+ANF+ARF+I\n/5 p+compressed+growing\n",
    "/1 p + u - p\nA = p + g\n/2 A\n",
    "report_url=stdout\nreport_url=syslog:LOG_AUTH\nreport_url=stderr\nreport_url=file:/a\nreport_url=file:///b\n/1 p\n",
    "Checksums = sha256+sha512+rmd160+haval+gost+crc32+tiger+whirlpool\nOwnerMode = p+u+g+ftype\nSize = s+b\nInodeData = OwnerMode+n+i+Size+l+X\nStaticFile = m+c+Checksums\nFull = InodeData+StaticFile\n/ 0 Full\n",
];

fn write_parts(host: &Host) {
    host.write("etc/aide/one", "/one p\n!/one/two\n");
    host.write("etc/aide/database", "database_in=file:@@{DB}/aide.db\n");
    host.write("etc/aide/defines", "@@define INSIDE x\n@@include ROOT/etc/aide/one\n");
    host.write("etc/aide/d/a", "/a p\n");
    host.write("etc/aide/d/b.conf", "/b p\n/bb p\n");
    host.write("etc/aide/d/c~", "!/c\n");
    host.write("etc/aide/d/sub/d", "/d p\n");
}

#[test]
fn configurations_as_aide_reads_them() {
    let host = Host::new();
    write_parts(&host);
    let mut wrong = String::new();
    for text in CONFIGURATIONS {
        host.write("etc/aide/aide.conf", text);
        let (ours, theirs) = (host.by_probe(), host.by_aide());
        if theirs.as_ref() != Some(&ours) {
            let _ = writeln!(wrong, "{text}\n  ours {ours:?}\n  AIDE {theirs:?}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Lines that are put together in any order.
const LINES: &[&str] = &[
    "/a p",
    "=/b p",
    "/h G",
    "/i f,l R-G",
    "=/j K+G-md5",
    "G = p+u+sha256",
    "G = H-sha1",
    "K = L",
    "K = >+G",
    "!/c",
    "database_in=file:/d/@@{A}",
    "database_out=file:/e@@{B}",
    "database_new=file:/f",
    "@@define A x",
    "@@define B /y@@{A}",
    "@@undef A",
    "@@undef B",
    "@@if defined A",
    "@@if not defined B",
    "@@if exists ROOT/etc/aide/one",
    "@@if not exists ROOT/etc/@@{A}",
    "@@ifdef B",
    "@@else",
    "@@endif",
    "@@endif",
    "@@endif",
    "@@include ROOT/etc/aide/one",
    "@@include ROOT/etc/aide/d ^[@@{A}a-z]$",
    "# /g p",
];

#[test]
fn lines_in_any_order() {
    let host = Host::new();
    write_parts(&host);
    // xorshift: the same configurations in every run.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % limit
    };
    let (mut compared, mut refused, mut wrong) = (0, 0, String::new());
    for _ in 0..1_000 {
        let mut open: Vec<bool> = vec![];
        let mut text = String::new();
        for _ in 0..=below(14) {
            let line = LINES[below(LINES.len())];
            match line {
                "@@else" if open.last() != Some(&false) => continue,
                "@@else" => *open.last_mut().unwrap() = true,
                "@@endif" if open.pop().is_none() => continue,
                _ if line.starts_with("@@if") => open.push(false),
                _ => {}
            }
            let _ = writeln!(text, "{line}");
        }
        text.push_str(&"@@endif\n".repeat(open.len()));
        host.write("etc/aide/aide.conf", &text);
        let Some(theirs) = host.by_aide() else {
            refused += 1;
            continue;
        };
        compared += 1;
        let ours = host.by_probe();
        if ours != theirs {
            let _ = writeln!(wrong, "{text}\n  ours {ours:?}\n  AIDE {theirs:?}");
        }
    }
    println!("{compared} compared, {refused} refused by AIDE");
    assert!(compared > 250, "{compared} compared, {refused} refused");
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The configuration that Debian brings, each script in it replaced by what it prints.
#[test]
fn the_configuration_of_debian() {
    let host = Host::new();
    let main = fs::read_to_string("/etc/aide/aide.conf").expect("apt-get install aide-common");
    host.write("etc/aide/aide.conf", &main.replace(" /etc/aide/", " ROOT/etc/aide/"));
    let mut scripts = 0;
    for entry in fs::read_dir("/etc/aide/aide.conf.d").unwrap() {
        let entry = entry.unwrap();
        let name = format!("etc/aide/aide.conf.d/{}", entry.file_name().to_str().unwrap());
        if entry.metadata().unwrap().permissions().mode() & 0o111 == 0 {
            host.write(&name, &fs::read_to_string(entry.path()).unwrap());
            continue;
        }
        scripts += 1;
        let ran = Command::new(entry.path())
            .env("UPAC_settingsd", "/etc/aide/aide.settings.d")
            .output()
            .unwrap();
        assert!(ran.status.success(), "{name}");
        host.write(&name, &String::from_utf8(ran.stdout).unwrap());
    }
    let (ours, theirs) = (host.by_probe(), host.by_aide());
    println!("{ours:?}, {scripts} scripts");
    assert_eq!(Some(&ours), theirs.as_ref());
    assert!(ours.selections > 500 && ours.included > 150, "{ours:?}");
}

#[test]
fn databases_that_aide_made() {
    for gzip in ["no", "yes"] {
        let host = Host::new();
        let config = format!(
            "database_in=file:ROOT/db/aide.db\ndatabase_out=file:ROOT/db/aide.db.new\ngzip_dbout={gzip}\nROOT/tree p+sha256\n"
        );
        host.write("etc/aide/aide.conf", &config);
        host.write("tree/file", "content");
        host.write("db/other", "");
        // AIDE compares with nothing: it says so, and so does the probe.
        let (status, said) = host.aide(&["--check"]);
        assert!(status >= 14 && said.contains("aide.db"), "{status} {said}");
        let before = host.aide_facts();
        assert_eq!(before["database_day"]["outcome"], "absent");
        assert_eq!(before["new_database_day"]["outcome"], "absent");

        assert_eq!(host.aide(&["--init"]).0, 0);
        fs::copy(
            host.copy.path().join("db/aide.db.new"),
            host.folder.path().join("db/aide.db.new"),
        )
        .unwrap();
        let made = host.aide_facts();
        assert_eq!(made["database_day"]["outcome"], "absent");
        assert_eq!(
            made["new_database_day"]["value"],
            day(&host.folder.path().join("db/aide.db.new"))
        );

        for root in [&host.folder, &host.copy] {
            fs::rename(root.path().join("db/aide.db.new"), root.path().join("db/aide.db")).unwrap();
        }
        assert_eq!(host.aide(&["--check"]).0, 0);
        let moved = host.aide_facts();
        assert_eq!(
            moved["database_day"]["value"],
            day(&host.folder.path().join("db/aide.db"))
        );
        assert_eq!(moved["new_database_day"]["outcome"], "absent");
    }
}

/// What the dynamic linker itself makes of `/etc/ld.so.preload`: it names each library that it cannot find.
#[test]
fn libraries_that_the_linker_would_load() {
    let mut compared = 0;
    for text in [
        "/nowhere/a.so\n",
        "/nowhere/a.so /nowhere/b.so\n",
        "/nowhere/a.so:/nowhere/b.so\tc-nowhere.so\n",
        "# /nowhere/a.so\n/nowhere/b.so # /nowhere/c.so\n",
        "\n\n  /nowhere/a.so\n\n/nowhere/b.so",
        "/nowhere/a#b.so\n",
        "#\n",
        " : : /nowhere/a.so : \n",
        "/nowhere/a.so/nowhere/b.so\n/nowhere/c.so#\n/nowhere/d.so\n",
    ] {
        let host = tempfile::tempdir().unwrap();
        fs::create_dir_all(host.path().join("etc")).unwrap();
        fs::create_dir_all(host.path().join("work")).unwrap();
        fs::write(host.path().join("etc/ld.so.preload"), text).unwrap();
        // An `/etc` of its own for one process: the machine's own programs must not see it.
        let script = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w && cp \"$1\" /mnt/u/ && \
                      mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc && exec /bin/true";
        let file = host.path().join("etc/ld.so.preload");
        let args = ["--mount", "sh", "-c", script, "sh", file.to_str().unwrap()];
        let said = authority("util-linux", "/usr/bin/unshare", &args, b"");
        let said = String::from_utf8(said.stderr).unwrap();
        let theirs: BTreeSet<String> = said
            .lines()
            .map(|line| {
                let rest = line
                    .split_once("ERROR: ld.so: object '")
                    .unwrap_or_else(|| panic!("{said}"))
                    .1;
                rest.split_once("' from /etc/ld.so.preload cannot be preloaded")
                    .unwrap()
                    .0
                    .to_owned()
            })
            .collect();
        let facts = facts(&Machine::folder(host.path()));
        let ours = facts["preload"]["value"].as_array().unwrap().iter();
        let ours: BTreeSet<String> = ours.map(|one| one["path"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ours, theirs, "{text:?}");
        compared += 1;
    }
    assert_eq!(compared, 9);
}

/// The day of a file's last change as date(1) tells it.
fn day(path: &Path) -> String {
    let args = ["-u", "-r", path.to_str().unwrap(), "+%FT00:00:00Z"];
    let output = authority("coreutils", "/usr/bin/date", &args, b"");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Packages of Debian that bring the software of the same name.
const PACKAGES: [&str; 8] = [
    "afick",
    "aide",
    "chkrootkit",
    "debsums",
    "integrit",
    "rkhunter",
    "samhain",
    "tripwire",
];

/// What is installed on this machine, and the timers and scripts of cron that its packages bring.
#[test]
fn software_of_this_machine_is_what_dpkg_installed() {
    let facts = facts(&Machine::this());
    let software = facts["software"].as_array().unwrap();
    let mut found = 0;
    for package in PACKAGES {
        let args = ["-W", "-f", "${db:Status-Status}", package];
        let query = authority("dpkg", "/usr/bin/dpkg-query", &args, b"");
        let installed = query.status.success() && query.stdout == b"installed";
        let told = software.iter().find(|one| one["product"] == package);
        assert_eq!(told.is_some(), installed, "{package}: {told:?}");
        found += u32::from(installed);
    }
    assert!(found > 1, "apt-get install aide debsums");
    // The timer that its package brings is told to start it.
    let listed = authority("dpkg", "/usr/bin/dpkg-query", &["-L", "aide-common"], b"");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let timers = listed
        .lines()
        .filter_map(|line| Some(line.split_once("lib/systemd/system/")?.1))
        .filter(|unit| unit.strip_suffix(".timer").is_some());
    let jobs = &software.iter().find(|one| one["product"] == "aide").unwrap()["jobs"];
    let told = jobs.as_array().unwrap().iter().filter(|job| job["kind"] == "timer");
    let told: Vec<&str> = told.map(|job| job["place"].as_str().unwrap()).collect();
    assert_eq!(told, timers.collect::<Vec<_>>(), "{jobs}");
    assert_eq!(told.len(), 1, "apt-get install aide-common");
}
