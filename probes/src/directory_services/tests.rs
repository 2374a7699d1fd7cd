//! On captured files.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::DirectoryServicesProbe;
use crate::probe::documents;
use crate::reading::captured::Captured;

const SSSD: &str = "[sssd]\nservices = nss, pam\ndomains = corp\n[pam]\noffline_credentials_expiration = 2\n[domain/corp]\n\
    id_provider = ldap\nldap_uri = ldap://a.example,ldaps://b.example\nldap_id_use_start_tls = True\n\
    ldap_default_authtok = hunter2\nldap_tls_reqcert = Demand\ncache_credentials = true\n[domain/old]\nid_provider = ad\n";
const KRB5: &str = "includedir /etc/krb5.conf.d/\n[libdefaults]\n  default_realm = EXAMPLE.ORG\n  allow_weak_crypto = true\n\
    permitted_enctypes = aes256-cts-hmac-sha1-96, rc4-hmac\n[realms]\n  EXAMPLE.ORG = {\n    kdc = a\n    allow_rc4 = true\n  }\n\
    OTHER = {\n  }\n";

fn host() -> Captured {
    Captured::default()
        .file(
            "/etc/nsswitch.conf",
            "passwd: files [NOTFOUND=return] sss # all\ngroup:files sss\nodd\n",
        )
        .file("/etc/sssd/sssd.conf", SSSD)
        .file("/etc/sssd/conf.d/50-x.conf", "[domain/corp]\nldap_tls_reqcert = never\naccess_provider = simple\n")
        .file("/etc/sssd/conf.d/.hidden.conf", "nonsense")
        .file("/etc/sssd/conf.d/README", "nonsense")
        .file("/etc/krb5.conf", KRB5)
        .file("/etc/krb5.conf.d/crypto", "[libdefaults]\nallow_weak_crypto = false\nallow_rc4 = yes\n")
        .file("/etc/krb5.conf.d/skipped.bak", "include /nowhere\n")
        .file("/etc/krb5.keytab", "")
        .file("/etc/ldap/ldap.conf", "#TLS_REQCERT never\nURI ldap://x ldapi:///\nTLS_CACERT /x\n")
        .file("/etc/nslcd.conf", "uri ldap://x\nuri ldaps://y\nssl start_tls\ntls_reqcert allow\nbindpw hunter2\n")
        .file(
            "/etc/samba/smb.conf",
            "[global]\n Security = ADS\n realm = EXAMPLE.ORG\n server signing = mandatory\n include = /x\n[share]\nrealm = no\n",
        )
        .file("/etc/ipa/default.conf", "[global]\nrealm = IPA.EXAMPLE\ndomain = ipa.example\n")
        .file("/etc/yp.conf", "# c\ndomain x server a\nypserver b\ndomain y broadcast\n")
        .file("/usr/lib/systemd/system/sssd.service", "[Service]\n")
}

fn facts(host: &Captured) -> Value {
    serde_json::to_value(&documents::<DirectoryServicesProbe>(host)[0]).unwrap()["facts"].clone()
}

