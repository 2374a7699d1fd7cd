//! Pending updates against dnf and zypper: repositories made by rpmbuild and createrepo_c, packages installed into a folder.
//!
//! Needs the packages rpm, createrepo-c, dnf, zypper, zstd, xz-utils and zchunk.

#![cfg(test)]

#[path = "../machine/mod.rs"]
mod machine;
mod modules;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
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
}

fn run(package: &str, program: &str, args: &[&str]) -> String {
    let output = authority(package, program, args, b"");
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

const NAMES: usize = 40;
const VERSIONS: [&str; 8] = ["1.0~rc1", "1.0", "1.0^git", "1.0.1", "1.2", "1.10", "2", "2a"];

/// Packages made for these tests.
struct Built {
    folder: tempfile::TempDir,
    /// To be installed.
    installed: Vec<PathBuf>,
}

/// An entry of the list of advisories.
fn advisory(number: usize, packages: &[(String, String, String)], numbers: &mut Numbers) -> String {
    let kind = ["security", "bugfix", "enhancement"][numbers.below(3)];
    let severity = ["Critical", "Important", "Moderate", "Low"][numbers.below(4)];
    let packages: String = packages
        .iter()
        .map(|(name, evr, architecture)| {
            let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
            let (version, release) = rest.rsplit_once('-').unwrap();
            format!(
                "<package name=\"{name}\" version=\"{version}\" release=\"{release}\" epoch=\"{epoch}\" \
                 arch=\"{architecture}\" src=\"x\"><filename>x.rpm</filename></package>"
            )
        })
        .collect();
    format!(
        "<update from=\"x\" status=\"final\" type=\"{kind}\" version=\"1\"><id>EX-{number}</id><title>A &amp; B</title>\
         <severity>{severity}</severity><issued date=\"2024-01-01 00:00:00\"/><references><reference href=\"h\" \
         id=\"CVE-2024-{number}\" type=\"cve\" title=\"x\"/></references><pkglist><collection short=\"c\"><name>c</name>\
         {packages}</collection></pkglist></update>\n"
    )
}

/// Builds one spec whose parts are the packages; returns their files with name, version and architecture.
fn build(top: &str, spec_name: &str, numbers: &mut Numbers) -> Vec<(PathBuf, (String, String, String))> {
    let mut spec =
        format!("Name: whole-{spec_name}\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n%description\nx\n");
    let mut made = vec![];
    for number in 0..NAMES {
        let name = format!("part-{number}");
        let version = VERSIONS[numbers.below(VERSIONS.len())];
        let release = format!("{}.fc42", 1 + numbers.below(3));
        let epoch = [0, 0, 0, 0, 0, 1][numbers.below(6)];
        // A few change between an architecture and none.
        let architecture = if (number % 3 == 0) == (numbers.below(10) > 0) {
            "noarch"
        } else {
            "x86_64"
        };
        let epoch_line = if epoch > 0 {
            format!("Epoch: {epoch}\n")
        } else {
            String::new()
        };
        let architecture_line = if architecture == "noarch" {
            "BuildArch: noarch\n"
        } else {
            ""
        };
        spec += &format!(
            "%package -n {name}\nSummary: x\nVersion: {version}\nRelease: {release}\n{epoch_line}{architecture_line}\
             %description -n {name}\nx\n%files -n {name}\n"
        );
        let file = PathBuf::from(format!(
            "{top}/{spec_name}/RPMS/{architecture}/{name}-{version}-{release}.{architecture}.rpm"
        ));
        let shown = if epoch > 0 {
            format!("{epoch}:{version}-{release}")
        } else {
            format!("{version}-{release}")
        };
        made.push((file, (name, shown, architecture.to_owned())));
    }
    let path = format!("{top}/{spec_name}.spec");
    fs::write(&path, spec).unwrap();
    rpm::build(&format!("{top}/{spec_name}"), &path, &["--target", "x86_64"]);
    made
}

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let folder = rpm::folder();
    let top = folder.path().to_str().unwrap().to_owned();
    let mut numbers = Numbers(0x0123_4567_89ab_cdef);
    let installed = build(&top, "installed", &mut numbers);
    for repository in ["one", "two"] {
        let place = format!("{top}/repository-{repository}");
        fs::create_dir(&place).unwrap();
        let mut updates = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>\n".to_owned();
        for round in 0..3 {
            for (number, (file, package)) in build(&top, &format!("{repository}{round}"), &mut numbers)
                .into_iter()
                .enumerate()
            {
                // Not every package is in every repository.
                if numbers.below(3) == 0 {
                    continue;
                }
                fs::copy(&file, Path::new(&place).join(file.file_name().unwrap())).unwrap();
                if numbers.below(2) == 0 {
                    let id = round * 100 + number + if repository == "one" { 0 } else { 1_000 };
                    updates += &advisory(id, &[package], &mut numbers);
                }
            }
        }
        fs::write(format!("{top}/updateinfo.xml"), updates + "</updates>\n").unwrap();
        run("createrepo-c", "createrepo_c", &["-q", "--no-database", &place]);
        let repodata = format!("{place}/repodata");
        run(
            "createrepo-c",
            "modifyrepo_c",
            &["--mdtype=updateinfo", &format!("{top}/updateinfo.xml"), &repodata],
        );
    }
    Built {
        folder,
        installed: installed.into_iter().map(|(file, _)| file).collect(),
    }
});

