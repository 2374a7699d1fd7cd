//! The ssh-keys probe against ssh-keygen: keys of every kind and form that it makes.

#![cfg(test)]

mod machine;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use serde_json::Value;

const KEYGEN: &str = "/usr/bin/ssh-keygen";

fn keygen(args: &[&str]) -> String {
    let output = authority("openssh-client", KEYGEN, args, b"");
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn facts(root: &Path) -> (Value, Value) {
    let all = registry::all();
    let probe = all.iter().find(|probe| probe.spec.id == "ssh-keys").unwrap();
    let documents = probe.collect(&Machine::folder(root));
    let of = |number: usize| {
        documents[number]
            .facts
            .clone()
            .unwrap_or_else(|| panic!("{}", documents[number].detail))
    };
    (of(0), of(1))
}

/// `3072 SHA256:… comment (RSA)` as far as the comment.
fn shown(key: &Value) -> String {
    format!("{} {}", key["bits"], key["fingerprint"].as_str().unwrap())
}

fn first_two(line: &str) -> String {
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_of_every_kind_are_those_that_ssh_keygen_sees() {
    let temp = tempfile::tempdir().unwrap();
    let ssh = temp.path().join("home/a/.ssh");
    fs::create_dir_all(&ssh).unwrap();
    fs::create_dir_all(temp.path().join("etc")).unwrap();
    fs::write(temp.path().join("etc/passwd"), "a:x:1000:1000::/home/a:/bin/sh\n").unwrap();
    let kinds: [&[&str]; 8] = [
        &["-t", "rsa", "-b", "1024"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "2050"],
        &["-t", "rsa", "-b", "3072"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "ed25519"],
    ];
    let forms: [&[&str]; 3] = [&[], &["-m", "PEM"], &["-m", "PKCS8"]];
    let mut authorized = String::new();
    for (kind, options) in kinds.iter().enumerate() {
        for (form, format) in forms.iter().enumerate() {
            for passphrase in ["", "secret"] {
                let set = usize::from(!passphrase.is_empty());
                let path = ssh.join(format!("id_{kind}{form}{set}")).to_str().unwrap().to_owned();
                let mut args = vec!["-q", "-N", passphrase, "-C", "some comment", "-f", &path];
                args.extend(*options);
                args.extend(*format);
                keygen(&args);
                authorized += [
                    "",
                    "restrict,from=\"10.0.0.0/8, \\\"x\\\"\" ",
                    "cert-authority,command=\"a b\"\t",
                ][form];
                authorized += &fs::read_to_string(format!("{path}.pub")).unwrap();
                authorized += "# comment\n\n";
            }
        }
    }
    let file = ssh.join("authorized_keys");
    fs::write(&file, &authorized).unwrap();
    let (facts, names) = facts(temp.path());
    assert_eq!(facts["unread"], serde_json::json!([]));

    // Without options, since ssh-keygen -l shows a wrong comment for some lines with them.
    let listed = keygen(&["-lf", file.to_str().unwrap()]);
    let expected: Vec<_> = listed.lines().map(first_two).collect();
    let keys = facts["authorized_keys"].as_array().unwrap();
    assert_eq!(keys.iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!(keys.len(), kinds.len() * forms.len() * 2);
    assert!(
        names["comments"]
            .as_array()
            .unwrap()
            .iter()
            .all(|comment| comment == "some comment")
    );

    let private = facts["private_keys"].as_array().unwrap();
    assert_eq!(private.len(), keys.len());
    let mut with_public_half = 0;
    for (key, path) in private.iter().zip(names["private_key_paths"].as_array().unwrap()) {
        let path = format!("{}{}", temp.path().to_str().unwrap(), path.as_str().unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // Without a passphrase ssh-keygen gives the public half if and only if none is needed.
        let opened = authority("openssh-client", KEYGEN, &["-y", "-P", "", "-f", &path], b"");
        let needed = if opened.status.success() { "none" } else { "set" };
        assert_eq!(key["passphrase"], needed, "{path}");
        if key["form"] == "openssh" {
            with_public_half += 1;
            let listed = keygen(&["-lf", &path]);
            assert_eq!(shown(key), first_two(&listed), "{path}");
        }
    }
    // ssh-keygen knows no other form for Ed25519.
    assert_eq!(with_public_half, kinds.len() * 2 + 4);
    eprintln!("{} authorized keys, {} private keys", keys.len(), private.len());
}

/// The host keys of the machine, as some that others have made.
#[test]
fn lines_that_ssh_keygen_refuses_are_unparsed() {
    let temp = tempfile::tempdir().unwrap();
    let ssh = temp.path().join("root/.ssh");
    fs::create_dir_all(&ssh).unwrap();
    fs::create_dir_all(temp.path().join("etc")).unwrap();
    fs::write(temp.path().join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    let key_file = temp.path().join("key");
    keygen(&[
        "-q",
        "-N",
        "",
        "-C",
        "",
        "-t",
        "ed25519",
        "-f",
        key_file.to_str().unwrap(),
    ]);
    let key = fs::read_to_string(format!("{}.pub", key_file.display())).unwrap();
    let key = key.trim();
    let (kind, encoded) = key.split_once(' ').unwrap();
    let lines = [
        key.to_owned(),
        format!("   {key}   "),
        format!("{kind}\t{encoded}"),
        format!("{kind}   {encoded}"),
        format!("no-pty {key}"),
        format!("command=\"x \\\" y\" {key}"),
        kind.to_owned(),
        format!("{kind} {}", &encoded[..40]),
        format!("ssh-rsa {encoded}"),
        format!("command=\"open {key}"),
        format!("no-pty, {kind}"),
        "!!".to_owned(),
        format!("{kind} {encoded}AAAA"),
    ];
    let mut compared = 0;
    for line in lines {
        fs::write(ssh.join("authorized_keys"), format!("{line}\n")).unwrap();
        let one = temp.path().join("one");
        fs::write(&one, format!("{line}\n")).unwrap();
        let taken = authority("openssh-client", KEYGEN, &["-lf", one.to_str().unwrap()], b"")
            .status
            .success();
        let (facts, _) = facts(temp.path());
        assert_eq!(
            facts["authorized_keys"].as_array().unwrap().len(),
            usize::from(taken),
            "{line}"
        );
        compared += 1;
    }
    eprintln!("{compared} lines");
}

#[test]
fn authorities_are_those_that_ssh_keygen_sees() {
    let temp = tempfile::tempdir().unwrap();
    let mut authorities = String::from("# ours\n\n");
    for (kind, bits) in [("rsa", "2048"), ("ecdsa", "384"), ("ed25519", "256")] {
        let path = temp.path().join(kind);
        let path = path.to_str().unwrap();
        keygen(&["-q", "-t", kind, "-b", bits, "-N", "", "-f", path]);
        authorities += &fs::read_to_string(format!("{path}.pub")).unwrap();
    }
    machine::put(temp.path(), "etc/passwd", "a:x:1000:1000::/home/a:/bin/sh\n");
    machine::put(
        temp.path(),
        "etc/ssh/sshd_config",
        "TrustedUserCAKeys /etc/ssh/ca.pub\n",
    );
    machine::put(temp.path(), "etc/ssh/ca.pub", &authorities);
    let path = temp.path().join("etc/ssh/ca.pub");
    let listed = keygen(&["-l", "-f", path.to_str().unwrap()]);
    let expected: Vec<_> = listed.lines().map(first_two).collect();
    let facts = facts(temp.path()).0;
    let seen: Vec<_> = facts["user_ca_keys"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(shown)
        .collect();
    assert_eq!((seen.len(), &seen), (3, &expected));
}
