//! Software of pip, npm, gem and flatpak, which these programs install here and tell of, beside what the probe tells.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use machine::{Machine, facts_of, put};
use serde_json::{Value, json};

/// Runs a program that must succeed; what it printed.
fn run(package: &str, program: &str, args: &[&str], variables: &[(&str, &str)], folder: &Path) -> String {
    let ran = Command::new(program)
        .args(args)
        .envs(variables.iter().copied())
        .env("LC_ALL", "C.UTF-8")
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it: {package}"));
    assert!(
        ran.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).unwrap()
}

fn told(root: &Path, part: &str) -> Vec<Value> {
    let facts = facts_of("other-software", &Machine::folder(root));
    let entries = facts[part]["value"]["entries"].as_array();
    entries.unwrap_or_else(|| panic!("{}", facts[part])).clone()
}

/// Makes a wheel of nothing but its metadata: name of the project, its name in file names, version.
const WHEELS: &str = r#"
import sys, zipfile
for project, name, version in [("zope.interface", "zope.interface", "6.1"), ("Foo_Bar", "Foo_Bar", "1.0.post1"),
                               ("a-b", "a_b", "2!1.0"), ("plain", "plain", "0.1"), ("direct", "direct", "3")]:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(f"{sys.argv[1]}/{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\nSummary: Name: x\n\nVersion: 9\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
"#;

#[test]
fn pythons_distributions() {
    let root = tempfile::tempdir().unwrap();
    let wheels = root.path().join("wheels");
    fs::create_dir_all(&wheels).unwrap();
    // The system's own Python need not have pip.
    let tools = std::env::var("AFFIANT_TEST_TOOLS")
        .map_or_else(|_| "python3".to_owned(), |tools| format!("{tools}/venv/bin/python3"));
    let python = |args: &[&str]| run("python3-venv", &tools, args, &[], root.path());
    python(&["-c", WHEELS, wheels.to_str().unwrap()]);
    let site = root.path().join("usr/local/lib/python3.11/dist-packages");
    let at = site.to_str().unwrap();
    let install = ["-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", at];
    let names = [
        "--find-links",
        wheels.to_str().unwrap(),
        "zope.interface",
        "Foo_Bar",
        "a-b",
        "plain",
    ];
    python(&[&install[..], &names].concat());
    let direct = wheels.join("direct-3-py3-none-any.whl");
    python(&[&install[..], &[direct.to_str().unwrap()]].concat());
    // pip does not take it for one, nor does the probe.
    fs::create_dir_all(site.join("left-1.dist-info")).unwrap();
    put(
        &site,
        "old-1.egg-info/PKG-INFO",
        "Metadata-Version: 1.0\nName: old\nVersion: 1\n",
    );
    let report: Value = serde_json::from_str(&python(&["-m", "pip", "inspect", "--path", at])).unwrap();
    let theirs: BTreeSet<String> = report["installed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let metadata = &one["metadata"];
            let installer = one["installer"].as_str().unwrap_or_default();
            format!(
                "{} {} {installer} {}",
                metadata["name"],
                metadata["version"],
                one.get("direct_url").is_some()
            )
        })
        .collect();
    let ours = told(root.path(), "python");
    let ours: BTreeSet<String> = ours
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {}",
                one["name"],
                one["version"],
                one["installer"].as_str().unwrap(),
                one["direct"]
            )
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 6, "{ours:?}");
}

#[test]
fn npms_modules() {
    let root = tempfile::tempdir().unwrap();
    let prefix = root.path().join("usr/local");
    let prefix = prefix.to_str().unwrap();
    let cache = root.path().join("cache");
    let npm = |args: &[&str], folder: &Path| {
        run(
            "apt-get install npm",
            "npm",
            args,
            &[("npm_config_cache", cache.to_str().unwrap())],
            folder,
        )
    };
    for (folder, name, version) in [
        ("one", "one", "1.2.3"),
        ("two", "@scope/two", "0.0.1-beta.1"),
        ("three", "three", "3.0.0"),
    ] {
        let json = json!({"name": name, "version": version}).to_string();
        put(root.path(), &format!("{folder}/package.json"), &json);
        let folder = root.path().join(folder);
        let packed = npm(&["pack", "--silent"], &folder);
        let file = if name == "three" { "." } else { packed.trim() };
        let file = folder.join(file);
        npm(
            &[
                "install",
                "--silent",
                "--offline",
                "--no-audit",
                "-g",
                "--prefix",
                prefix,
                file.to_str().unwrap(),
            ],
            root.path(),
        );
    }
    let listed: Value = serde_json::from_str(&npm(&["ls", "-g", "--json", "--prefix", prefix], root.path())).unwrap();
    let theirs: BTreeSet<String> = listed["dependencies"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, one)| format!("{name} {}", one["version"].as_str().unwrap()))
        .collect();
    let ours = told(root.path(), "npm");
    let names: BTreeSet<String> = ours
        .iter()
        .map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap()))
        .collect();
    assert_eq!(names, theirs);
    let linked: Vec<_> = ours
        .iter()
        .filter(|one| one["linked"] == true)
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(linked, ["three"], "npm links a folder");
    assert_eq!(ours.len(), 3);
}

