//! The package probes against dpkg and apt: this machine, and a Debian root in which updates are pending.
//!
//! Needs root, the machine's own mirrors, and the packages mmdebstrap and distro-info-data.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use evidence::facts::{FactsDocument, Outcome};
use machine::{Machine, authority};
use probes::formats::debian_version;
use probes::reading::Host;
use serde_json::Value;

fn facts(host: &dyn Host, id: &str) -> Value {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == id)
        .expect("it is registered");
    let document: FactsDocument = probe.collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.expect("observed documents have facts")
}

/// `name:architecture` → (installed, candidate) of a list in the facts.
fn pairs(facts: &Value, list: &str) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let entries = facts[list].as_array().expect("a list").iter();
    entries
        .map(|entry| {
            let id = format!("{}:{}", text(&entry["name"]), text(&entry["architecture"]));
            (id, (text(&entry["installed"]), text(&entry["candidate"])))
        })
        .collect()
}

/// What `apt list --upgradable` says in a root.
fn apt_upgradable(root: &str) -> BTreeMap<String, (String, String)> {
    let output = authority("apt", "chroot", &[root, "apt", "list", "--upgradable"], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // name/suite,suite candidate architecture [upgradable from: installed]
    text.lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once('/')?;
            let mut words = rest.split(' ');
            let (_, candidate, architecture) = (words.next()?, words.next()?, words.next()?);
            let installed = line.split_once("[upgradable from: ")?.1.trim_end_matches(']');
            let id = format!("{name}:{architecture}");
            Some((id, (installed.to_owned(), candidate.to_owned())))
        })
        .collect()
}

/// Upgrades of installed packages, name → whether one of the candidate's origins is a security archive, by `apt-get -s
/// dist-upgrade`.
fn apt_security(root: &str) -> BTreeMap<String, bool> {
    let output = authority("apt", "chroot", &[root, "apt-get", "-s", "dist-upgrade"], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // Inst name [installed] (candidate origin, origin [architecture])
    text.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
            rest.starts_with('[')
                .then(|| (name.to_owned(), line.contains("Debian-Security:")))
        })
        .collect()
}

