//! The probe of file shares beside exportfs, testparm, nfsconf and vsftpd, which read the same generated files.
//!
//! Needs nfs-kernel-server, samba-common-bin, vsftpd and unshare (util-linux): programs see the generated files as /etc in a
//! mount namespace of their own. vsftpd is started on loopback.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::Duration;

use machine::{Machine, authority, facts_of, put, some};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// Runs a script with `root/etc` as /etc and `root/nfs` as /var/lib/nfs.
fn within(package: &str, root: &Path, script: &str) -> Output {
    fs::create_dir_all(root.join("nfs")).unwrap();
    let at = root.display();
    let script = format!("mount --bind {at}/etc /etc && mount --bind {at}/nfs /var/lib/nfs && {script}");
    authority(package, "unshare", &["-m", "sh", "-c", &script], b"")
}

fn shares(root: &Path) -> Value {
    facts_of("file-shares", &Machine::folder(root))
}

// NFS.

const HOSTS: &str = "127.0.0.1 localhost\n10.9.9.1 one.example\n10.9.9.2 two.example\n";

fn client() -> impl Strategy<Value = String> {
    let name = select(vec![
        "",
        "*",
        "10.0.0.0/8",
        "10.1.0.0/255.255.0.0",
        "10.1.2.3",
        "one.example",
        "two.example",
        "*.example",
        "h?.example",
        "@group",
        "0.0.0.0/0",
        "fe80::/10",
        "fe80::1",
        "gss/krb5i",
        "[ab].example",
    ]);
    let option = select(vec![
        "ro",
        "rw",
        "root_squash",
        "no_root_squash",
        "all_squash",
        "no_all_squash",
        "sync",
        "async",
        "no_subtree_check",
        "sec=krb5",
        "sec=krb5p:krb5i",
        "sec=sys",
        "sec=unix:none",
        "fsid=0",
        "anonuid=1000",
        "crossmnt",
        "squash_uids=0-5,7",
        "acl",
        "rw ",
        "bogus",
        "",
        "sec=x",
        "anongid=x",
        "fsid=x",
        "mp",
        "no_wdelay",
        "fsid=0x1f",
        "mountpoint=/srv",
    ]);
    // Port rules first: with flavours of their own they are told otherwise.
    let port = select(vec!["", "", "insecure,", "secure,"]);
    let options = (port, vec(option, 1..4)).prop_map(|(port, options)| format!("({port}{})", options.join(",")));
    (
        name,
        proptest::option::weighted(0.8, options),
        select(vec![" ", " ", "\t", " \\\n  "]),
    )
        .prop_map(|(name, options, blank)| format!("{blank}{name}{}", options.unwrap_or_default()))
}

fn exports() -> impl Strategy<Value = String> {
    let folder = select(vec![
        "/usr",
        "/usr/lib",
        "\"/usr/share\"",
        "/var/",
        "/var/./lib",
        "/usr\\057bin",
        "\t/opt",
        "/usr/\"local\"",
        "/home",
    ]);
    let defaults = select(vec![
        "",
        "",
        "",
        " -rw,async",
        " -ro,no_root_squash",
        " -sec=krb5",
        " -bogus",
    ]);
    let end = select(vec!["\n", "\n", " # c\n", "\n\n# c\n", "\\\n"]);
    let line = (folder, defaults, vec(client(), 0..4), end)
        .prop_map(|(folder, defaults, clients, end)| format!("{folder}{defaults}{}{end}", clients.concat()));
    vec(line, 0..5).prop_map(|lines| lines.concat())
}

/// What exportfs wrote, told from its explicit form: nothing of the probe's reader.
fn told_by_exportfs(etab: &str) -> Vec<String> {
    let mut told: Vec<_> = etab
        .lines()
        .map(|line| {
            let (folder, rest) = line.split_once('\t').unwrap();
            let (_, options) = rest.trim_end_matches(')').split_once('(').unwrap();
            let (before, flavours) = options.split_once(",sec=").unwrap();
            let has = |option: &str| before.split(',').any(|one| one == option);
            let groups: Vec<&str> = flavours.split(",sec=").collect();
            let any = |option: &str| groups.iter().any(|group| group.split(',').any(|one| one == option));
            let names: Vec<&str> = groups.iter().map(|group| group.split(',').next().unwrap()).collect();
            format!(
                "{folder} rw={} root_squash={} all_squash={} secure={} sync={} {}",
                any("rw"),
                !any("no_root_squash"),
                !any("no_all_squash"),
                has("secure"),
                has("sync"),
                names.join(":").replace("unix", "sys").replace("null", "none"),
            )
        })
        .collect();
    told.sort();
    told
}