/// A folder with packages, two repositories and dnf's cache of them.
struct Root(tempfile::TempDir);

impl Root {
    fn new(conf: &str, one: &str, two: &str) -> Self {
        let root = Self(rpm::folder());
        let path = root.path();
        for folder in ["etc/dnf", "etc/yum.repos.d", "home", "var/lib/rpm"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
        write("etc/os-release", "ID=fedora\nVERSION_ID=42\n");
        write("home/.rpmmacros", "%_dbpath /var/lib/rpm\n");
        write("etc/dnf/dnf.conf", &format!("[main]\ngpgcheck=0\n{conf}"));
        let top = BUILT.folder.path().display();
        write(
            "etc/yum.repos.d/all.repo",
            &format!(
                "[one]\nname=One\nbaseurl=file://{top}/repository-one\n{one}\n[two]\nname=Two\ngpgcheck=1\n\
                 gpgkey=file:///etc/key\nbaseurl=file://{top}/repository-two\n{two}\n\n[off]\nenabled=0\nbaseurl=file:///x\n"
            ),
        );
        rpm::install(path, &BUILT.installed, &[]);
        root.dnf(&["makecache"]);
        root
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn dnf(&self, args: &[&str]) -> String {
        let root = self.path().to_str().unwrap();
        let (home, repositories) = (
            format!("HOME={root}/home"),
            format!("--setopt=reposdir={root}/etc/yum.repos.d"),
        );
        let config = format!("{root}/etc/dnf/dnf.conf");
        let mut all = vec![
            &home,
            "dnf",
            "-q",
            "--installroot",
            root,
            "--releasever",
            "42",
            "--forcearch",
            "x86_64",
            &repositories,
            "--config",
            &config,
        ];
        all.extend_from_slice(args);
        let output = authority("dnf", "env", &all, b"");
        // 100: there are updates.
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 100)),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// `name.architecture` of what is installed.
    fn installed(&self) -> BTreeSet<String> {
        let text = rpm::rpm(self.path(), &["-qa", "--qf", "%{NAME}.%{ARCH}\n"]);
        text.lines().map(str::to_owned).collect()
    }

    fn facts(&self) -> Value {
        let probe = probes::registry::all()
            .into_iter()
            .find(|probe| probe.spec.id == "package-updates");
        let document = probe.unwrap().collect(&Machine::folder(self.path())).remove(0);
        assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
        document.facts.unwrap()
    }

    /// `name.architecture` → version, of `dnf check-update`.
    fn expected(&self) -> BTreeMap<String, (String, String)> {
        let text = self.dnf(&["-C", "check-update"]);
        let rows = text
            .lines()
            .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.len() == 3)
            .map(|row| (row[0].to_owned(), (row[1].to_owned(), row[2].to_owned())))
            .collect()
    }

