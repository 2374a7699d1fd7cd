use evidence::facts::Outcome;
use serde_json::{Value, json};

use super::super::PackageUpdatesProbe;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const DATABASE: &str = "/usr/lib/sysimage/rpm/rpmdb.sqlite";
const FOLDER: &str = "/var/cache/dnf/base-0123456789abcdef/repodata";
const REPOMD: &str = "<repomd><revision>1795000000</revision>\
    <data type=\"primary\"><location href=\"repodata/p.xml\"/></data>\
    <data type=\"updateinfo\"><location href=\"repodata/u.xml\"/></data></repomd>";

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = vec![];
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut unpacked).unwrap();
    unpacked
}

fn package(name: &str, architecture: &str, version: &str, release: &str) -> String {
    format!(
        "<package type=\"rpm\"><name>{name}</name><arch>{architecture}</arch>\
         <version epoch=\"0\" ver=\"{version}\" rel=\"{release}\"/></package>"
    )
}

/// glibc 2.41-3.fc42, kernel-core of two versions, a module of nodejs, and others are installed.
fn host() -> Captured {
    let primary = [
        package("glibc", "x86_64", "2.41", "9.fc42"),
        package("glibc", "i686", "2.41", "99.fc42"),
        package("kernel-core", "x86_64", "6.14.4", "300.fc42"),
        package("kernel-core", "x86_64", "6.15.3", "200.fc42"),
        package("many", "noarch", "2", "1"),
        package("elsewhere", "noarch", "2", "1"),
    ];
    let updateinfo = "<updates><update type=\"security\"><id>EX-1</id><severity>Low</severity><issued date=\"2026-01-02\"/>\
        <references><reference type=\"cve\" id=\"CVE-2026-1\"/></references><pkglist><collection>\
        <package name=\"glibc\" epoch=\"0\" version=\"2.41\" release=\"5.fc42\" arch=\"x86_64\"/>\
        <package name=\"glibc\" epoch=\"0\" version=\"2.41\" release=\"5.fc42\" arch=\"i686\"/>\
        </collection></pkglist></update></updates>";
    Captured::default()
        .file("/etc/os-release", "ID=fedora\n")
        .file(
            DATABASE,
            unpacked(include_bytes!("../../../fixtures/packages/rpm/rpmdb.sqlite.gz")),
        )
        .file(
            &format!("{DATABASE}-wal"),
            unpacked(include_bytes!("../../../fixtures/packages/rpm/rpmdb.sqlite-wal.gz")),
        )
        .file("/etc/dnf/dnf.conf", "[main]\ngpgcheck=1\nexcludepkgs=many\n")
        .file(
            "/etc/yum.repos.d/base.repo",
            "[base]\nname=Base\nmetalink=https://h/m?repo=x\n",
        )
        .file(&format!("{FOLDER}/repomd.xml"), REPOMD)
        .file(
            &format!("{FOLDER}/p.xml"),
            format!("<metadata>{}</metadata>", primary.concat()),
        )
        .file(&format!("{FOLDER}/u.xml"), updateinfo)
}

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<PackageUpdatesProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