fn told_by_probe(exports: &Value) -> Vec<String> {
    let mut told = vec![];
    for export in exports.as_array().unwrap() {
        for client in export["clients"].as_array().unwrap() {
            let flavours = client["flavours"].as_array().unwrap().iter();
            told.push(format!(
                "{} rw={} root_squash={} all_squash={} secure={} sync={} {}",
                export["folder"].as_str().unwrap(),
                client["read_write"],
                client["root_squash"],
                client["all_squash"],
                client["secure"],
                client["sync"],
                flavours.map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join(":"),
            ));
        }
    }
    told.sort();
    told
}

#[test]
fn exports_beside_exportfs() {
    let (mut clients, mut stopped) = (0, 0);
    for (main, more) in some(400, (exports(), proptest::option::of(exports()))) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        put(root, "etc/hosts", HOSTS);
        put(root, "etc/nsswitch.conf", "hosts: files\n");
        put(root, "etc/exports", &main);
        if let Some(more) = &more {
            put(root, "etc/exports.d/more.exports", more);
            put(root, "etc/exports.d/more.other", "/srv *(rw)\n");
        }
        let output = within("nfs-kernel-server", root, "touch /var/lib/nfs/etab && exportfs -ra");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let etab = fs::read_to_string(root.join("nfs/etab")).unwrap_or_else(|error| panic!("{error}: {said}"));
        put(root, "var/lib/nfs/etab", &etab);
        let nfs = shares(root)["nfs"].clone();
        let text = format!("{main}\n--- {more:?}\n--- {etab}\n--- {said}\n--- {nfs:#}");
        let wanted: Vec<_> = told_by_exportfs(&etab);
        let configured = &nfs["configured"]["value"];
        assert_eq!(told_by_probe(&nfs["exported"]["value"]), wanted, "etab\n{text}");
        let none = json!({"exported_not_configured": [], "configured_not_exported": [], "other_options": []});
        assert_eq!(nfs["difference"]["value"], none, "{text}");
        assert_eq!(told_by_probe(&configured["exports"]), wanted, "{text}");
        clients += wanted.len();
        stopped += configured["refused"].as_array().unwrap().len();
    }
    println!("{clients} clients, {stopped} refused");
    assert!(clients > 300 && stopped > 30);
}

#[test]
fn settings_of_nfsd_beside_nfsconf() {
    let names = ["vers3", "vers4", "vers4.1", "vers4.2", "udp", "tcp"];
    let line = (
        select(vec![
            "[nfsd]\n",
            "[NFSD]\n",
            "[mountd]\n",
            "",
            "",
            "",
            "# c\n",
            "foo\n",
            " [nfsd] \n",
        ]),
        select(names.to_vec()),
        select(vec!["=", " = ", "= "]),
        select(vec![
            "y", "n", "YES", "\"no\"", "1", "f", "maybe", "y # c", "", "off", "\\\non",
        ]),
    );
    let line = line.prop_map(|(before, name, is, value)| format!("{before}{name}{is}{value}\n"));
    for text in some(150, vec(line, 1..7).prop_map(|lines| lines.concat())) {
        let temp = tempfile::tempdir().unwrap();
        put(temp.path(), "etc/nfs.conf", &text);
        let file = temp.path().join("etc/nfs.conf");
        let set = shares(temp.path())["nfs"]["set"]["value"].clone();
        for name in names {
            let output = authority(
                "nfs-common",
                "nfsconf",
                &["-f", file.to_str().unwrap(), "--get", "nfsd", name],
                b"",
            );
            let said = String::from_utf8(output.stdout).unwrap().trim().to_lowercase();
            let wanted = match said.as_str() {
                "y" | "yes" | "1" | "on" => json!(true),
                "n" | "no" | "f" | "off" => json!(false),
                _ => Value::Null,
            };
            assert_eq!(set[name], wanted, "{name} {said:?}\n{text}\n{set}");
        }
    }
}

