use serde_json::Value;

use super::*;
use crate::reading::Kind;
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
        .file(
            "/usr/lib/systemd/system/ssh.service",
            "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStartPre=/usr/sbin/sshd -t\n\
             ExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n",
        )
        .file(
            "/usr/lib/systemd/system/default.target",
            "[Unit]\nRequires=multi-user.target\n",
        )
        .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
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
    let units = facts["units"]["value"].as_array().unwrap();
    assert_eq!((units.len(), &units[0]["unit"]), (1, &"ssh.service".into()));
    assert_eq!(units[0]["at_boot"], "pulled");
    assert_eq!(facts["running"]["outcome"], "absent");
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

#[test]
fn what_a_drop_in_of_the_unit_gives_counts() {
    let host = debian()
        .file(
            "/etc/systemd/system/ssh.service.d/own.conf",
            "[Service]\nEnvironmentFile=-/etc/more\nExecStart=\nExecStart=-/usr/sbin/sshd -D -oPermitRootLogin=yes $MORE\n",
        )
        .file("/etc/more", "MORE='-oPort=23 -o \"AllowUsers alice\"'\n")
        .output(
            "/usr/sbin/sshd -T -o PermitRootLogin=yes -o Port=23 -o AllowUsers alice",
            0,
            &DEFAULT.replace("permitrootlogin without-password", "permitrootlogin yes"),
            "",
        );
    let (facts, _) = documents(&host);
    assert_eq!(facts["effective"]["value"]["permit_root_login"], "yes");
    assert_eq!(facts["configured"]["value"]["permitrootlogin"][0], "yes");
    assert_eq!(facts["configured"]["value"]["allowusers"][0], "set");
    let shown = serde_json::json!(["-o PermitRootLogin=yes", "-o Port=23", "-o allowusers=set"]);
    assert_eq!(facts["service_options"]["value"], shown);
    let other = "[Service]\nExecStart=\nExecStart=/opt/ssh/sbin/sshd -D\n";
    let (facts, _) = documents(&debian().file("/etc/systemd/system/ssh.service.d/own.conf", other));
    assert_eq!(facts["effective"]["outcome"], "unsupported");
    let (facts, _) = documents(&debian().denied("/etc/default/ssh"));
    assert_eq!(facts["effective"]["outcome"], "denied");
}