#[test]
fn updates_advisories_and_repositories() {
    let told = facts(&host());
    assert_eq!((&told["complete"], &told["incomplete"]), (&json!(true), &json!([])));
    assert_eq!(
        told["upgrades"],
        json!([
            {"name": "glibc", "architecture": "x86_64", "installed": "2.41-3.fc42", "candidate": "2.41-9.fc42",
             "security": true, "origins": ["base"], "held": false, "phased": 100, "advisories": ["EX-1"]},
            {"name": "kernel-core", "architecture": "x86_64", "installed": "6.14.4-300.fc42",
             "candidate": "6.15.3-200.fc42", "security": false, "origins": ["base"], "held": false, "phased": 100},
        ])
    );
    assert_eq!(
        (&told["security_upgrades"], &told["security_source"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(told["withheld"][0]["name"], "many");
    assert_eq!(told["installed_from"], json!([{"origin": "base", "packages": 1}]));
    let unlisted: Vec<_> = told["unlisted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["offered"]))
        .collect();
    assert_eq!((unlisted.len(), unlisted[0]), (7, (&json!("glibc"), &json!(true))));
    assert_eq!(unlisted[2], (&json!("libsub"), &json!(false)));
    assert_eq!(
        told["rpm"],
        json!({
            "excludes": ["many"],
            "version_locks": [],
            "modules": [],
            "advisories": [{
                "id": "EX-1", "kind": "security", "severity": "Low", "issued": "2026-01-02", "cves": ["CVE-2026-1"],
                "packages": ["glibc:x86_64"],
            }],
        })
    );
    let source = &told["sources"][0];
    assert_eq!(source["uri"], "https://h/m?repo=x");
    assert_eq!(source["release"]["value"]["date"], "2026-11-18T11:06:40Z");
    assert_eq!(
        (&source["signed"], &source["rpm"]["gpgcheck"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(source["lists"][1]["component"], "updateinfo");
}

#[test]
fn locks() {
    let locked = host()
        .file("/etc/dnf/plugins/versionlock.conf", "[main]\nenabled=1\n")
        .file(
            "/etc/dnf/plugins/versionlock.list",
            "# x\nglibc-0:2.41-3.fc42.*\n!kernel-core-0:6.15.3-200.fc42.*\n",
        );
    let told = facts(&locked);
    assert_eq!(told["upgrades"], json!([]));
    assert_eq!(told["security_withheld"], 1);
    assert_eq!(
        told["rpm"]["version_locks"],
        json!(["glibc-0:2.41-3.fc42.*", "!kernel-core-0:6.15.3-200.fc42.*"])
    );
    let other = facts(&host().file("/etc/dnf/versionlock.toml", "version = \"1.0\"\n[[packages]]\n"));
    assert_eq!(other["complete"], false);
}

#[test]
fn what_is_not_known_is_said() {
    let incomplete = |host: &Captured| {
        let told = facts(host);
        assert_eq!(told["complete"], false);
        told["incomplete"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(
        incomplete(&host().file(&format!("{FOLDER}/repomd.xml"), "<repomd>")),
        format!("{FOLDER}/repomd.xml: it lists nothing")
    );
    assert_eq!(
        incomplete(&host().denied(&format!("{FOLDER}/p.xml"))),
        format!("{FOLDER}/p.xml: permission denied")
    );
    let no_advisories = host().denied(&format!("{FOLDER}/u.xml"));
    assert_eq!(facts(&no_advisories)["security_source"], false);
    incomplete(&no_advisories);
    let packed = REPOMD.replace("p.xml", "p.xml.bz2");
    let packed = host()
        .file(&format!("{FOLDER}/repomd.xml"), packed)
        .file(&format!("{FOLDER}/p.xml.bz2"), "x");
    assert_eq!(facts(&packed)["sources"][0]["lists"][0]["state"], "unsupported");
    incomplete(&packed);
    let modular = format!(
        "<metadata>{}</metadata>",
        package("nodejs", "noarch", "20", "1.module+el9")
    );
    assert_eq!(
        incomplete(&host().file(&format!("{FOLDER}/p.xml"), modular)),
        "nodejs: it is of a module of which no list tells, so its updates are not known"
    );
    let document = Registered::of::<PackageUpdatesProbe>()
        .collect(&host().denied(DATABASE))
        .remove(0);
    assert_eq!(document.outcome, Outcome::Denied);
    let alpine = Captured::default()
        .file("/etc/os-release", "ID=alpine\n")
        .file("/lib/apk/db/installed", "");
    let document = Registered::of::<PackageUpdatesProbe>().collect(&alpine).remove(0);
    assert_eq!(document.outcome, Outcome::Unsupported);
}
