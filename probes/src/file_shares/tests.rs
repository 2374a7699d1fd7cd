use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const SMB: &str = "/etc/samba/smb.conf";

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<FileSharesProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn samba(text: &str) -> Value {
    facts(&Captured::default().file(SMB, text))["samba"].clone()
}

#[test]
fn the_table_is_sorted() {
    assert!(SERVERS.is_sorted_by_key(|server| server.id));
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["servers"], json!([]));
    for part in ["configured", "exported", "difference", "versions"] {
        assert_eq!(facts["nfs"][part]["outcome"], "absent", "{part}");
    }
    assert_eq!(facts["samba"]["outcome"], "absent");
    assert_eq!(facts["vsftpd"]["outcome"], "absent");
}

const EXPORTS: &str = "/srv/a 10.0.0.0/8(rw,sync) h.example(ro)\n/home/ada *(rw,no_root_squash,insecure)\n";
const ETAB: &str = "/srv/a\t10.0.0.0/8(rw,sync,wdelay,sec=sys,rw,root_squash)\n/srv/a\th(ro,sync,sec=sys,ro)\n\
                    /home/ada\t*(rw,sync,insecure,no_root_squash,sec=sys,rw,no_root_squash)\n";

fn full() -> Captured {
    Captured::default()
        .file("/usr/sbin/smbd", "")
        .file(
            "/usr/lib/systemd/system/smbd.service",
            "[Service]\nExecStart=/usr/sbin/smbd\n",
        )
        .file("/etc/exports", EXPORTS)
        .file("/etc/exports.d/more.exports", "/srv/b @g(rw,sec=krb5p)\n")
        .file("/etc/exports.d/more.old", "/srv/c *\n")
        .file("/var/lib/nfs/etab", format!("{ETAB}/srv/b\t@g(rw,sec=krb5p,rw)\n"))
        .file("/etc/nfs.conf", "[nfsd]\nvers3=n\n")
        .file("/proc/fs/nfsd/versions", "-2 -3 +4 +4.1 +4.2\n")
        .file(SMB, "[global]\nserver min protocol=NT1\n[homes]\nread only=no\n")
        .file("/var/lib/samba/usershares/x", "#VERSION 2\npath=/srv/x\nguest_ok=y\n")
        .file("/etc/vsftpd.conf", "anonymous_enable=YES\n")
}

#[test]
fn what_is_offered() {
    let facts = facts(&full());
    assert_eq!(facts["servers"][0]["product"], "samba");
    let nfs = &facts["nfs"];
    let configured = &nfs["configured"]["value"];
    assert_eq!(
        configured["files"],
        json!(["/etc/exports", "/etc/exports.d/more.exports"])
    );
    assert_eq!(configured["exports"], nfs["exported"]["value"]);
    let home = &configured["exports"][0];
    assert_eq!(home["folder"], "/home/*");
    let expected = json!([{"kind": "everybody", "prefix_length": null, "read_write": true, "root_squash": false, "all_squash": false,
                           "secure": false, "sync": true, "flavours": ["sys"], "transport": []}]);
    assert_eq!(home["clients"], expected);
    let none = json!({"exported_not_configured": [], "configured_not_exported": [], "other_options": []});
    assert_eq!(nfs["difference"]["value"], none);
    assert_eq!(nfs["versions"]["value"], json!(["4", "4.1", "4.2"]));
    assert_eq!(nfs["set"]["value"], json!({"vers3": false}));
    let samba = &facts["samba"]["value"];
    assert_eq!(samba["settings"], json!({"server min protocol": "nt1"}));
    assert_eq!(samba["usershares"]["value"], json!({"count": 1, "guest_ok": 1}));
    assert_eq!(facts["vsftpd"]["value"][0]["settings"]["value"]["anonymous"], true);
    for hidden in ["ada", "10.0.0.0", "h.example", "@g"] {
        assert!(!facts.to_string().contains(hidden), "{hidden}");
    }
}

#[test]
fn what_differs_between_the_configuration_and_what_is_exported() {
    let host = full()
        .link("/srv/l", "a")
        .file("/etc/exports", "/srv/l 10.0.0.0/8(ro)\n/srv/new *\n")
        .file("/etc/exports.d/more.exports", "");
    let difference = facts(&host)["nfs"]["difference"]["value"].clone();
    let expected = json!({"exported_not_configured": ["/home/*", "/srv/a", "/srv/b"],
                          "configured_not_exported": ["/srv/new"], "other_options": ["/srv/a"]});
    assert_eq!(difference, expected);
}

#[test]
fn what_is_exported_by_hand_differs_from_no_configuration() {
    let facts = facts(&Captured::default().file("/var/lib/nfs/etab", "/srv/a\t*(rw,sec=sys,rw)\n"));
    assert_eq!(facts["nfs"]["configured"]["outcome"], "absent");
    let difference = &facts["nfs"]["difference"]["value"];
    assert_eq!(difference["exported_not_configured"], json!(["/srv/a"]));
}