// Samba.

/// Parameters with values of other kinds.
fn other() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("map to guest", "Bad User"),
        ("map to guest", "baduser"),
        ("map to guest", "Never"),
        ("map to guest", "Bad Uid"),
        ("ntlm auth", "yes"),
        ("ntlm auth", "ntlmv2-only"),
        ("ntlm auth", "disabled"),
        ("ntlm auth", "mschapv2-and-ntlmv2-only"),
        ("restrict anonymous", "2"),
        ("restrict anonymous", "0"),
        ("security", "user"),
        ("security", "ADS"),
        ("hosts allow", "10."),
        ("allow hosts", ""),
        ("hosts deny", "ALL"),
        ("interfaces", "lo eth0"),
        ("valid users", "ada, @g"),
        ("valid users", ""),
        ("admin users", "root"),
        ("force user", "root"),
        ("path", "/srv/a b"),
        ("path", "/srv/%U"),
        ("directory", "/x"),
        ("path", ""),
        ("msdfs proxy", "\\\\a\\b"),
        ("usershare max shares", "0"),
        ("foo", "bar"),
        ("vfs objects", "recycle"),
        ("include", "/etc/samba/one"),
        ("include", "/etc/samba/two"),
        ("include", "/etc/samba/none"),
        ("comment", "[x] = y"),
        ("path", "/srv\\\n  /a"),
        ("full_audit:prefix", "%u"),
    ])
}

fn parameter() -> impl Strategy<Value = String> {
    let boolean = (
        select(vec![
            "guest ok",
            "public",
            "Guest  OK",
            "read only",
            "writeable",
            "writable",
            "write ok",
            "browseable",
            "browsable",
            "available",
            "guest only",
            "only guest",
            "printable",
            "print ok",
            "wide links",
            "lanman auth",
            "null passwords",
            "encrypt passwords",
            "bind interfaces only",
            "usershare allow guests",
            "unix extensions",
            "disable netbios",
            "raw NTLMv2 auth",
            "allow insecure wide links",
        ]),
        select(vec![
            "yes", "no", "Yes", "NO", "true", "false", "on", "off", "1", "0", " yes ",
        ]),
    );
    let protocol = (
        select(vec![
            "server min protocol",
            "min protocol",
            "server max protocol",
            "protocol",
            "client min protocol",
        ]),
        select(vec![
            "NT1", "SMB2", "smb2_02", "SMB2_10", "SMB3", "SMB3_11", "SMB3_00", "LANMAN1", "CORE+", "default",
        ]),
    );
    let signing = (
        select(vec![
            "server signing",
            "client signing",
            "client ipc signing",
            "smb encrypt",
            "server smb encrypt",
        ]),
        select(vec![
            "default",
            "auto",
            "mandatory",
            "required",
            "desired",
            "if_required",
            "disabled",
            "No",
            "Enforced",
            "1",
        ]),
    );
    // Each kind often enough; what Samba refuses seldom.
    let refused = select(vec![
        ("guest ok", "maybe"),
        ("server signing", "x"),
        ("", "x"),
        ("copy", "none"),
        ("copy", ""),
    ]);
    let one = prop_oneof![
        30 => boolean,
        15 => protocol,
        15 => signing,
        30 => other(),
        4 => select(vec![("copy", "a"), ("copy", "B"), ("guest ok", "y es")]),
        1 => refused,
    ];
    one.prop_map(|(name, value)| format!("  {name} = {value}\n"))
}

fn smb(sections: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let section = select(vec![
        "[global]\n",
        "[Global]\n",
        "[a]\npath=/srv/a\n",
        "[A]\n",
        "[b]\npath = /srv/b\n",
        "[b c]\n",
        "[homes]\n",
        "[printers]\npath=/p\n",
        "[c$]\ndirectory=/c\n",
        "# c\n",
        "",
        "noise\n",
        "[globals]\n",
        "[d] x\npath=/d\n",
    ]);
    let part = (section, vec(parameter(), 0..5)).prop_map(|(section, lines)| format!("{section}{}", lines.concat()));
    vec(part, sections).prop_map(|parts| parts.concat())
}

