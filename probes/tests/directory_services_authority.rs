//! `directory-services` beside SSSD's own reader of its configuration and MIT Kerberos, on generated configurations.
//!
//! Needs root, the machine's own mirror, and the packages mmdebstrap and krb5-user. SSSD has a root of its own, since its
//! package changes the name service switch and PAM of the host that it is installed on.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::LazyLock;

use machine::{Machine, authority};
use probes::registry;
use serde_json::Value;

fn facts(root: &Path) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "directory-services")
        .unwrap();
    let documents = probe.collect(&Machine::folder(root));
    documents[0].facts.clone().expect("observed")
}

/// The same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

fn sssd_text(numbers: &mut Numbers, main: bool) -> String {
    let mut text = if main {
        "[sssd]\nservices = nss, pam\ndomains = corp\n[domain/corp]\nid_provider = ldap\n".to_owned()
    } else {
        String::new()
    };
    for _ in 0..numbers.below(12) {
        let line = match numbers.below(6) {
            0 => numbers
                .one(&["[domain/corp]", "[Domain/Corp]", "[domain/other]", "[pam]", "[sssd]"])
                .to_owned(),
            1 => numbers.one(&["# comment", "; comment = x", "", "   "]).to_owned(),
            _ if text.is_empty() => "[domain/corp]".to_owned(),
            2 => format!(
                "  {} = {}",
                numbers.one(&["access_provider", "Access_Provider"]),
                numbers.one(&["simple", "ldap", "deny"])
            ),
            3 => format!(
                "ldap_tls_reqcert={}",
                numbers.one(&["never", "demand", " hard ", "allow"])
            ),
            4 => format!(
                "cache_credentials = {}",
                numbers.one(&["True", "false", "TRUE", "true"])
            ),
            _ => format!(
                "ldap_uri = {}",
                numbers.one(&["ldap://a", "ldaps://a, ldap://b", "ldapi://%2f"])
            ),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// A Debian root with SSSD in it.
static ROOT: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let targets = ["indextargets", "--format", "$(REPO_URI) $(RELEASE)"];
    let output = authority("apt", "apt-get", &targets, b"");
    let text = String::from_utf8(output.stdout).unwrap();
    let mirror = text.lines().find_map(|line| line.strip_suffix(" bookworm"));
    let mirror = mirror.expect("a mirror of bookworm in the machine's apt sources");
    let output = authority(
        "mmdebstrap",
        "mmdebstrap",
        &[
            "--quiet",
            "--variant=minbase",
            "--include=sssd-common,ldb-tools",
            "bookworm",
            root.to_str().unwrap(),
            &format!("deb {mirror} bookworm main"),
        ],
        b"",
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
});

/// What SSSD puts into its database: values by the entry's name.
fn sssd_told(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let root = ROOT.path().join("root");
    let place = root.join("etc/sssd");
    // One case after the other: the root is shared.
    let _ = fs::remove_dir_all(&place);
    let _ = fs::remove_file(root.join("var/lib/sss/db/config.ldb"));
    let copied = authority(
        "coreutils",
        "cp",
        &["-r", "-p", folder.to_str().unwrap(), place.to_str().unwrap()],
        b"",
    );
    assert!(copied.status.success());
    let script = "sssd --genconf && ldbsearch -H /var/lib/sss/db/config.ldb";
    let output = authority(
        "coreutils",
        "chroot",
        &[root.to_str().unwrap(), "sh", "-c", script],
        b"",
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && text.contains("dn: "), "{error}");
    let mut told = BTreeMap::new();
    for entry in text.split("\n\n") {
        let values: BTreeMap<String, String> = entry
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        if let Some(name) = values.get("dn") {
            told.insert(name.to_lowercase(), values);
        }
    }
    told
}

#[test]
fn sssd_as_it_reads_itself() {
    let mut numbers = Numbers(7);
    let (mut domains, mut values) = (0, 0);
    for case in 0..40 {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("etc/sssd");
        fs::create_dir_all(folder.join("conf.d")).unwrap();
        let mut files = vec![("sssd.conf", sssd_text(&mut numbers, true))];
        for name in [
            "conf.d/20-b.conf",
            "conf.d/10-a.conf",
            "conf.d/.hidden.conf",
            "conf.d/no.txt",
        ] {
            files.push((name, sssd_text(&mut numbers, false)));
        }
        for (name, text) in &files {
            // SSSD stops at a file in which there is nothing.
            if !text.trim().is_empty() {
                fs::write(folder.join(name), text).unwrap();
                fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        let told = sssd_told(&folder);
        let facts = facts(temp.path());
        let sssd = &facts["sssd"]["value"];
        for domain in sssd["domains"].as_array().unwrap_or_else(|| panic!("{case}: {facts}")) {
            let name = domain["name"].as_str().unwrap();
            let entry = told.get(&format!("cn={name},cn=domain,cn=config"));
            let entry = entry.unwrap_or_else(|| panic!("{case}: {name}: {files:?}"));
            domains += 1;
            for (option, otherwise) in [
                ("access_provider", "permit"),
                ("ldap_tls_reqcert", "hard"),
                ("id_provider", ""),
            ] {
                let value = entry.get(option).map_or(otherwise, |value| value.trim());
                assert_eq!(domain[option], value, "{case}: {name}: {files:?}");
                values += 1;
            }
            let cached = entry
                .get("cache_credentials")
                .is_some_and(|value| value.eq_ignore_ascii_case("true"));
            assert_eq!(domain["cache_credentials"], cached, "{case}: {name}: {files:?}");
            let schemes: Vec<_> = domain["ldap_uri_schemes"].as_array().unwrap().iter().collect();
            let uris = entry.get("ldap_uri").map(String::as_str).unwrap_or_default();
            assert_eq!(
                schemes.len(),
                uris.split(',').filter(|uri| !uri.is_empty()).count(),
                "{case}: {name}: {files:?}"
            );
        }
    }
    assert!(domains > 50 && values > 150, "{domains} {values}");
}

/// kinit(1) says in its trace for which realm it asks.
#[test]
fn the_default_realm_as_kerberos_takes_it() {
    let mut numbers = Numbers(11);
    let (mut compared, mut without) = (0, 0);
    for case in 0..60 {
        let temp = tempfile::tempdir().unwrap();
        let included = temp.path().join("etc/krb5.conf.d");
        fs::create_dir_all(&included).unwrap();
        let include = match numbers.below(3) {
            0 => String::new(),
            1 => "includedir /etc/krb5.conf.d/\n".to_owned(),
            _ => "include /etc/krb5.conf.d/a\n".to_owned(),
        };
        let mut text = |realm: &str| {
            let mut text = String::new();
            for _ in 0..numbers.below(5) {
                text.push_str(&match numbers.below(7) {
                    0 => "[libdefaults]\n".to_owned(),
                    1 => "[realms]\nR = {\n default_realm = IN.REALM\n}\n".to_owned(),
                    2 => format!("[libdefaults]\n default_realm = {realm}.{}\n", numbers.below(3)),
                    3 => format!("[libdefaults]\n\tdefault_realm=\"{realm}.QUOTED\"\n"),
                    4 => "# [realms]\n; default_realm = COMMENT\n".to_owned(),
                    5 => "[libdefaults]\n sub = {\n  default_realm = SUB\n }\n".to_owned(),
                    _ => "[appdefaults]\n default_realm = APP\n".to_owned(),
                });
            }
            text
        };
        let (one, two, main, after) = (text("A"), text("B"), text("MAIN"), text("AFTER"));
        fs::write(included.join("a"), &one).unwrap();
        fs::write(included.join("b.conf"), &two).unwrap();
        fs::write(included.join("c.rpmnew"), "[libdefaults]\ndefault_realm = NEVER\n").unwrap();
        let whole = format!("{main}{include}{after}");
        fs::write(temp.path().join("etc/krb5.conf"), &whole).unwrap();
        let facts = facts(temp.path());
        let told = facts["kerberos"]["value"]["default_realm"].as_str().map(str::to_owned);

        // Its own includes lead below the same folder.
        let moved = whole.replace("/etc/krb5.conf.d", included.to_str().unwrap());
        let ends = "[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n";
        fs::write(temp.path().join("moved"), format!("{moved}{ends}")).unwrap();
        let command = format!(
            "KRB5_CONFIG={}/moved KRB5_TRACE=/dev/stdout kinit nobody",
            temp.path().display()
        );
        let output = authority("dash", "sh", &["-c", &command], b"\n");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !error.contains("not found"),
            "{error}; install it: apt-get install krb5-user"
        );
        let realm = text
            .lines()
            .find_map(|line| line.split("Getting initial credentials for nobody@").nth(1))
            .map(|realm| realm.trim().to_owned());
        assert_eq!(
            told, realm,
            "{case}:\n{whole}\na:\n{one}\nb.conf:\n{two}\n{text}{error}"
        );
        compared += usize::from(realm.is_some());
        without += usize::from(realm.is_none());
    }
    assert!(compared > 20 && without > 2, "{compared} {without}");
}