#[test]
fn versions_are_ordered_as_dpkg_does() {
    // A reproducible mixture of everything that versions are made of.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
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
        "+",
        ".",
        "-",
        "~rc",
        "+b1",
        "deb12u",
        ":",
        "~~",
        "99999999999999999999",
    ];
    let mut versions = vec![];
    while versions.len() < 4_000 {
        let length = 1 + next(7);
        let version: String = (0..length)
            .map(|_| pieces[usize::try_from(next(19)).unwrap()])
            .collect();
        // dpkg warns about versions that do not begin with a digit and compares them all the same.
        if debian_version::is_version(&version) && version.as_bytes()[0].is_ascii_digit() {
            versions.push(version);
        }
    }
    let pairs: Vec<_> = versions
        .chunks(2)
        .map(|pair| (pair[0].as_str(), pair[1].as_str()))
        .collect();
    let mut script = "is() { dpkg --compare-versions \"$@\"; }\n".to_owned();
    for (a, b) in &pairs {
        let order =
            format!("is '{a}' lt '{b}' && echo Less || {{ is '{a}' eq '{b}' && echo Equal || echo Greater; }}\n");
        script.push_str(&order);
    }
    let output = authority("dpkg", "sh", &[], script.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text.lines().count(),
        pairs.len(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let wrong: Vec<_> = pairs
        .iter()
        .zip(text.lines())
        .filter(|((a, b), said)| format!("{:?}", debian_version::compare(a, b)) != *said)
        .collect();
    assert!(
        wrong.is_empty(),
        "{} differ: {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
}

#[test]
fn installed_packages_are_those_of_dpkg_query() {
    let format = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${db:Status-Status}\t${db:Status-Want}\n";
    let output = authority("dpkg", "dpkg-query", &["-W", "-f", format], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut expected: Vec<Vec<String>> = text
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>())
        .filter(|fields| fields[5] != "not-installed" && fields[5] != "config-files")
        .collect();
    expected.sort();
    let facts = facts(&Machine::this(), "packages");
    let word = |package: &Value, field: &str| package[field].as_str().map(str::to_owned);
    let found: Vec<Vec<String>> = facts["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let (name, version) = (word(package, "name").unwrap(), word(package, "version").unwrap());
            let state = word(package, "state").unwrap_or("installed".into()).replace('_', "-");
            let held = package["held"] == true;
            vec![
                name.clone(),
                version.clone(),
                word(package, "architecture").unwrap(),
                word(package, "source").unwrap_or(name),
                word(package, "source_version").unwrap_or(version),
                state,
                if held { "hold" } else { "install" }.to_owned(),
            ]
        })
        .collect();
    assert!(found.len() > 100);
    assert_eq!(facts["complete"], true, "{}", facts["unparsed"]);
    assert_eq!(found, expected);
}

/// A Debian 12 root that was made from the main archive alone and then got the sources of updates and security updates
/// and their lists. Each test works on an overlay of its own.
static ROOT: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("root");
    let [main, security] = mirrors();
    let output = authority(
        "mmdebstrap",
        "mmdebstrap",
        &[
            "--quiet",
            "--variant=minbase",
            "--include=openssl,openssh-client,curl,ca-certificates",
            "bookworm",
            root.to_str().unwrap(),
            &format!("deb {main} bookworm main"),
        ],
        b"",
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sources = format!(
        "deb {main} bookworm main\ndeb {main} bookworm-updates main\ndeb {main} bookworm-backports main\n\
         deb {security} bookworm-security main\n"
    );
    fs::write(root.join("etc/apt/sources.list"), sources).unwrap();
    let output = authority(
        "apt",
        "chroot",
        &[root.to_str().unwrap(), "apt-get", "update", "-qq"],
        b"",
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
});

/// The machine's own mirrors of the main and the security archive.
fn mirrors() -> [String; 2] {
    let output = authority(
        "apt",
        "apt-get",
        &["indextargets", "--format", "$(REPO_URI) $(RELEASE)"],
        b"",
    );
    let text = String::from_utf8(output.stdout).unwrap();
    ["bookworm", "bookworm-security"].map(|suite| {
        let line = text.lines().find_map(|line| line.strip_suffix(&format!(" {suite}")));
        line.unwrap_or_else(|| panic!("no mirror of {suite} in the machine's apt sources"))
            .to_owned()
    })
}

/// A changed copy of the root: an overlay, unmounted when dropped.
struct Changed {
    folder: tempfile::TempDir,
}

impl Changed {
    fn new(changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["upper", "work", "root"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let lower = ROOT.path().join("root");
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            at("upper"),
            at("work")
        );
        let output = authority(
            "mount",
            "mount",
            &["-t", "overlay", "overlay", "-o", &options, &at("root")],
            b"",
        );
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let copy = Self { folder };
        for (path, text) in changes {
            fs::write(copy.root().join(path), text).unwrap();
        }
        copy
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    fn chroot(&self, command: &[&str]) -> String {
        let root = self.root().display().to_string();
        let output = authority("coreutils", "chroot", &[&[root.as_str()], command].concat(), b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn facts(&self) -> Value {
        facts(&Machine::folder(&self.root()), "package-updates")
    }

    /// Facts that agree with apt about what can be upgraded.
    fn agreed(&self) -> Value {
        let facts = self.facts();
        assert_eq!(facts["complete"], true, "{}", facts["incomplete"]);
        assert_eq!(
            pairs(&facts, "upgrades"),
            apt_upgradable(&self.root().display().to_string())
        );
        facts
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        let root = self.root();
        authority("mount", "umount", &[root.to_str().unwrap()], b"");
    }
}

fn count(facts: &Value, list: &str) -> usize {
    facts[list].as_array().unwrap().len()
}

#[test]
fn pending_updates_of_a_root() {
    let changed = Changed::new(&[]);
    let facts = changed.agreed();
    assert!(count(&facts, "upgrades") > 5, "{}", facts["upgrades"]);
    let security = apt_security(&changed.root().display().to_string());
    assert!(security.values().filter(|security| **security).count() > 3);
    for upgrade in facts["upgrades"].as_array().unwrap() {
        // apt speaks of the candidate's origins; ours also says yes if the candidate contains a security update.
        let by_apt = security[upgrade["name"].as_str().unwrap()];
        assert!(!by_apt || upgrade["security"] == true, "{upgrade}");
    }
    assert_eq!(count(&facts, "sources"), 4);
    assert!(
        facts["sources"]
            .as_array()
            .unwrap()
            .iter()
            .all(|source| source["signed"] == true)
    );
    let priority = |at: usize| facts["sources"][at]["lists"][0]["priority"].clone();
    assert_eq!((priority(0), priority(2)), (500.into(), 100.into()));
    // The time of the last `apt-get update`, by the clock of the one who made it.
    let partial = fs::metadata(changed.root().join("var/lib/apt/lists/partial")).unwrap();
    let age = partial.modified().unwrap().elapsed().unwrap();
    assert!(age.as_secs() < 3_600 && facts["last_update"]["outcome"] == "observed");
}

#[test]
fn pins_count_as_they_do_for_apt() {
    for (name, preferences) in [
        (
            "no security",
            "Package: *\nPin: release l=Debian-Security\nPin-Priority: -1\n",
        ),
        ("by host", "Package: *\nPin: origin \"*\"\nPin-Priority: 99\n"),
        (
            "one package",
            "Package: openssl\nPin: release n=bookworm\nPin-Priority: 991\n",
        ),
        (
            "pattern",
            "Package: lib* /^open/\nPin: release a=oldstable-security\nPin-Priority: -10\n",
        ),
        (
            "backports",
            "Package: *\nPin: release n=bookworm-backports\nPin-Priority: 500\n",
        ),
        ("source", "Package: src:openssl\nPin: version *\nPin-Priority: -1\n"),
        (
            "version",
            "Package: curl\nPin: version 7.88.1-10+deb12u*\nPin-Priority: 900\n",
        ),
        (
            "component",
            "Package: *\nPin: release c=main,o=Debian,v=12*\nPin-Priority: 400\n",
        ),
        (
            "never",
            "Package: *\nPin: release l=Debian-Security\nPin-Priority: never\n\nPackage: *\nPin: release a=*\nPin-Priority: 700\n",
        ),
        ("installed", "Package: *\nPin: release a=now\nPin-Priority: 600\n"),
    ] {
        let changed = Changed::new(&[("etc/apt/preferences.d/test", preferences)]);
        let facts = changed.agreed();
        assert_eq!(count(&facts, "pins"), preferences.matches("Package:").count(), "{name}");
        if name == "no security" {
            assert!(facts["security_withheld"].as_u64().unwrap() > 0);
        }
    }
}

#[test]
fn the_default_release_counts_as_it_does_for_apt() {
    for release in [
        "bookworm",
        "oldstable",
        "bookworm-backports",
        "12*",
        "/^bookworm(|-security)$/",
    ] {
        let conf = format!("APT::Default-Release \"{release}\";\n");
        let facts = Changed::new(&[("etc/apt/apt.conf.d/90test", &conf)]).agreed();
        assert_eq!(facts["default_release"], release);
    }
}

#[test]
fn priorities_of_lists_are_those_of_apt_cache_policy() {
    let preferences = "Package: *\nPin: release n=bookworm-security\nPin-Priority: 877\n\n\
                       Package: *\nPin: release o=Debian*\nPin-Priority: 333\n";
    let changed = Changed::new(&[("etc/apt/preferences", preferences)]);
    // ` 877 http://host/path suite/component architecture Packages`
    let text = changed.chroot(&["apt-cache", "policy"]);
    let mut expected: Vec<(String, i64)> = text
        .lines()
        .filter_map(|line| {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            let [priority, uri, release, _, "Packages"] = words[..] else {
                return None;
            };
            Some((format!("{uri}/ {}", release.split_once('/')?.0), priority.parse().ok()?))
        })
        .collect();
    let facts = changed.agreed();
    let mut found: Vec<_> = facts["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| {
            let text = |field: &str| source[field].as_str().unwrap().to_owned();
            (
                format!("{} {}", text("uri"), text("suite")),
                source["lists"][0]["priority"].as_i64().unwrap(),
            )
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_downgrade_that_a_pin_asks_for() {
    let changed = Changed::new(&[]);
    changed.chroot(&["apt-get", "-qq", "-y", "--download-only", "install", "openssl"]);
    changed.chroot(&[
        "sh",
        "-c",
        "dpkg -i --force-depends /var/cache/apt/archives/libssl3_*.deb /var/cache/apt/archives/openssl_*.deb",
    ]);
    let preferences = "Package: openssl libssl3\nPin: release n=bookworm\nPin-Priority: 1001\n";
    fs::write(changed.root().join("etc/apt/preferences"), preferences).unwrap();
    let facts = changed.agreed();
    let text = changed.chroot(&["apt-cache", "policy", "openssl"]);
    let candidate = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))
        .unwrap();
    assert_eq!(facts["downgrades"][1]["candidate"], candidate);
}

#[test]
fn held_packages_are_said_to_be_held() {
    let changed = Changed::new(&[]);
    let first = changed.facts()["upgrades"][0]["name"].as_str().unwrap().to_owned();
    changed.chroot(&["apt-mark", "hold", &first]);
    let facts = changed.agreed();
    assert_eq!(facts["upgrades"][0]["held"], true);
    let packages = self::facts(&Machine::folder(&changed.root()), "packages");
    assert_eq!(
        packages["held"][0].as_str().unwrap().split(':').next(),
        Some(first.as_str())
    );
    let kept = changed.chroot(&["apt-get", "-s", "dist-upgrade"]);
    assert!(kept.contains("kept back"), "{kept}");
}

#[test]
fn lists_in_other_compressions() {
    for (package, program, ending) in [("lz4", "lz4", "lz4"), ("gzip", "gzip", "gz")] {
        let changed = Changed::new(&[]);
        for entry in fs::read_dir(changed.root().join("var/lib/apt/lists")).unwrap() {
            let path = entry.unwrap().path().display().to_string();
            if path.ends_with("_Packages") {
                let packed = authority(package, program, &["-1", "-c", &path], b"");
                assert!(packed.status.success() && packed.stdout.len() > 100);
                fs::write(format!("{path}.{ending}"), packed.stdout).unwrap();
                fs::remove_file(path).unwrap();
            }
        }
        assert!(count(&changed.agreed(), "upgrades") > 5);
    }
}

/// A local archive without a signature, with packages of two architectures, fetched by apt.
#[test]
fn a_local_archive_and_another_architecture() {
    let package = |name: &str, version: &str, architecture: &str| {
        let hash = "0".repeat(64);
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: x\nDescription: x\n\
             Filename: ./{name}.deb\nSize: 1\nSHA256: {hash}\n\n"
        )
    };
    let list = package("base-files", "99:1", "amd64")
        + &package("gcc-12-base", "99:1", "i386")
        + &package("tzdata", "9999a-1", "all")
        + &package("usrmerge", "99", "all")
        + &package("libc6", "1.0", "amd64");
    let changed = Changed::new(&[]);
    let root = changed.root();
    fs::create_dir_all(root.join("srv/local~1")).unwrap();
    fs::write(root.join("srv/local~1/Packages"), list).unwrap();
    let source = "Types: deb deb-src\n# a comment\nURIs: file:/srv/local~1\nSuites: ./\nTrusted: yes\n\n\
                  Types: deb\nEnabled: no\nURIs: http://192.0.2.1/\nSuites: x\nComponents: y\n";
    fs::write(
        root.join("etc/apt/sources.list.d/local.sources"),
        source.replace(" deb-src", ""),
    )
    .unwrap();
    // Not yet fetched.
    assert_eq!(changed.facts()["complete"], false);
    changed.chroot(&["dpkg", "--add-architecture", "i386"]);
    changed.chroot(&[
        "apt-get",
        "update",
        "-qq",
        "-o",
        "Dir::Etc::sourcelist=/dev/null",
        "-o",
        "APT::Get::List-Cleanup=0",
    ]);
    // apt made a link; this test's host does not keep links inside the root.
    changed.chroot(&[
        "sh",
        "-c",
        "cd /var/lib/apt/lists && cp --remove-destination $(readlink _srv_local*) _srv_local*",
    ]);
    let facts = changed.facts();
    let local = &facts["sources"][4];
    assert_eq!(local["authentication"]["unauthenticated"], true);
    assert_eq!(
        (&local["signed"], &local["lists"][0]["state"]),
        (&Value::Bool(false), &"observed".into())
    );
    assert_eq!(facts["disabled_sources"], 1);
    // The lists of the other architecture were not fetched, and the archives have them.
    let missing = facts["incomplete"].as_array().unwrap();
    assert!(
        missing.len() == 4
            && missing
                .iter()
                .all(|why| why.as_str().unwrap().contains("i386: no list")),
        "{missing:?}"
    );
    assert_eq!(pairs(&facts, "upgrades"), apt_upgradable(&root.display().to_string()));
    let names: Vec<_> = pairs(&facts, "upgrades").into_keys().collect();
    assert!(names.contains(&"base-files:amd64".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("gcc-12-base")), "{names:?}");
    // Local archives are the origin "".
    fs::write(
        root.join("etc/apt/preferences"),
        "Package: *\nPin: origin \"\"\nPin-Priority: 50\n",
    )
    .unwrap();
    let facts = changed.facts();
    assert_eq!(facts["sources"][4]["lists"][0]["priority"], 50);
    assert_eq!(pairs(&facts, "upgrades"), apt_upgradable(&root.display().to_string()));
    let withheld = facts["withheld"].as_array().unwrap();
    assert!(
        withheld.iter().any(|withheld| withheld["name"] == "base-files"),
        "{withheld:?}"
    );
}

/// Where apt sees nothing to do because it knows nothing, the facts say that they are not complete.
#[test]
fn missing_lists_are_no_updates_for_apt_and_a_gap_for_us() {
    let changed = Changed::new(&[]);
    changed.chroot(&["sh", "-c", "rm -r /var/lib/apt/lists/*"]);
    assert!(apt_upgradable(&changed.root().display().to_string()).is_empty());
    let facts = changed.facts();
    assert_eq!(
        (count(&facts, "upgrades"), &facts["complete"]),
        (0, &Value::Bool(false))
    );
    assert_eq!(count(&facts, "incomplete"), 4);
    assert_eq!(facts["last_update"]["outcome"], "absent");

    let one = Changed::new(&[]);
    one.chroot(&["sh", "-c", "rm /var/lib/apt/lists/*security*_Packages"]);
    let facts = one.facts();
    assert_eq!(facts["complete"], false);
    assert_eq!(facts["sources"][3]["lists"][0]["state"], "absent");

    let cut = Changed::new(&[]);
    cut.chroot(&[
        "sh",
        "-c",
        "f=$(echo /var/lib/apt/lists/*security*_Packages); head -c 1000000 $f >/x && mv /x $f",
    ]);
    let facts = cut.facts();
    assert_eq!(
        (&facts["complete"], &facts["sources"][3]["lists"][0]["state"]),
        (&Value::Bool(false), &"malformed".into())
    );
}

/// The table of distro-info-data as its own program reads it.
#[test]
fn ends_of_support_are_those_of_debian_distro_info() {
    assert!(
        Path::new("/usr/share/distro-info/debian.csv").exists(),
        "install it: apt-get install distro-info-data"
    );
    let facts = facts(&Machine::this(), "kernel-and-release");
    let support = &facts["support"]["value"];
    let series = support["series"].as_str().unwrap();
    let output = authority(
        "distro-info",
        "debian-distro-info",
        &["--series", series, "--days=eol", "--date=2020-01-01"],
        b"",
    );
    let days: u64 = String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .expect("a number of days");
    // 2020-01-01 to the day that is named, and the end of that day.
    let expected = authority(
        "coreutils",
        "date",
        &["-u", "-d", &format!("2020-01-01 +{} days", days + 1), "+%FT%TZ"],
        b"",
    );
    assert_eq!(
        support["standard_until"],
        String::from_utf8(expected.stdout).unwrap().trim()
    );
    let version = authority(
        "dpkg",
        "dpkg-query",
        &["-W", "-f", "${Version}", "distro-info-data"],
        b"",
    );
    assert_eq!(support["table_version"], String::from_utf8(version.stdout).unwrap());
    let release = authority("coreutils", "uname", &["-r"], b"");
    assert_eq!(
        facts["kernel"]["value"]["release"],
        String::from_utf8(release.stdout).unwrap().trim()
    );
    let build = authority("coreutils", "uname", &["-v"], b"");
    assert_eq!(
        facts["kernel"]["value"]["build"],
        String::from_utf8(build.stdout).unwrap().trim()
    );
}

/// Packages that apt knows from nowhere else than dpkg's database: `[installed,local]`.
#[test]
fn packages_from_no_source_are_those_of_apt() {
    let changed = Changed::new(&[]);
    changed.chroot(&[
        "sh",
        "-ec",
        "mkdir -p /b/DEBIAN && printf 'Package: own-one\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n' \
         >/b/DEBIAN/control && dpkg-deb -b /b /own.deb >/dev/null && dpkg -i /own.deb >/dev/null && \
         sed -i '/^Package: tzdata$/,/^$/s/^Version: .*/Version: 9999z-9/' /var/lib/dpkg/status",
    ]);
    let facts = changed.agreed();
    let root = changed.root().display().to_string();
    let output = authority("apt", "chroot", &[&root, "apt", "list", "--installed"], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    let local: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("[installed,local]"))
        .filter_map(|line| line.split_once('/').map(|(name, _)| name))
        .collect();
    let upgradable = pairs(&facts, "upgrades");
    let word = |package: &Value, field: &str| package[field].as_str().unwrap().to_owned();
    let unlisted = facts["unlisted"].as_array().unwrap().iter();
    // Of a package that can be upgraded apt does not say it.
    let unlisted: Vec<(String, bool)> = unlisted
        .filter(|package| {
            let id = format!("{}:{}", word(package, "name"), word(package, "architecture"));
            !upgradable.contains_key(&id)
        })
        .map(|package| (word(package, "name"), package["offered"] == true))
        .collect();
    assert_eq!(
        unlisted.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        local
    );
    assert_eq!(unlisted, [("own-one".to_owned(), false), ("tzdata".to_owned(), true)]);
    let from = facts["installed_from"].as_array().unwrap();
    assert!(
        from.iter()
            .any(|from| from["origin"] == "Debian bookworm main" && from["packages"].as_u64() > Some(50))
    );
}

#[test]
fn updates_of_this_machine_are_those_of_apt() {
    let facts = facts(&Machine::this(), "package-updates");
    assert_eq!(facts["complete"], true, "{}", facts["incomplete"]);
    assert_eq!(pairs(&facts, "upgrades"), apt_upgradable("/"));
}