    fn agreed(&self) -> Value {
        let facts = self.facts();
        assert_eq!(facts["complete"], true, "{}", facts["incomplete"]);
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let found: BTreeMap<String, (String, String)> = facts["upgrades"]
            .as_array()
            .unwrap()
            .iter()
            .map(|upgrade| {
                let origins = upgrade["origins"].as_array().unwrap();
                (
                    format!("{}.{}", word(&upgrade["name"]), word(&upgrade["architecture"])),
                    (
                        word(&upgrade["candidate"]),
                        origins.iter().map(word).collect::<Vec<_>>().join(","),
                    ),
                )
            })
            .collect();
        let expected = self.expected();
        let versions = |all: &BTreeMap<String, (String, String)>| -> BTreeMap<String, String> {
            all.iter()
                .map(|(name, (version, _))| (name.clone(), version.clone()))
                .collect()
        };
        assert_eq!(versions(&found), versions(&expected));
        for (name, (_, origin)) in &expected {
            assert!(
                found[name].1.split(',').any(|found| found == origin),
                "{name}: {}",
                found[name].1
            );
        }
        facts
    }
}

/// `id name.architecture` of each advisory and package that it updates.
fn advisories(facts: &Value, kind: Option<&str>) -> BTreeSet<String> {
    let all = facts["rpm"]["advisories"].as_array().unwrap().iter();
    all.filter(|advisory| kind.is_none_or(|kind| advisory["kind"] == kind))
        .flat_map(|advisory| {
            let id = advisory["id"].as_str().unwrap().to_owned();
            let packages = advisory["packages"].as_array().unwrap().iter();
            packages
                .map(move |package| format!("{id} {}", package.as_str().unwrap().replace(':', ".")))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn listed(text: &str) -> BTreeSet<String> {
    // EX-1 Important/Sec. part-1-1.0-1.fc42.noarch
    let rows = text
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() == 3)
        .map(|row| {
            let (rest, architecture) = row[2].rsplit_once('.').unwrap();
            let name = rest.rsplitn(3, '-').nth(2).unwrap();
            format!("{} {name}.{architecture}", row[0])
        })
        .collect()
}

#[test]
fn updates_are_those_of_dnf() {
    let root = Root::new("", "", "");
    let facts = root.agreed();
    let count = facts["upgrades"].as_array().unwrap().len();
    assert!(count > 10 && count < NAMES, "{count}");
    assert_eq!(
        advisories(&facts, None),
        listed(&root.dnf(&["-C", "updateinfo", "list"]))
    );
    let security = advisories(&facts, Some("security"));
    assert!(!security.is_empty());
    assert_eq!(security, listed(&root.dnf(&["-C", "updateinfo", "list", "--security"])));
    assert_eq!(facts["security_source"], true);
    assert_eq!(
        (&facts["disabled_sources"], facts["sources"].as_array().unwrap().len()),
        (&1.into(), 2)
    );
    assert_eq!(facts["sources"][0]["authentication"]["unauthenticated"], true);
    assert_eq!(facts["sources"][1]["authentication"]["unauthenticated"], false);
    assert_eq!(facts["last_update"]["outcome"], "observed");
    assert_eq!(facts["withheld"], Value::Array(vec![]));
    // Packages that no repository has: `dnf list extras`.
    let text = root.dnf(&["-C", "list", "--extras"]);
    let rows = text
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let extras: BTreeSet<String> = rows.filter(|row| row.len() == 3).map(|row| row[0].to_owned()).collect();
    let unlisted = facts["unlisted"].as_array().unwrap().iter();
    let unknown = unlisted.filter(|package| package["offered"] == false);
    let word = |package: &Value, field: &str| package[field].as_str().unwrap().to_owned();
    let unknown: BTreeSet<String> = unknown
        .map(|package| format!("{}.{}", word(package, "name"), word(package, "architecture")))
        .collect();
    assert_eq!(unknown, extras);
}

/// `dnf check-update --security` tells the security updates apart.
#[test]
fn security_updates_are_those_of_dnf() {
    let root = Root::new("", "", "");
    let text = root.dnf(&["-C", "check-update", "--security"]);
    let expected: BTreeSet<String> = text
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
        .filter(|row| row.len() == 3)
        .map(|row| row[0].to_owned())
        .collect();
    let facts = root.facts();
    let found: BTreeSet<String> = facts["upgrades"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|upgrade| upgrade["security"] == true)
        .map(|upgrade| {
            format!(
                "{}.{}",
                upgrade["name"].as_str().unwrap(),
                upgrade["architecture"].as_str().unwrap()
            )
        })
        .collect();
    assert!(expected.len() > 5 && found.is_superset(&expected));
    // dnf asks for the advisory's architecture among what is installed, and so overlooks packages that change theirs.
    let installed = root.installed();
    for more in found.difference(&expected) {
        assert!(!installed.contains(more), "{more}");
    }
    assert!(expected.iter().all(|name| installed.contains(name)));
}

#[test]
fn excludes_and_priorities_count_as_they_do_for_dnf() {
    for (conf, one, two) in [
        ("excludepkgs=part-1*\n", "", ""),
        ("exclude=part-2?, part-3\n  *.noarch\n", "", ""),
        ("includepkgs=part-*1\n", "", ""),
        ("", "excludepkgs=part-*", ""),
        ("", "includepkgs=part-5 part-6*", ""),
        ("", "priority=10", ""),
        ("", "", "priority=10\nexcludepkgs=part-1?"),
        ("", "enabled=0", ""),
        ("excludepkgs=part-*-1.0*\n", "", ""),
    ] {
        let root = Root::new(conf, one, two);
        let facts = root.agreed();
        let withheld = facts["withheld"].as_array().unwrap().len();
        assert!(withheld > 0 || one == "enabled=0", "{conf} {one} {two}");
    }
}

/// Where dnf knows nothing of a repository, the facts say that they are not complete.
#[test]
fn missing_metadata_is_a_gap() {
    let root = Root::new("", "", "");
    let cache = root.path().join("var/cache/dnf");
    let folders = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    let two = folders
        .filter(|path| path.is_dir())
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("two-"))
        .unwrap();
    fs::remove_dir_all(two).unwrap();
    let facts = root.facts();
    assert_eq!(facts["complete"], false);
    assert_eq!(facts["incomplete"][0], "two: no metadata of it is in the cache");
    assert_eq!(facts["sources"][1]["release"]["outcome"], "absent");
    assert_eq!(facts["last_update"]["outcome"], "absent");
}

/// Lists packed as Fedora, EPEL and newer versions of createrepo_c do.
#[test]
fn lists_packed_otherwise() {
    let root = Root::new("", "", "");
    let expected = root.agreed()["upgrades"].clone();
    let cache = root.path().join("var/cache/dnf");
    // Each one from the one before.
    let script = "for f in $(find . -name \"*.xml.$from\"); do f=${f%.$from}; eval \"$unpack\"; eval \"$pack\"; done; \
                  find . -name repomd.xml -exec sed -i \"s/\\.xml\\.$from/.xml.$to/; $rename\" {} +";
    let packings = [
        ["gz", "gzip -d $f.gz", "zst", "zstd -q -19 --rm $f", ""],
        ["zst", "zstd -q -d --rm $f.zst", "xz", "xz $f", ""],
        [
            "xz",
            "xz -d $f.xz",
            "zck",
            "zck -s '<package ' -o $f.zck $f; rm $f",
            // Under names of their own, beside others that are not in the cache.
            "s/type=\"primary\"/type=\"primary_zck\"/; s/type=\"updateinfo\"/type=\"updateinfo_zck\"/; \
             s,</repomd>,<data type=\"primary\"><location href=\"x-primary.xml.gz\"/></data></repomd>,",
        ],
    ];
    for [from, unpack, to, pack, rename] in packings {
        let settings = [
            ("from", from),
            ("unpack", unpack),
            ("to", to),
            ("pack", pack),
            ("rename", rename),
        ];
        let settings = settings.map(|(name, value)| format!("{name}={value}"));
        let mut args: Vec<&str> = vec!["-C", cache.to_str().unwrap()];
        args.extend(settings.iter().map(String::as_str));
        args.extend(["sh", "-e", "-c", script]);
        run("zstd, xz-utils and zchunk", "env", &args);
        let facts = root.facts();
        assert_eq!(
            (&facts["complete"], &facts["incomplete"]),
            (&true.into(), &Value::Array(vec![])),
            "{to}"
        );
        assert_eq!(facts["upgrades"], expected, "{to}");
        assert_eq!(facts["security_source"], true, "{to}");
        let ending = format!("*.xml.{to}");
        let packed = authority("findutils", "find", &[cache.to_str().unwrap(), "-name", &ending], b"");
        assert!(String::from_utf8(packed.stdout).unwrap().lines().count() >= 4, "{to}");
    }
}

/// The same by zypper, which has its own configuration and cache.
#[test]
fn updates_are_those_of_zypper() {
    let root = Root::new("", "", "");
    let path = root.path().to_str().unwrap();
    fs::create_dir_all(root.path().join("etc/zypp/repos.d")).unwrap();
    let top = BUILT.folder.path().display();
    for id in ["one", "two"] {
        let text =
            format!("[{id}]\nname={id}\nenabled=1\nautorefresh=0\ngpgcheck=0\nbaseurl=file://{top}/repository-{id}\n");
        fs::write(root.path().join(format!("etc/zypp/repos.d/{id}.repo")), text).unwrap();
    }
    let home = format!("HOME={path}/home");
    let zypper = |args: &[&str]| {
        let mut all = vec![&home, "zypper", "--root", path, "--non-interactive", "--no-gpg-checks"];
        all.extend_from_slice(args);
        let output = authority("zypper", "env", &all, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    };
    zypper(&["refresh"]);
    // S | Repository | Name | Current Version | Available Version | Arch
    let text = zypper(&["--no-refresh", "list-updates", "--all"]);
    let expected: BTreeSet<String> = text
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|row| row.len() == 6 && row[2] != "Name")
        .map(|row| format!("{} {} {} {}", row[2], row[3], row[4], row[5]))
        .collect();
    let facts = root.facts();
    assert_eq!(
        (&facts["complete"], &facts["incomplete"]),
        (&true.into(), &Value::Array(vec![]))
    );
    assert_eq!(facts["sources"][0]["file"], "/etc/zypp/repos.d/one.repo");
    let word = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
    // Like dnf the facts have each architecture that could be installed; zypper names the newest alone.
    let mut newest: BTreeMap<String, &Value> = BTreeMap::new();
    for one in facts["upgrades"].as_array().unwrap() {
        let known = newest.entry(word(one, "name")).or_insert(one);
        if rpm_version::compare(&word(one, "candidate"), &word(known, "candidate")) == Ordering::Greater {
            *known = one;
        }
    }
    let found: BTreeSet<String> = newest
        .values()
        .map(|one| {
            ["name", "installed", "candidate", "architecture"]
                .map(|field| word(one, field))
                .join(" ")
        })
        .collect();
    assert!(expected.len() > 10);
    assert_eq!(found, expected);
}