/// Sections and values of testparm's output.
fn dump(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            sections.entry(section.clone()).or_default();
        } else if let Some((name, value)) = line.split_once('=').filter(|_| line.starts_with('\t')) {
            let values = sections.entry(section.clone()).or_default();
            values.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    sections
}

fn testparm(root: &Path) -> Option<BTreeMap<String, BTreeMap<String, String>>> {
    let output = within("samba-common-bin", root, "testparm -sv");
    let refused = String::from_utf8_lossy(&output.stderr).contains("Error loading services");
    assert!(
        refused || output.status.code().is_some_and(|code| code < 2),
        "{output:?}"
    );
    (!refused).then(|| dump(&String::from_utf8_lossy(&output.stdout)))
}

/// What the probe says of a share, beside testparm's values.
const FIELDS: [(&str, &str); 14] = [
    ("available", "available"),
    ("browseable", "browseable"),
    ("read_only", "read only"),
    ("guest_ok", "guest ok"),
    ("guest_only", "guest only"),
    ("printable", "printable"),
    ("wide_links", "wide links"),
    ("path", "path"),
    ("encryption", "server smb encrypt"),
    ("hosts_allow", "hosts allow"),
    ("hosts_deny", "hosts deny"),
    ("valid_users", "valid users"),
    ("admin_users", "admin users"),
    ("force_user", "force user"),
];

#[test]
fn shares_beside_testparm() {
    let temp = tempfile::tempdir().unwrap();
    let nothing = temp.path();
    put(nothing, "etc/samba/smb.conf", "");
    let defaults = testparm(nothing).expect("nothing is not refused")["global"].clone();
    let (mut compared, mut shares_seen, mut refused) = (0, 0, 0);
    for (text, one, two) in some(700, (smb(1..6), smb(0..2), smb(0..1))) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        put(root, "etc/samba/smb.conf", &text);
        put(root, "etc/samba/one", &one.replace("/etc/samba/one", "/etc/samba/two"));
        put(root, "etc/samba/two", &two);
        let samba = shares(root)["samba"].clone();
        let case = format!("{text}\n--- one:\n{one}\n--- {samba:#}");
        let Some(theirs) = testparm(root) else {
            refused += 1;
            assert_eq!(samba["outcome"], "malformed", "{case}");
            continue;
        };
        assert_eq!(samba["outcome"], "observed", "{case}");
        let samba = &samba["value"];
        let global = &theirs["global"];
        for (name, default) in &defaults {
            let ours = samba["settings"][name].as_str();
            let value = global[name].to_lowercase();
            match ours {
                Some(ours) => assert_eq!(ours, value, "{name}\n{case}"),
                None if TOLD.contains(&name.as_str()) => assert_eq!(default.to_lowercase(), value, "{name}\n{case}"),
                None => {}
            }
            compared += usize::from(TOLD.contains(&name.as_str()));
        }
        for (field, name) in [
            ("hosts_allow", "hosts allow"),
            ("hosts_deny", "hosts deny"),
            ("interfaces", "interfaces"),
        ] {
            assert_eq!(samba[field], json!(!global[name].is_empty()), "{name}\n{case}");
        }
        let ours = samba["shares"].as_array().unwrap();
        let names: Vec<_> = ours
            .iter()
            .map(|share| share["name"].as_str().unwrap().to_owned())
            .collect();
        let their_names: Vec<_> = theirs.keys().filter(|name| *name != "global").cloned().collect();
        assert_eq!(names, their_names, "{case}");
        for share in ours {
            let values = &theirs[share["name"].as_str().unwrap()];
            for (field, name) in FIELDS {
                // A share's value that is the same as that of [global] is not printed.
                let value = values.get(name).or_else(|| global.get(name)).map_or("", String::as_str);
                let wanted = match field {
                    "path" if value.is_empty() => Value::Null,
                    "path" => json!(value),
                    "encryption" => json!(value.to_lowercase()),
                    "hosts_allow" | "hosts_deny" | "valid_users" | "admin_users" | "force_user" => {
                        json!(!value.is_empty())
                    }
                    _ => json!(value == "Yes"),
                };
                assert_eq!(share[field], wanted, "[{}] {name}\n{case}\n{values:?}", share["name"]);
                compared += 1;
            }
            shares_seen += 1;
        }
    }
    println!("{compared} values, {shares_seen} shares, {refused} refused");
    assert!(shares_seen > 500 && refused > 20 && refused < 350);
}