/// RHEL 8 gives the system's policy for cryptography on the command line.
#[test]
fn options_of_red_hat_and_suse_count() {
    let unit = |text: &str| {
        Captured::default()
            .file(SSHD, "ELF")
            .file("/usr/lib/systemd/system/sshd.service", format!("[Service]\n{text}\n"))
    };
    let red_hat = unit(
        "EnvironmentFile=-/etc/crypto-policies/back-ends/opensshserver.config\nEnvironmentFile=-/etc/sysconfig/sshd\n\
         ExecStart=/usr/sbin/sshd -D $OPTIONS $CRYPTO_POLICY",
    )
    .file(
        "/etc/crypto-policies/back-ends/opensshserver.config",
        "CRYPTO_POLICY='-oCiphers=aes256-gcm@openssh.com -oMACs=hmac-sha2-512'\n",
    )
    .file("/etc/sysconfig/sshd", "# SSH_USE_STRONG_RNG=0\nOPTIONS=-4\n");
    let suse = unit("EnvironmentFile=-/etc/sysconfig/ssh\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS")
        .file("/etc/sysconfig/ssh", "SSHD_OPTS=\"-p 2222\"\n")
        .file(
            "/usr/etc/ssh/sshd_config",
            "UsePAM yes\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        )
        .file("/etc/ssh/sshd_config.d/50-own.conf", "PermitRootLogin no\n");
    let options = |host: &Captured| documents(host).0["service_options"]["value"].clone();
    let policy = ["-4", "-o Ciphers=aes256-gcm@openssh.com", "-o MACs=hmac-sha2-512"];
    assert_eq!(options(&red_hat), serde_json::json!(policy));
    assert_eq!(options(&suse), serde_json::json!(["-p 2222"]));
    let (facts, _) = documents(&suse);
    assert_eq!(facts["configured"]["value"]["permitrootlogin"][0], "no");
    assert_eq!(facts["config_files"][0]["path"], "/usr/etc/ssh/sshd_config");
}

#[test]
fn what_runs_can_be_older_than_its_configuration() {
    let stat = |kind, time| crate::reading::Stat {
        kind,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: 3,
        mtime: time,
        ctime: time,
        device: (0, 0),
        inode: 1,
        attributes: crate::reading::Attributes::default(),
    };
    let running = |started| {
        debian()
            .file("/run/sshd.pid", "77\n")
            .stat_of("/run/sshd.pid", stat(Kind::File, started))
            .stat_of("/etc/ssh/sshd_config", stat(Kind::File, 100))
            .stat_of("/etc/ssh/sshd_config.d", stat(Kind::Folder, 200))
            .file("/proc/77/comm", "sshd\n")
            .file(
                "/proc/77/cmdline",
                "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0",
            )
    };
    let told = |host: &Captured| documents(host).0["running"]["value"].clone();
    let current = told(&running(200));
    assert_eq!(current["changed_since"], serde_json::json!([]));
    assert_eq!(current["same_command"]["value"], true);
    assert_eq!(current["started"], "daemon");
    let changed = told(&running(150));
    assert_eq!(changed["changed_since"], serde_json::json!(["/etc/ssh/sshd_config.d"]));
    let options =
        running(200)
            .file("/etc/default/ssh", "SSHD_OPTS=-4\n")
            .output("/usr/sbin/sshd -T -4", 0, DEFAULT, "");
    assert_eq!(told(&options)["same_command"]["value"], false);
    let outcome = |host: &Captured| documents(host).0["running"]["outcome"].clone();
    assert_eq!(outcome(&running(200).file("/proc/77/comm", "bash\n")), "absent");
    assert_eq!(outcome(&running(200).file("/run/sshd.pid", "x")), "malformed");
    assert_eq!(outcome(&running(200).denied("/run/sshd.pid")), "denied");
    assert_eq!(outcome(&running(200).denied("/proc/77/comm")), "denied");
    assert_eq!(outcome(&running(200).denied("/etc/ssh/sshd_config")), "denied");
}

#[test]
fn with_a_socket_each_connection_reads_the_configuration() {
    let host = debian()
        .file(
            "/usr/lib/systemd/system/ssh.socket",
            "[Socket]\nListenStream=22\nAccept=yes\n",
        )
        .file(
            "/usr/lib/systemd/system/ssh@.service",
            "[Service]\nExecStart=-/usr/sbin/sshd -i -p 24 $SSHD_OPTS\n",
        )
        .link(
            "/etc/systemd/system/multi-user.target.wants/ssh.socket",
            "/lib/systemd/system/ssh.socket",
        )
        .link("/etc/systemd/system/ssh.service", "/dev/null");
    let (facts, _) = documents(&host);
    assert_eq!(facts["running"]["value"]["started"], "each_connection");
    assert_eq!(facts["service_options"]["value"], serde_json::json!(["-p 24"]));
    let units = facts["units"]["value"].as_array().unwrap();
    let boots: Vec<_> = units.iter().map(|unit| (&unit["unit"], &unit["at_boot"])).collect();
    let expected = [("ssh.service", "masked"), ("ssh.socket", "pulled")].map(|(unit, boot)| (unit.into(), boot.into()));
    assert_eq!(boots, expected.each_ref().map(|(unit, boot)| (unit, boot)));
    // A socket that leaves the connections to one sshd.
    let (facts, _) = documents(&host.file(
        "/usr/lib/systemd/system/ssh.socket",
        "[Socket]\nListenStream=22\nAccept=no\n",
    ));
    assert_eq!(facts["running"]["outcome"], "absent");
}
