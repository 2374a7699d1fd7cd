//! Modules against dnf: a repository in which several streams have packages of the same name.

use std::collections::BTreeSet;
use std::fs;

use super::{Root, advisories, listed, rpm, run};

/// Modules: packages of several streams in one repository, beside others of no module, and advisories for both.
struct Modular {
    root: Root,
    repository: tempfile::TempDir,
}

const PARTS: [&str; 6] = ["alpha", "beta", "gamma", "delta", "plain", "stray"];
/// Module, stream, version, context; what it needs; version and release of the parts that it has; these.
const BUILDS: &str = "\
tool 1 1 aaaa | platform: [el8] | 1.0-1.module1 | alpha beta
tool 1 2 aaaa | platform: [el8] | 1.1-1.module1 | alpha beta
tool 2 1 bbbb | platform: [el8] | 2.0-1.module2 | alpha beta gamma
tool 3 1 cccc | platform: [el9] | 3.0-1.module3 | alpha
base a 1 dddd | platform: [el8] | 1.0-1.modulea | delta
base b 1 eeee | platform: [el8] | 2.0-1.moduleb | delta
top x 1 ffff | platform: [el8], base: [a] | 4.0-1.modulex | gamma
top x 1 gggg | platform: [el8], base: [b] | 5.0-1.modulex | gamma
empty e 1 hhhh | platform: [] | 1-1 |
";

/// A line of [`BUILDS`].
struct Build<'a> {
    module: [&'a str; 4],
    needs: &'a str,
    packages: &'a str,
    parts: Vec<&'a str>,
}

fn builds() -> impl Iterator<Item = Build<'static>> {
    BUILDS.lines().map(|line| {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let module: Vec<&str> = fields[0].split(' ').collect();
        Build {
            module: module.try_into().unwrap(),
            needs: fields[1],
            packages: fields[2],
            parts: fields[3].split_ascii_whitespace().collect(),
        }
    })
}

/// An advisory about parts of one version and release, in a collection of a module or of none.
fn advisory(id: &str, module: &str, version: &str, parts: &[&str]) -> String {
    let (number, release) = version.split_once('-').unwrap();
    let package = |part: &&str| {
        format!("<package name=\"{part}\" epoch=\"0\" version=\"{number}\" release=\"{release}\" arch=\"noarch\"/>")
    };
    let packages: String = parts.iter().map(package).collect();
    format!(
        "<update type=\"security\" status=\"final\"><id>{id}</id><title>x</title><severity>Low</severity>\
         <issued date=\"2026-01-01 00:00:00\"/><references/><pkglist><collection short=\"c\"><name>c</name>\
         {module}{packages}</collection></pkglist></update>\n"
    )
}

/// Builds parts of one version and release into a folder.
fn build_parts(top: &str, version: &str, parts: &[&str], into: &str) {
    let (number, release) = version.split_once('-').unwrap();
    let mut spec = format!(
        "Name: whole\nVersion: {number}\nRelease: {release}\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n"
    );
    for part in parts {
        spec += &format!("%package -n {part}\nSummary: x\n%description -n {part}\nx\n%files -n {part}\n");
    }
    let path = format!("{top}/{version}.spec");
    fs::write(&path, spec).unwrap();
    rpm::build(&format!("{top}/{version}"), &path, &[]);
    for part in parts {
        let file = format!("{part}-{version}.noarch.rpm");
        fs::copy(format!("{top}/{version}/RPMS/noarch/{file}"), format!("{into}/{file}")).unwrap();
    }
}

