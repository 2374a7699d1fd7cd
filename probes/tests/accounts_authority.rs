//! The accounts probe against the programs that decide: getent, passwd and chage for the files of accounts, crypt(3) for
//! hashes. Every root is a folder of real files.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use serde_json::Value;
use tempfile::TempDir;

/// Facts and names of a root.
fn documents(root: &Path) -> (Value, Value) {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "accounts")
        .unwrap();
    let documents = probe.collect(&Machine::folder(root));
    let facts = documents[0]
        .facts
        .clone()
        .unwrap_or_else(|| panic!("{}", documents[0].detail));
    (facts, documents[1].facts.clone().unwrap())
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n\
    alice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\ncarol:x:1002:100::/home/carol:/bin/sh\n";
const GROUP: &str = "root:x:0:\nadm:x:4:alice\nsudo:x:27:bob\nusers:x:100:alice\nalice:x:1000:\nbob:x:1001:\n";

fn root() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    };
    write("etc/passwd", PASSWD);
    write("etc/group", GROUP);
    folder
}

/// The real files of this machine by getent, passwd and chage.
#[test]
fn accounts_of_this_machine() {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "accounts")
        .unwrap();
    let documents = probe.collect(&Machine::this());
    let (facts, names) = (documents[0].facts.clone().unwrap(), documents[1].facts.clone().unwrap());
    let users = facts["users"].as_array().unwrap();
    assert_eq!(facts["unparsed"], Value::Array(vec![]));
    let lines = |program: &str, args: &[&str], package: &str| -> Vec<String> {
        let output = authority(package, program, args, b"");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let uid_of = |name: &str| {
        let names = names["users"].as_object().unwrap();
        let found = names
            .iter()
            .find(|(_, all)| all.as_array().unwrap().iter().any(|one| one == name));
        found.map(|(uid, _)| uid.parse::<u64>().unwrap())
    };
    let passwd = lines("getent", &["-s", "files", "passwd"], "libc-bin");
    assert_eq!(passwd.len(), users.len());
    for line in &passwd {
        let fields: Vec<_> = line.split(':').collect();
        let uid: u64 = fields[2].parse().unwrap();
        let user = users.iter().find(|user| user["uid"] == uid).unwrap();
        assert_eq!(uid_of(fields[0]).unwrap().to_string(), fields[2]);
        assert_eq!(user["gid"].to_string(), fields[3]);
        let groups: BTreeSet<String> = lines("id", &["-G", fields[0]], "coreutils")[0]
            .split(' ')
            .map(str::to_owned)
            .collect();
        let mut own: BTreeSet<String> = user["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        own.insert(user["gid"].to_string());
        assert_eq!(own, groups, "{line}");
    }
    for line in lines("passwd", &["-S", "-a"], "passwd") {
        let words: Vec<_> = line.split(' ').collect();
        let uid = uid_of(words[0]).unwrap();
        let user = users.iter().find(|user| user["uid"] == uid).unwrap();
        let state = user["password"]["value"]["state"].as_str().unwrap();
        let expected: &[&str] = match words[1] {
            "P" => &["set"],
            "NP" => &["empty"],
            _ => &["locked", "none"],
        };
        assert!(expected.contains(&state), "{line}: {state}");
        let ageing = &user["ageing"]["value"];
        for (field, word) in [("min_days", 3), ("max_days", 4), ("warn_days", 5), ("inactive_days", 6)] {
            let own = ageing[field].as_i64().unwrap_or(-1);
            assert_eq!(own.to_string(), words[word], "{line}: {field}");
        }
        if let Some(date) = ageing["last_change"].as_str() {
            let chage = lines("chage", &["--iso8601", "-l", words[0]], "passwd").concat();
            let day = date.split('T').next().unwrap();
            assert!(
                chage.contains(&format!("Last password change\t\t\t\t\t: {day}")),
                "{chage}"
            );
        }
    }
    let groups = lines("getent", &["-s", "files", "group"], "libc-bin");
    assert_eq!(groups.len(), facts["groups"]["value"].as_array().unwrap().len());
}

/// Hashes that crypt(3) makes are known by their kind.
#[test]
fn kinds_of_hashes_are_those_that_crypt_makes() {
    let kinds = [
        ("$y$j9T$F5Jx5fExrKuPp53xLKQ..1", "yescrypt"),
        ("$gy$j9T$F5Jx5fExrKuPp53xLKQ..1", "gost_yescrypt"),
        ("$7$CU..../....F5Jx5fExrKuPp53xLKQ..1", "scrypt"),
        ("$2b$05$abcdefghijklmnopqrstuu", "bcrypt"),
        ("$2a$05$abcdefghijklmnopqrstuu", "bcrypt"),
        ("$2y$05$abcdefghijklmnopqrstuu", "bcrypt"),
        ("$6$saltsalt", "sha512crypt"),
        ("$6$rounds=1000$saltsalt", "sha512crypt"),
        ("$5$saltsalt", "sha256crypt"),
        ("$sha1$1000$saltsalt", "sha1crypt"),
        ("$md5$saltsalt$", "sunmd5"),
        ("$md5,rounds=100$saltsalt$", "sunmd5"),
        ("$1$saltsalt", "md5crypt"),
        ("_J9..rasm", "bsdicrypt"),
        ("ab", "descrypt"),
        ("$3$", "nt"),
    ];
    for (setting, kind) in kinds {
        let program = format!("print crypt('correct horse', '{setting}')");
        let output = authority("perl-base", "perl", &["-e", &program], b"");
        let hash = String::from_utf8(output.stdout).unwrap();
        assert!(hash.len() >= 13 && !hash.starts_with('*'), "{setting}: {hash}");
        let root = root();
        fs::write(root.path().join("etc/shadow"), format!("root:{hash}:19000::::::\n")).unwrap();
        let (facts, _) = documents(root.path());
        let password = &facts["users"][0]["password"]["value"];
        assert_eq!(
            (&password["hash"], &password["state"]),
            (&kind.into(), &"set".into()),
            "{hash}"
        );
    }
}

/// A record for nss-systemd(8) makes an account, and another makes it a member of `sudo`, of which no file under `/etc` that
/// tools read tells: getent in a mount namespace of its own, where there are such records.
#[test]
fn people_in_records_are_another_source() {
    const RECORD: &str = "{\"userName\":\"affiantada\",\"uid\":60123,\"gid\":60123,\"shell\":\"/bin/bash\"}";
    let script = format!(
        "mount -t tmpfs none /usr/local/lib && mkdir /usr/local/lib/userdb && cd /usr/local/lib/userdb && \
         echo '{RECORD}' >affiantada.user && echo >affiantada:sudo.membership && \
         getent -s systemd passwd affiantada && getent initgroups affiantada"
    );
    let output = authority("util-linux", "/usr/bin/unshare", &["-m", "sh", "-c", &script], b"");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        told.starts_with("affiantada:x:60123:60123:"),
        "{told}; install libnss-systemd"
    );
    let sudo = fs::read_to_string("/etc/group").unwrap();
    let sudo = sudo.lines().find_map(|line| line.strip_prefix("sudo:x:"));
    let gid = sudo.and_then(|line| line.split(':').next()).unwrap();
    assert!(told.lines().last().unwrap().ends_with(&format!(" {gid}")), "{told}");

    let root = root();
    let put = |path: &str, text: &str| machine::put(root.path(), path, text);
    put("etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\n");
    assert_eq!(
        documents(root.path()).0["other_sources"]["value"],
        serde_json::json!([])
    );
    put("usr/local/lib/userdb/affiantada.user", RECORD);
    put("usr/local/lib/userdb/affiantada:sudo.membership", "");
    let others = serde_json::json!(["group: systemd", "passwd: systemd"]);
    assert_eq!(documents(root.path()).0["other_sources"]["value"], others);
    let groups = machine::facts_of("privileged-groups", &Machine::folder(root.path()));
    assert_eq!(groups["files_decide"]["value"], false);
}
