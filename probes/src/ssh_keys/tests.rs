//! The probe over captured files.

use evidence::facts::FactsDocument;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Kind, Stat};
use crate::registry::Registered;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\n\
    nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\nalice:x:1000:1000::/home/alice:/bin/bash\n";
const PUBLIC: &str = include_str!("../../fixtures/ssh-keys/ed25519.pub");
const PRIVATE: &str = include_str!("../../fixtures/ssh-keys/ed25519");
const PROTECTED: &str = include_str!("../../fixtures/ssh-keys/rsa-passphrase");

fn documents(host: &Captured) -> Vec<FactsDocument> {
    Registered::of::<SshKeysProbe>().collect(host)
}

fn facts(host: &Captured) -> Value {
    let document = documents(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn stat(kind: Kind, mode: u32, uid: u32) -> Stat {
    Stat {
        kind,
        mode,
        uid,
        gid: uid,
        size: 0,
        mtime: 1_700_000_000,
        ctime: 1_700_000_000,
        device: (0, 0),
        inode: 0,
        attributes: Attributes::default(),
    }
}

fn host() -> Captured {
    Captured::default()
        .file("/etc/passwd", PASSWD)
        .folder("/root")
        .folder("/home/alice")
        .folder("/bin")
}

#[test]
fn keys_files_and_names() {
    let host = host()
        .file(
            "/home/alice/.ssh/authorized_keys",
            format!("from=\"10.0.0.0/8\",no-pty {PUBLIC}x\n"),
        )
        .stat_of("/home/alice/.ssh/authorized_keys", stat(Kind::File, 0o664, 1000))
        .file("/home/alice/.ssh/id_a", PRIVATE)
        .file("/home/alice/.ssh/id_a.pub", PUBLIC)
        .file("/home/alice/.ssh/id_b", PROTECTED)
        .stat_of("/home/alice/.ssh/id_b", stat(Kind::File, 0o640, 1000))
        .file("/root/.ssh/authorized_keys2", PUBLIC);
    let documents = documents(&host);
    let facts = documents[0].facts.clone().unwrap();
    assert_eq!(
        facts["files_setting"],
        json!({"outcome": "observed", "value": [".ssh/authorized_keys", ".ssh/authorized_keys2"]})
    );
    let keys = facts["authorized_keys"].as_array().unwrap();
    assert_eq!(
        (&keys[0]["uid"], &keys[0]["file"]),
        (&json!(0), &json!(".ssh/authorized_keys2"))
    );
    assert_eq!(keys[1]["options"], json!(["from", "no-pty"]));
    assert_eq!(
        (&keys[1]["from_limited"], &keys[1]["forced_command"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&keys[1]["kind"], &keys[1]["bits"]),
        (&json!("ssh-ed25519"), &json!(256))
    );
    let file = &facts["authorized_files"][1];
    assert_eq!(
        (&file["mode"], &file["writable_by_others"], &file["keys"]),
        (&json!("0664"), &json!(true), &json!(1))
    );
    assert_eq!(
        (&file["changed"], &file["unparsed_lines"]),
        (&json!("2023-11-14T22:13:20Z"), &json!([2]))
    );
    let private = facts["private_keys"].as_array().unwrap();
    assert_eq!(
        (&private[0]["passphrase"], &private[1]["passphrase"]),
        (&json!("none"), &json!("set"))
    );
    assert_eq!(
        (&private[0]["fingerprint"], &private[0]["number"]),
        (&keys[1]["fingerprint"], &json!(1))
    );
    assert_eq!(
        (&private[1]["kind"], &private[1]["bits"]),
        (&json!("ssh-rsa"), &json!(3072))
    );
    assert_eq!(private[1]["readable_by_others"], true);
    assert_eq!((&facts["unread"], &facts["complete"]), (&json!([]), &json!(true)));

    let first = serde_json::to_string(&(&facts, &documents[0].sources)).unwrap();
    for hidden in ["alice", "10.0.0.0", "id_a"] {
        assert!(!first.contains(hidden), "{hidden} in {first}");
    }
    let names = documents[1].facts.clone().unwrap();
    assert_eq!(names["users"], json!({"0": ["root"], "1000": ["alice"]}));
    assert_eq!(names["comments"], json!(["test", "test"]));
    assert_eq!(
        names["private_key_paths"],
        json!(["/home/alice/.ssh/id_a", "/home/alice/.ssh/id_b"])
    );
}

#[test]
fn the_configured_files_are_read() {
    let config = "AuthorizedKeysFile /etc/ssh/keys/%u %h/.keys/%U%%\nTrustedUserCAKeys /etc/ssh/ca\n\
        AuthorizedKeysCommand none\nMatch User x\n AuthorizedKeysCommand /usr/bin/x\n";
    let host = host()
        .file("/etc/ssh/sshd_config", config)
        .file("/srv/keys", PUBLIC)
        .link("/etc/ssh/keys/alice", "/srv/keys")
        .file("/home/alice/.keys/1000%", PUBLIC)
        .file("/home/alice/.ssh/authorized_keys", PUBLIC);
    let facts = facts(&host);
    let keys = facts["authorized_keys"].as_array().unwrap();
    let files: Vec<_> = keys.iter().map(|key| key["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["%h/.keys/%U%%", "/etc/ssh/keys/%u"]);
    assert_eq!(
        (&facts["user_ca_set"]["value"], &facts["command_set"]["value"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(facts["set_in_match"]["value"], json!(["authorizedkeyscommand"]));
}

#[test]
fn links_refusals_and_remote_homes_are_said() {
    let passwd = format!("{PASSWD}bob:x:1001:1001::/net/bob:/bin/sh\ncarol:x:1002:1002::/home/carol:/bin/sh\nbroken\n");
    let host = Captured::default()
        .file("/etc/passwd", passwd)
        .file("/etc/shadow", PUBLIC)
        .folder("/root/.ssh")
        .link("/root/.ssh/authorized_keys", "/etc/shadow")
        .link("/home/alice/.ssh", "/root/.ssh")
        .denied("/home/carol/.ssh")
        .folder("/net/bob")
        .file("/proc/self/mountinfo", "36 35 0:40 / /net rw - nfs4 server:/net rw\n")
        .denied("/etc/ssh/sshd_config");
    let facts = facts(&host);
    let unread: Vec<_> = facts["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["uid"],
                one["what"].as_str().unwrap(),
                one["outcome"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        unread,
        [
            "null /etc/passwd malformed",
            "0 .ssh/authorized_keys skipped",
            "1000 .ssh/authorized_keys skipped",
            "1000 .ssh/authorized_keys2 skipped",
            "1000 private keys skipped",
            "1001 home skipped",
            "1002 .ssh/authorized_keys denied",
            "1002 .ssh/authorized_keys2 denied",
            "1002 private keys denied",
        ]
    );
    assert_eq!(facts["files_setting"]["outcome"], "denied");
    assert_eq!(facts["authorized_keys"], json!([]));
}

#[test]
fn without_accounts_there_is_nothing_to_say() {
    assert!(documents(&Captured::default())[0].facts.is_none());
    assert!(documents(&Captured::default().denied("/etc/passwd"))[0].facts.is_none());
    let nobody = facts(&Captured::default().file("/etc/passwd", PASSWD));
    assert_eq!(
        (&nobody["authorized_keys"], &nobody["unread"]),
        (&json!([]), &json!([]))
    );
}

#[test]
fn a_user_cannot_make_the_lists_grow() {
    let keys = PUBLIC.repeat(2_000);
    let mut host = host().file("/home/alice/.ssh/authorized_keys", keys);
    for number in 0..300 {
        host = host.file(&format!("/home/alice/.ssh/id_{number}"), PRIVATE);
    }
    let facts = facts(&host.file("/root/.ssh/authorized_keys", vec![b'x'; 2_000_000]));
    assert_eq!(facts["authorized_keys"].as_array().unwrap().len(), 1_000);
    assert!(facts["private_keys"].as_array().unwrap().len() <= 200);
    assert_eq!(facts["complete"], false);
    assert_eq!(facts["unread"][0]["outcome"], "failed");
}

#[test]
fn authorities_whose_certificates_let_users_in() {
    let with = |line: &str| {
        host().file(
            "/etc/ssh/sshd_config",
            format!("{line}\nRevokedKeys /etc/ssh/revoked\n"),
        )
    };
    let ca = with("TrustedUserCAKeys /etc/ssh/ca.pub").file("/etc/ssh/ca.pub", format!("# ours\n\n{PUBLIC}"));
    let seen = facts(&ca);
    assert_eq!(seen["user_ca_set"]["value"], true);
    assert_eq!(seen["revoked_keys_set"]["value"], true);
    let keys = seen["user_ca_keys"]["value"].as_array().unwrap();
    assert_eq!(
        (keys.len(), &keys[0]["line"], &keys[0]["kind"]),
        (1, &json!(3), &json!("ssh-ed25519"))
    );
    let outcome = |host: &Captured| facts(host)["user_ca_keys"]["outcome"].clone();
    assert_eq!(outcome(&with("TrustedUserCAKeys none")), "absent");
    assert_eq!(outcome(&host()), "absent");
    assert_eq!(outcome(&with("TrustedUserCAKeys /etc/ssh/gone.pub")), "failed");
    let set = || with("TrustedUserCAKeys /etc/ssh/ca.pub");
    assert_eq!(outcome(&set().denied("/etc/ssh/ca.pub")), "denied");
    assert_eq!(outcome(&set().file("/etc/ssh/ca.pub", "no key\n")), "malformed");
    assert_eq!(outcome(&set().file("/etc/ssh/ca.pub", PUBLIC.repeat(1_001))), "skipped");
    // The service's options count before the file.
    let option = set()
        .file("/etc/default/ssh", "SSHD_OPTS=-oTrustedUserCAKeys=none\n")
        .file("/etc/ssh/ca.pub", PUBLIC);
    assert_eq!(outcome(&option), "absent");
}