impl Modular {
    fn new() -> Self {
        let repository = rpm::folder();
        let top = repository.path().to_str().unwrap().to_owned();
        let place = format!("{top}/repository");
        fs::create_dir(&place).unwrap();
        let mut modules = String::new();
        let mut updates = "<updates>\n".to_owned();
        for build in builds() {
            let [name, stream, version, context] = build.module;
            let (needs, packages, parts) = (build.needs, build.packages, &build.parts);
            build_parts(&top, packages, parts, &place);
            let artifacts: String = parts
                .iter()
                .map(|part| format!("    - {part}-0:{packages}.noarch\n"))
                .collect();
            let artifacts = if parts.is_empty() {
                artifacts
            } else {
                format!("  artifacts:\n    rpms:\n{artifacts}")
            };
            modules += &format!(
                "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"{stream}\"\n  version: {version}\n  \
                 context: {context}\n  arch: x86_64\n  summary: A summary\n  description: >-\n    name: none\n  license:\n    \
                 module: [MIT]\n  dependencies:\n  - buildrequires:\n      platform: [el8]\n    requires: {{{needs}}}\n{artifacts}...\n"
            );
            let module = format!(
                "<module name=\"{name}\" stream=\"{stream}\" version=\"{version}\" context=\"{context}\" arch=\"x86_64\"/>"
            );
            updates += &advisory(
                &format!("EX-{name}-{stream}-{version}-{context}"),
                &module,
                packages,
                parts,
            );
        }
        modules += "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: base\n  stream: a\n  profiles:\n    a: []\n...\n";
        build_parts(&top, "9.0-1.plain", &PARTS, &place);
        build_parts(&top, "1.2-1.plain", &["alpha", "gamma", "plain"], &place);
        updates += &advisory("EX-plain", "", "9.0-1.plain", &PARTS);
        fs::write(format!("{top}/modules.yaml"), modules).unwrap();
        fs::write(format!("{top}/updateinfo.xml"), updates + "</updates>\n").unwrap();
        run("createrepo-c", "createrepo_c", &["-q", "--no-database", &place]);
        for (kind, file) in [("updateinfo", "updateinfo.xml"), ("modules", "modules.yaml")] {
            let kind = format!("--mdtype={kind}");
            run(
                "createrepo-c",
                "modifyrepo_c",
                &[&kind, &format!("{top}/{file}"), &format!("{place}/repodata")],
            );
        }
        let root = Root(rpm::folder());
        let path = root.path();
        for folder in ["etc/dnf/modules.d", "etc/yum.repos.d", "home", "var/lib/rpm"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
        write(
            "etc/os-release",
            "ID=rhel\nVERSION_ID=8.10\nPLATFORM_ID=\"platform:el8\"\n",
        );
        write("home/.rpmmacros", "%_dbpath /var/lib/rpm\n");
        write("etc/dnf/dnf.conf", "[main]\ngpgcheck=0\n");
        let installed = format!("{top}/installed");
        fs::create_dir(&installed).unwrap();
        build_parts(&top, "0.5-1.old", &PARTS, &installed);
        let files: Vec<String> = PARTS
            .iter()
            .map(|part| format!("{installed}/{part}-0.5-1.old.noarch.rpm"))
            .collect();
        rpm::install(path, &files, &[]);
        let modular = Self { root, repository };
        modular.configure("");
        modular
    }

    /// Writes the repository's configuration and fetches its lists.
    fn configure(&self, more: &str) {
        let place = self.repository.path().join("repository");
        let text = format!("[one]\nname=One\nbaseurl=file://{}\n{more}\n", place.display());
        fs::write(self.root.path().join("etc/yum.repos.d/all.repo"), text).unwrap();
        self.root.dnf(&["makecache"]);
    }

    /// Switches streams on, and modules without one off.
    fn switch(&self, states: &[(&str, &str)]) {
        let folder = self.root.path().join("etc/dnf/modules.d");
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for (name, stream) in states {
            let state = if stream.is_empty() { "disabled" } else { "enabled" };
            let text = format!("[{name}]\nname={name}\nstream={stream}\nprofiles=\nstate={state}\n");
            fs::write(folder.join(format!("{name}.module")), text).unwrap();
        }
    }
}

#[test]
fn modules_count_as_they_do_for_dnf() {
    let modular = Modular::new();
    let mut seen = BTreeSet::new();
    for states in [
        &[][..],
        &[("tool", "1")],
        &[("tool", "2")],
        &[("tool", "3")],
        &[("tool", "")],
        &[("base", "b")],
        &[("base", "")],
        &[("top", "x")],
        &[("top", "x"), ("base", "b")],
        &[("top", "x"), ("base", "")],
        &[("tool", "2"), ("top", "x")],
        &[("tool", "1"), ("top", "x"), ("base", "b")],
        &[("empty", "e"), ("gone", "1")],
    ] {
        for hotfixes in ["", "module_hotfixes=1"] {
            modular.configure(hotfixes);
            modular.switch(states);
            let facts = modular.root.agreed();
            let told = facts["rpm"]["modules"].as_array().unwrap();
            assert_eq!(told.len(), states.len());
            let listed = listed(&modular.root.dnf(&["-C", "updateinfo", "list"]));
            assert_eq!(advisories(&facts, None), listed, "{states:?}");
            seen.insert(format!("{}", facts["upgrades"]));
        }
    }
    assert!(seen.len() > 7, "{}", seen.len());
}