#[test]
fn rubys_gems() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("var/lib/gems/3.1.0");
    let home = home.to_str().unwrap();
    for (name, version, platform) in [
        ("one", "1.2.3", "ruby"),
        ("two-three", "0.1.0.pre", "ruby"),
        ("four", "4", "x86_64-linux"),
    ] {
        let spec = format!(
            "Gem::Specification.new do |s|\n s.name = '{name}'\n s.version = '{version}'\n s.platform = '{platform}'\n \
             s.summary = 's'\n s.authors = ['a']\n s.files = []\nend\n"
        );
        put(root.path(), &format!("{name}.gemspec"), &spec);
        let variables = [("HOME", root.path().to_str().unwrap())];
        let gem = |args: &[&str]| run("apt-get install ruby", "gem", args, &variables, root.path());
        gem(&["build", "-q", "-o", &format!("{name}.gem"), &format!("{name}.gemspec")]);
        gem(&[
            "install",
            "-q",
            "--local",
            "--force",
            "--no-document",
            "--install-dir",
            home,
            &format!("{name}.gem"),
        ]);
    }
    let script = "Dir[ARGV[0] + '/specifications/*.gemspec'].each { |file| s = Gem::Specification.load(file); \
                  puts [s.name, s.version, s.platform].join(' ') }";
    let theirs = run("apt-get install ruby", "ruby", &["-e", script, home], &[], root.path());
    let theirs: BTreeSet<String> = theirs.lines().map(str::to_owned).collect();
    let ours = told(root.path(), "gems");
    let part = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = ours
        .iter()
        .map(|one| [part(one, "name"), part(one, "version"), part(one, "platform")].join(" "))
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 3);
}

#[test]
fn flatpaks_software_and_remotes() {
    let root = tempfile::tempdir().unwrap();
    let system = root.path().join("var/lib/flatpak");
    fs::create_dir_all(&system).unwrap();
    let variables = [
        ("FLATPAK_SYSTEM_DIR", system.to_str().unwrap()),
        ("HOME", root.path().to_str().unwrap()),
    ];
    let flatpak = |args: &[&str]| {
        run(
            "apt-get install flatpak",
            "/usr/bin/flatpak",
            args,
            &variables,
            root.path(),
        )
    };
    let platform = "[Runtime]\nname=org.example.Platform\nruntime=org.example.Platform/x86_64/1\n";
    put(root.path(), "platform/metadata", platform);
    let app = "[Application]\nname=org.example.App\nruntime=org.example.Platform/x86_64/1\ncommand=x\n";
    put(root.path(), "app/metadata", app);
    for folder in ["app/files", "app/export", "platform/files", "platform/usr"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    flatpak(&["build-export", "--arch=x86_64", "repo", "app", "stable"]);
    flatpak(&["build-export", "--arch=x86_64", "repo", "app", "beta"]);
    flatpak(&["build-export", "--arch=x86_64", "--runtime", "repo", "platform", "1"]);
    let repo = format!("file://{}", root.path().join("repo").display());
    flatpak(&["--system", "remote-add", "--no-gpg-verify", "Local", &repo]);
    flatpak(&[
        "--system",
        "remote-add",
        "--no-gpg-verify",
        "--disable",
        "off",
        "https://off.example/repo",
    ]);
    for name in [
        "org.example.Platform//1",
        "org.example.App//stable",
        "org.example.App//beta",
    ] {
        flatpak(&["--system", "install", "-y", "--noninteractive", "Local", name]);
    }
    let listed = flatpak(&["--system", "list", "--columns=application,arch,branch,origin,active"]);
    let theirs: BTreeSet<Vec<String>> = listed
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect();
    let facts = facts_of("other-software", &Machine::folder(root.path()));
    let told = &facts["flatpak"]["value"];
    let ours = told["software"]["entries"].as_array().unwrap();
    let ours: BTreeSet<Vec<String>> = ours
        .iter()
        .map(|one| {
            ["id", "architecture", "branch", "origin", "commit"]
                .map(|name| one[name].as_str().unwrap().to_owned())
                .to_vec()
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 3);
    let listed = flatpak(&["--system", "remotes", "--show-disabled", "--columns=name,url,options"]);
    let theirs: BTreeSet<String> = listed
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split('\t').collect();
            let is = |option: &str| words[2].split(',').any(|one| one == option);
            format!("{} {} {} {}", words[0], words[1], !is("no-gpg-verify"), is("disabled"))
        })
        .collect();
    let ours = told["remotes"]["value"].as_array().unwrap().iter();
    let ours: BTreeSet<String> = ours
        .map(|one| {
            format!(
                "{} {} {} {}",
                one["name"].as_str().unwrap(),
                one["url"].as_str().unwrap(),
                one["gpg_verify"],
                one["disabled"]
            )
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 2);
}
