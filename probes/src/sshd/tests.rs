use serde_json::Value;

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const DEFAULT: &str = include_str!("../../fixtures/sshd/debian12-default.txt");

/// Debian 12 with openssh-server as it is installed, less its comments.
fn debian() -> Captured {
    let keys = include_str!("../../fixtures/sshd/public-keys.txt");
    let key = |kind: &str| {
        keys.lines()
            .find_map(|line| line.split_once(" | ").filter(|(_, key)| key.starts_with(kind)))
    };
    Captured::default()
        .file(SSHD, "ELF")
        .file(
            "/etc/ssh/sshd_config",
            "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\n\
             PrintMotd no\nAcceptEnv LANG LC_*\nSubsystem\tsftp\t/usr/lib/openssh/sftp-server\n",
        )
        .folder("/etc/ssh/sshd_config.d")
        .file("/etc/ssh/ssh_host_ed25519_key", "private")
        .file("/etc/ssh/ssh_host_ed25519_key.pub", key("ssh-ed25519").unwrap().1)
        .file("/etc/default/ssh", "# Options to pass to sshd\nSSHD_OPTS=\n")
        .link("/etc/systemd/system/sshd.service", "/lib/systemd/system/ssh.service")
        .link(
            "/etc/systemd/system/multi-user.target.wants/ssh.service",
            "/lib/systemd/system/ssh.service",
        )
        .output("/usr/sbin/sshd -T", 0, DEFAULT, "")
}

fn documents(host: &Captured) -> (Value, Value) {
    let documents = Registered::of::<SshdProbe>().collect(host);
    let [facts, names] = documents.as_slice() else {
        panic!("two documents")
    };
    assert_eq!(facts.outcome, Outcome::Observed, "{}", facts.detail);
    facts.to_bytes().expect("a document");
    (facts.facts.clone().unwrap(), names.facts.clone().unwrap())
}

#[test]
fn as_installed() {
    let (facts, _) = documents(&debian());
    assert_eq!(facts["installed"], true);
    assert_eq!(facts["effective"]["value"]["permit_root_login"], "prohibit-password");
    assert_eq!(facts["match_blocks"]["value"], serde_json::json!([]));
    assert_eq!(facts["configured"]["value"]["usepam"][0], "yes");
    assert_eq!(facts["service_options"]["value"], serde_json::json!([]));
    assert_eq!(facts["service"]["value"]["enabled"], true);
    assert_eq!(facts["config_files"][0]["mode"], "0644");
    let keys = facts["host_keys"]["value"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    assert_eq!(keys[0]["path"], "/etc/ssh/ssh_host_ecdsa_key");
    assert_eq!(keys[0]["public"]["outcome"], "absent");
    assert_eq!(keys[1]["public"]["value"]["bits"], 256);
    assert_eq!(keys[1]["private_file"]["value"]["readable_by_others"], true);
}

#[test]
fn not_installed_is_a_fact() {
    let (facts, _) = documents(&Captured::default());
    assert_eq!(facts["installed"], false);
    assert_eq!(facts["effective"]["outcome"], "absent");
    assert_eq!(facts["match_blocks"]["outcome"], "absent");
}

#[test]
fn without_privilege_nothing_is_guessed() {
    let refusal = "sshd: no hostkeys available -- exiting.\r\n";
    let host = debian()
        .output("/usr/sbin/sshd -T", 1, "", refusal)
        .denied("/etc/ssh/ssh_host_ed25519_key");
    let (facts, names) = documents(&host);
    assert_eq!(facts["effective"]["outcome"], "denied");
    assert_eq!(facts["configured"]["outcome"], "observed");
    assert_eq!(facts["host_keys"]["value"].as_array().unwrap().len(), 1);
    assert_eq!(names["access_lists"]["outcome"], "denied");
    let hidden = debian().denied("/etc/ssh/sshd_config");
    assert_eq!(documents(&hidden).0["match_blocks"]["outcome"], "denied");
}

#[test]
fn refusals_of_sshd() {
    let failed = |status, stdout: &str, stderr: &str| {
        let (facts, _) = documents(&debian().output("/usr/sbin/sshd -T", status, stdout, stderr));
        let effective = &facts["effective"];
        (
            effective["outcome"].as_str().unwrap().to_owned(),
            effective["detail"].as_str().unwrap().to_owned(),
        )
    };
    let (outcome, detail) = failed(255, "", "Missing privilege separation directory: /run/sshd\r\n");
    assert_eq!(outcome, "failed");
    assert_eq!(
        detail,
        "/usr/sbin/sshd -T: exit status 255: Missing privilege separation directory: /run/sshd"
    );
    assert_eq!(failed(0, "", "").0, "failed");
    assert_eq!(failed(0, "something else\n", "").0, "malformed");
}

#[test]
fn match_blocks_are_asked_one_by_one_and_name_nobody() {
    let host = debian()
        .file("/etc/passwd", "alice:x:1000:1000::/home/alice:/bin/sh\n")
        .file("/etc/group", "alice:x:1000:\nsftp:x:2000:alice\n")
        .file(
            "/etc/ssh/sshd_config",
            "AllowUsers alice\nMatch Group sftp\n  ForceCommand internal-sftp\nMatch Exec true\n  PermitTTY no\n",
        )
        .output(
            "/usr/sbin/sshd -T -C user=alice,host=affiant.invalid,addr=192.0.2.1,laddr=192.0.2.1,lport=22",
            0,
            &DEFAULT.replace("forcecommand none", "forcecommand internal-sftp"),
            "",
        );
    let (facts, names) = documents(&host);
    let blocks = facts["match_blocks"]["value"].as_array().unwrap();
    assert_eq!(blocks[0]["criteria"], serde_json::json!(["group"]));
    assert_eq!(blocks[0]["differs_in"], serde_json::json!(["forcecommand"]));
    assert_eq!(blocks[0]["effective"]["value"]["force_command"], true);
    assert_eq!(blocks[1]["effective"]["outcome"], "unsupported");
    assert_eq!(names["match_lines"][0]["text"], "Group sftp");
    let documents = Registered::of::<SshdProbe>().collect(&host);
    let text = String::from_utf8(documents[0].to_bytes().unwrap()).unwrap();
    assert!(!text.contains("alice"), "{text}");
}

#[test]
fn options_of_the_service_count() {
    let command = "/usr/sbin/sshd -T -o PermitRootLogin=yes";
    let host = debian()
        .file("/etc/default/ssh", "SSHD_OPTS='-o PermitRootLogin=yes'\n")
        .output(
            command,
            0,
            &DEFAULT.replace("permitrootlogin without-password", "permitrootlogin yes"),
            "",
        );
    let (facts, _) = documents(&host);
    assert_eq!(facts["effective"]["value"]["permit_root_login"], "yes");
    let (facts, _) = documents(&debian().file("/etc/default/ssh", "SSHD_OPTS=$MORE\n"));
    assert_eq!(facts["effective"]["outcome"], "unsupported");
}