#[test]
fn everything_at_once() {
    let facts = facts(&host());
    assert_eq!(
        facts["name_services"]["value"],
        json!([{"database": "group", "sources": ["files", "sss"]}, {"database": "passwd", "sources": ["files", "sss"]}])
    );
    let sssd = &facts["sssd"]["value"];
    assert_eq!(
        sssd["files"],
        json!(["/etc/sssd/sssd.conf", "/etc/sssd/conf.d/50-x.conf"])
    );
    assert_eq!(
        (&sssd["services"], &sssd["offline_credentials_days"]),
        (&json!(["nss", "pam"]), &json!(2))
    );
    assert_eq!(
        sssd["domains"],
        json!([
            {"name": "corp", "enabled": true, "id_provider": "ldap", "auth_provider": "ldap", "access_provider": "simple",
             "cache_credentials": true, "enumerate": false, "ldap_uri_schemes": ["ldap", "ldaps"], "ldap_start_tls": true,
             "ldap_tls_reqcert": "never", "ldap_auth_without_tls": false, "has_bind_password": true},
            {"name": "old", "enabled": false, "id_provider": "ad", "auth_provider": "ad", "access_provider": "permit",
             "cache_credentials": false, "enumerate": false, "ldap_uri_schemes": [], "ldap_start_tls": false,
             "ldap_tls_reqcert": "hard", "ldap_auth_without_tls": false, "has_bind_password": false}
        ])
    );
    let kerberos = &facts["kerberos"]["value"];
    assert_eq!(kerberos["realms"], json!(["EXAMPLE.ORG", "OTHER"]));
    assert_eq!(
        (&kerberos["allow_weak_crypto"], &kerberos["allow_rc4"]),
        (&json!(false), &json!(true)),
        "the first counts"
    );
    assert_eq!(
        kerberos["permitted_enctypes"],
        json!(["aes256-cts-hmac-sha1-96", "rc4-hmac"])
    );
    assert_eq!(facts["machine_keytab"]["value"], true);
    assert_eq!(
        facts["ldap_client"]["value"],
        json!({"path": "/etc/ldap/ldap.conf", "uri_schemes": ["ldap", "ldapi"], "tls_reqcert": "demand"})
    );
    assert_eq!(
        facts["nslcd"]["value"],
        json!({"uri_schemes": ["ldap", "ldaps"], "ssl": "start_tls", "tls_reqcert": "allow", "has_bind_password": true})
    );
    assert_eq!(
        facts["samba"]["value"],
        json!({"security": "ads", "realm": "EXAMPLE.ORG", "server_signing": "mandatory", "includes": true})
    );
    assert_eq!(
        facts["ipa"]["value"],
        json!({"realm": "IPA.EXAMPLE", "domain": "ipa.example"})
    );
    assert_eq!(facts["nis"]["value"], json!({"servers": 2, "broadcast": true}));
    assert_eq!(facts["services"]["value"][0]["unit"], "sssd.service");
}

#[test]
fn secrets_stay() {
    let documents = documents::<DirectoryServicesProbe>(&host());
    assert!(!serde_json::to_string(&documents[0]).unwrap().contains("hunter2"));
    let hashed = documents[0].sources.iter().filter(|source| source.sha256.is_some());
    let hashed = serde_json::to_string(&hashed.collect::<Vec<_>>()).unwrap();
    assert!(!hashed.contains("sssd") && !hashed.contains("nslcd"), "{hashed}");
}

#[test]
fn absent_denied_and_malformed_are_said_of_each_part() {
    let none = facts(&Captured::default());
    for part in [
        "name_services",
        "sssd",
        "kerberos",
        "machine_keytab",
        "ldap_client",
        "nslcd",
        "samba",
        "ipa",
        "nis",
        "services",
    ] {
        assert_eq!(none[part]["outcome"], "absent", "{part}");
    }
    for (path, part) in [
        ("/etc/nsswitch.conf", "name_services"),
        ("/etc/sssd/sssd.conf", "sssd"),
        ("/etc/sssd/conf.d", "sssd"),
        ("/etc/sssd/conf.d/50-x.conf", "sssd"),
        ("/etc/krb5.conf.d/crypto", "kerberos"),
        ("/etc/ldap/ldap.conf", "ldap_client"),
        ("/etc/nslcd.conf", "nslcd"),
        ("/etc/samba/smb.conf", "samba"),
    ] {
        assert_eq!(facts(&host().denied(path))[part]["outcome"], "denied", "{path}");
    }
    for (path, text, part) in [
        ("/etc/sssd/sssd.conf", "[sssd\n", "sssd"),
        ("/etc/sssd/conf.d/50-x.conf", "word\n", "sssd"),
        ("/etc/krb5.conf", "include /etc/krb5.conf\n", "kerberos"),
        ("/etc/krb5.conf", "include /nowhere\n", "kerberos"),
        ("/etc/krb5.conf", "[libdefaults\n", "kerberos"),
        ("/etc/samba/smb.conf", "[x\n", "samba"),
    ] {
        assert_eq!(facts(&host().file(path, text))[part]["outcome"], "malformed", "{text}");
    }
    let binary = facts(&host().file("/etc/sssd/sssd.conf", b"\xff"));
    assert_eq!(binary["sssd"]["outcome"], "malformed");
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), near in "(\\[|\\]|=|\\{|\\}|\n| |:|include |libdefaults|realms|[a-c]){0,30}") {
        for bytes in [bytes, near.into_bytes()] {
            let mut host = Captured::default();
            for path in ["/etc/nsswitch.conf", "/etc/sssd/sssd.conf", "/etc/krb5.conf", "/etc/ldap/ldap.conf", "/etc/nslcd.conf",
                         "/etc/samba/smb.conf", "/etc/ipa/default.conf", "/etc/yp.conf"] {
                host = host.file(path, &bytes);
            }
            documents::<DirectoryServicesProbe>(&host);
        }
    }
}
