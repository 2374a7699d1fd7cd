//! What the probe tells of containerd and of podman's registries, beside what the programs themselves say.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;
use std::process::Command;

use machine::Machine;
use serde_json::{Value, json};

fn facts(root: &Path) -> Value {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "containers").unwrap();
    let document = probe.collect(&Machine::folder(root)).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn put(root: &Path, path: &str, text: &str) {
    let at = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
}

/// A small generator: the same cases each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let at = self.roll(choices.len() as u64);
        choices[usize::try_from(at).unwrap()]
    }
}

fn layer(dice: &mut Dice, imports: &str) -> String {
    let mut text = format!("version = 2\n{imports}");
    text += dice.of(&[
        "",
        "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n",
        "disabled_plugins = []\n",
    ]);
    text += "[grpc]\n";
    text += dice.of(&["", "gid = 0\n", "gid = 117\n", "gid = 5\n"]);
    text += dice.of(&["", "tcp_address = \"\"\n", "tcp_address = \"127.0.0.1:9\"\n"]);
    text += dice.of(&["", "tcp_tls_cert = \"/c\"\n", "tcp_tls_cert = \"\"\n"]);
    if dice.roll(3) > 0 {
        text += "[plugins.\"io.containerd.grpc.v1.cri\"]\n";
        text += dice.of(&["", "enable_selinux = true\n", "enable_selinux = false\n"]);
        text += dice.of(&["", "disable_apparmor = true\n", "disable_apparmor = false\n"]);
        text += dice.of(&[
            "",
            "unset_seccomp_profile = \"runtime/default\"\n",
            "unset_seccomp_profile = \"\"\n",
        ]);
        text += dice.of(&[
            "",
            "[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/etc/containerd/certs.d\"\n",
        ]);
    }
    text
}

#[test]
fn containerds_settings() {
    let mut dice = Dice(7);
    for case in 0..60 {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "/usr/bin/containerd", "");
        let imports = dice.of(&[
            "",
            "imports = [\"conf.d/*.toml\"]\n",
            "imports = [\"conf.d/b.toml\", \"conf.d/a.toml\"]\n",
        ]);
        put(root.path(), "/etc/containerd/config.toml", &layer(&mut dice, imports));
        let nested = dice.of(&["", "imports = [\"c.toml\"]\n"]);
        put(root.path(), "/etc/containerd/conf.d/a.toml", &layer(&mut dice, nested));
        put(root.path(), "/etc/containerd/conf.d/b.toml", &layer(&mut dice, ""));
        put(root.path(), "/etc/containerd/conf.d/c.toml", &layer(&mut dice, ""));
        let file = root.path().join("etc/containerd/config.toml").display().to_string();
        let output = Command::new("/usr/bin/containerd")
            .args(["-c", &file, "config", "dump"])
            // Version 1.6 looks for relative patterns in the folder that it runs in.
            .current_dir(root.path().join("etc/containerd"))
            .output()
            .unwrap_or_else(|error| panic!("containerd: {error}; install it: apt-get install containerd"));
        assert!(
            output.status.success(),
            "{case}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let dump = probes::formats::toml::parse(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
        let cri = &dump["plugins"]["io.containerd.grpc.v1.cri"];
        // What is switched off is not in the dump.
        let on = cri.is_object();
        let wanted = json!({
            "gid": dump["grpc"]["gid"],
            "tcp": dump["grpc"]["tcp_address"],
            "tls": dump["grpc"]["tcp_address"] != "" && dump["grpc"]["tcp_tls_cert"] != "",
            "disabled": dump["disabled_plugins"].as_array().is_some_and(|plugins| !plugins.is_empty()),
            "selinux": cri["enable_selinux"],
            "apparmor": cri["disable_apparmor"],
            "seccomp": cri["unset_seccomp_profile"],
            "registries": cri["registry"]["config_path"],
        });
        let facts = facts(root.path());
        let told = &facts["containerd"]["value"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let if_on = |value: Value| if on { value } else { Value::Null };
        let found = json!({
            "gid": told["socket_gid"],
            "tcp": text(&told["tcp_address"]),
            "tls": told["tcp_tls"],
            "disabled": told["disabled_plugins"] != json!([]),
            "selinux": if_on(told["selinux"].clone()),
            "apparmor": if_on(told["apparmor_disabled"].clone()),
            "seccomp": if_on(told["unset_seccomp_profile"].clone()),
            "registries": if_on(text(&told["registry_config_path"]).into()),
        });
        assert_eq!(found, wanted, "case {case}: {}", facts["containerd"]);
    }
}

#[test]
fn podmans_registries() {
    let mut dice = Dice(11);
    for case in 0..25 {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "/usr/bin/podman", "");
        let registry = |dice: &mut Dice, name: &str| {
            let mut text = format!("[[registry]]\nlocation = \"{name}\"\n");
            text += dice.of(&["", "prefix = \"p.example/x\"\n"]);
            text += dice.of(&["", "insecure = true\n", "insecure = false\n"]);
            text += dice.of(&["", "blocked = true\n"]);
            text += dice.of(&["", "[[registry.mirror]]\nlocation = \"m.example\"\ninsecure = true\n"]);
            text
        };
        let search = dice.of(&[
            "",
            "unqualified-search-registries = [\"z.example\", \"docker.io\"]\n",
            "unqualified-search-registries = []\n",
        ]);
        let main = format!("{search}{}", registry(&mut dice, "a.example"));
        put(root.path(), "/etc/containers/registries.conf", &main);
        let search = dice.of(&["", "unqualified-search-registries = [\"quay.io\"]\n"]);
        let second = format!("{search}{}", registry(&mut dice, dice_name(case)));
        put(root.path(), "/etc/containers/registries.conf.d/x.conf", &second);
        let info = podman(root.path());
        let listed = info["registries"].as_object().unwrap();
        let search: Vec<_> = listed
            .get("search")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let mut insecure = vec![];
        let mut blocked = vec![];
        for (prefix, one) in listed.iter().filter(|(name, _)| *name != "search") {
            if one["Insecure"] == true {
                insecure.push(prefix.clone());
            }
            if one["Blocked"] == true {
                blocked.push(prefix.clone());
            }
            let mirrors = one["Mirrors"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|mirror| mirror["Insecure"] == true);
            insecure.extend(mirrors.map(|mirror| mirror["Location"].as_str().unwrap().to_owned()));
        }
        insecure.sort();
        insecure.dedup();
        blocked.sort();
        let facts = facts(root.path());
        let told = &facts["registries"]["value"];
        let found = json!([told["unqualified_search"], told["insecure"], told["blocked"]]);
        assert_eq!(
            found,
            json!([search, insecure, blocked]),
            "case {case}:\n{main}---\n{second}\n{info}"
        );
    }
}

fn dice_name(case: usize) -> &'static str {
    if case.is_multiple_of(2) {
        "a.example"
    } else {
        "b.example"
    }
}

fn podman(root: &Path) -> Value {
    let at = |path: &str| root.join(path).display().to_string();
    // The variable for another file would switch the drop-ins off.
    let script = "mount --bind \"$1\" /etc/containers && exec /usr/bin/podman --root \"$2\" --runroot \"$3\" \
                  --storage-driver vfs info --format json";
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            &at("etc/containers"),
            &at("storage"),
            &at("run"),
        ])
        .output()
        .expect("unshare; install it: apt-get install util-linux");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr) + "; install podman: apt-get install podman"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