#[test]
fn a_file_of_exports_is_read_as_far_as_exportfs_reads_it() {
    let host = Captured::default().file("/etc/exports", "/a *(rw)\n/b *(raw)\n/c *(rw)\n");
    let configured = facts(&host)["nfs"]["configured"]["value"].clone();
    assert_eq!(configured["exports"].as_array().unwrap().len(), 1);
    assert_eq!(configured["refused"], json!(["/etc/exports:2: an unknown option"]));
}

#[test]
fn shares_take_defaults_copies_and_synonyms() {
    let read = samba(
        "guest ok=yes\n[a]\npath=/srv/a\nwriteable=yes\n[global]\nguest ok=no\nmin protocol=SMB3_11\nsmb encrypt=mandatory\n\
         hosts allow=10.\n[b]\nread only=yes\ncopy=A\nvalid users=ada\n[c]\npublic=1\n[homes]\nbrowsable=no\n",
    );
    let samba = &read["value"];
    assert_eq!(
        samba["settings"],
        json!({"server min protocol": "smb3", "server smb encrypt": "required"})
    );
    assert_eq!(samba["hosts_allow"], true);
    let told = |share: &Value| {
        [
            "name",
            "path",
            "guest_ok",
            "read_only",
            "available",
            "encryption",
            "valid_users",
        ]
        .map(|field| share[field].clone())
    };
    let shares: Vec<_> = samba["shares"].as_array().unwrap().iter().map(told).collect();
    let expected = json!([
        ["a", "/srv/a", true, false, true, "default", false],
        ["b", "/srv/a", true, true, true, "default", true],
        ["c", null, true, true, false, "required", false],
        ["homes", null, false, true, true, "required", false],
    ]);
    assert_eq!(json!(shares), expected);
    assert!(!read.to_string().contains("ada"));
}

#[test]
fn includes_are_followed_and_what_samba_refuses_is_malformed() {
    let host = Captured::default()
        .file(
            SMB,
            "include=/etc/samba/more\ninclude=/etc/samba/%m\ninclude=registry\n[x]\npath=/x\ninclude=/etc/samba/x\n",
        )
        .file("/etc/samba/more", "server signing=mandatory\n")
        .file("/etc/samba/x", "guest ok=yes\n[y]\npath=/y\n");
    let read = facts(&host)["samba"]["value"].clone();
    assert_eq!(read["files"], json!([SMB, "/etc/samba/more", "/etc/samba/x"]));
    assert_eq!(read["not_followed"], json!(["/etc/samba/%m"]));
    assert_eq!(read["registry"], true);
    assert_eq!(read["shares"][0]["guest_ok"], true);
    assert_eq!(read["settings"]["server signing"], "required");
    for text in [
        "[x\n",
        "=y\n",
        "[x]\nguest ok=perhaps\n",
        "[x]\ncopy=y\n",
        "copy=x\n",
        "server signing=\n",
        "[]\n",
    ] {
        assert_eq!(samba(text)["outcome"], "malformed", "{text}");
    }
    let circle = samba("include=/etc/samba/smb.conf\n");
    assert_eq!(circle["outcome"], "failed");
}

#[test]
fn denied_and_malformed_are_said() {
    let host = full()
        .denied("/etc/exports.d")
        .denied("/var/lib/nfs/etab")
        .file("/etc/nfs.conf", b"\xff")
        .file("/proc/fs/nfsd/versions", "x\n")
        .denied(SMB)
        .file("/etc/vsftpd.conf", "anonymous_enable=maybe\n");
    let facts = facts(&host);
    let nfs = &facts["nfs"];
    for (part, outcome) in [
        ("configured", "denied"),
        ("exported", "denied"),
        ("difference", "denied"),
        ("set", "malformed"),
        ("versions", "malformed"),
    ] {
        assert_eq!(nfs[part]["outcome"], outcome, "{part}");
    }
    assert_eq!(facts["samba"]["outcome"], "denied");
    assert_eq!(facts["vsftpd"]["value"][0]["settings"]["outcome"], "malformed");
    let host = full().file("/var/lib/nfs/etab", "/a *(x)\n");
    assert_eq!(self::facts(&host)["nfs"]["exported"]["outcome"], "malformed");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "(\\[x\\]|\\[global\\]|copy|include|=|guest ok|yes|x|/etc/samba/smb.conf|\n| ){0,40}") {
        for content in [bytes, text.into_bytes()] {
            let mut host = full();
            for path in ["/etc/exports", "/var/lib/nfs/etab", "/etc/nfs.conf", "/proc/fs/nfsd/versions", SMB, "/etc/vsftpd.conf",
                         "/var/lib/samba/usershares/x"] {
                host = host.file(path, &content);
            }
            facts(&host);
        }
    }
}