const TOLD: [&str; 22] = [
    "allow insecure wide links",
    "bind interfaces only",
    "client ipc signing",
    "client min protocol",
    "client signing",
    "disable netbios",
    "encrypt passwords",
    "lanman auth",
    "map to guest",
    "ntlm auth",
    "null passwords",
    "raw ntlmv2 auth",
    "registry shares",
    "restrict anonymous",
    "security",
    "server max protocol",
    "server min protocol",
    "server signing",
    "server smb encrypt",
    "smb1 unix extensions",
    "usershare allow guests",
    "usershare max shares",
];

// vsftpd.

/// Answers to commands, until one has none.
fn talk(port: u16, commands: &[&str]) -> Option<Vec<String>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut stream = stream;
    let mut told = vec![answers.next()?.ok()?];
    for command in commands {
        if write!(stream, "{command}\r\n").is_err() {
            break;
        }
        told.extend(answers.next().and_then(Result::ok));
    }
    Some(told)
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn anonymous_logins_beside_vsftpd() {
    let setting = (
        select(vec![
            "anonymous_enable",
            "anonymous_enable",
            "write_enable",
            "anon_mkdir_write_enable",
            "local_enable",
        ]),
        select(vec![
            "=YES", "=NO", "=yes", "=1", "=0", "=TRUE", "=no", "=YES", "=YES", "=NO ", " =YES", "=", "=maybe",
        ]),
    );
    let line = setting.prop_map(|(name, value)| format!("{name}{value}\n"));
    let (mut allowed, mut refused) = (0, 0);
    for text in some(60, vec(prop_oneof![9 => line, 1 => Just("# c\n".to_owned())], 0..6)) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        for folder in ["empty", "ftp"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        let at = root.display();
        let mut config;
        // A port that was free may be somebody else's a moment later.
        let answers = loop {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            config = format!(
                "{}listen=YES\nlisten_port={port}\nlisten_address=127.0.0.1\nbackground=NO\nrun_as_launching_user=YES\n\
                 secure_chroot_dir={at}/empty\nanon_root={at}/ftp\nanon_world_readable_only=NO\n",
                text.concat()
            );
            put(root, "etc/vsftpd.conf", &config);
            let said = fs::File::create(root.join("said")).unwrap();
            let child = Command::new("vsftpd")
                .arg(root.join("etc/vsftpd.conf"))
                .stdout(said)
                .spawn();
            let mut server = Server(child.expect("vsftpd; install it: apt-get install vsftpd"));
            let mut answers = None;
            while answers.is_none() && server.0.try_wait().unwrap().is_none() {
                answers = talk(port, &["USER anonymous", "PASS x", "MKD made"]);
                std::thread::sleep(Duration::from_millis(20));
            }
            let said = fs::read_to_string(root.join("said")).unwrap();
            if answers.is_some() || !said.contains("bind listening") {
                break answers;
            }
        };
        let settings = shares(root)["vsftpd"]["value"][0]["settings"].clone();
        let case = format!("{config}\n{settings}\n{answers:?}");
        let Some(answers) = answers else {
            refused += 1;
            assert_eq!(settings["outcome"], "malformed", "{case}");
            continue;
        };
        let settings = &settings["value"];
        let has = |code: &str| answers.iter().any(|answer| answer.starts_with(code));
        // With neither it says so to whoever comes.
        if has("500") {
            assert_eq!(
                (&settings["anonymous"], &settings["local_users"]),
                (&json!(false), &json!(false)),
                "{case}"
            );
            continue;
        }
        assert_eq!(settings["anonymous"], json!(has("230")), "{case}");
        let may_make = has("257");
        assert_eq!(
            settings["anonymous_change"].as_bool().unwrap() && has("230"),
            may_make,
            "{case}"
        );
        allowed += usize::from(has("230"));
    }
    println!("{allowed} let in, {refused} refused");
    assert!(allowed > 10 && refused > 10);
}
