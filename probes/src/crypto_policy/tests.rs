//! The probe over captured files.

use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<CryptoPolicyProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

/// The files of Fedora's openssl and crypto-policies packages, without what does not matter here.
const RPM_OPENSSL: &str = "openssl_conf = openssl_init\n[openssl_init]\nproviders = provider_sect\nssl_conf = ssl_module\n\
    alg_section = evp_properties\n[ evp_properties ]\n.include = /etc/crypto-policies/back-ends/openssl_fips.config\n\
    [provider_sect]\ndefault = default_sect\nlegacy = legacy_sect\n[default_sect]\nactivate = 1\n[legacy_sect]\n#activate = 1\n\
    [ ssl_module ]\nsystem_default = crypto_policy\n[ crypto_policy ]\n.include = /etc/crypto-policies/back-ends/opensslcnf.config\n";
const RPM_BACK_END: &str = "CipherString = @SECLEVEL=2:kEECDH:kRSA:!aNULL\nCiphersuites = TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256\n\
    TLS.MinProtocol = TLSv1.2\nTLS.MaxProtocol = TLSv1.3\nDTLS.MinProtocol = DTLSv1.2\nSignatureAlgorithms = ECDSA+SHA256:rsa_pss_pss_sha256\n\
    Groups = X25519:secp256r1\n[openssl_init]\nalg_section = evp_properties\n[evp_properties]\nrh-allow-sha1-signatures = no\n";

#[test]
fn a_host_of_the_rpm_family() {
    let host = Captured::default()
        .file("/etc/crypto-policies/config", "# comment\ndefault:no-sha1 # c\n")
        .file("/etc/crypto-policies/state/current", "DEFAULT:NO-SHA1\n")
        .file("/etc/crypto-policies/state/CURRENT.pol", "# x\nmin_rsa_size = 2048\nhash = SHA2-256 SHA2-384\nprotocol@TLS = TLS1.3 TLS1.2\n")
        .file("/etc/crypto-policies/policies/modules/OWN.pmod", "")
        .link("/etc/crypto-policies/back-ends/java.config", "/usr/share/crypto-policies/DEFAULT/java.txt")
        .link("/etc/crypto-policies/back-ends/nss.config", "/root/nss.txt")
        .file("/etc/crypto-policies/back-ends/opensslcnf.config", RPM_BACK_END)
        .file("/etc/crypto-policies/back-ends/gnutls.config", "[global]\noverride-mode = allowlist\n[overrides]\nsecure-hash = sha256\nenabled-version = tls1.3\nenabled-version = tls1.2\nmin-verification-profile = medium\n[priorities]\nSYSTEM=NORMAL\n")
        .file("/etc/pki/tls/openssl.cnf", RPM_OPENSSL)
        .file("/etc/krb5.conf", "includedir /etc/krb5.conf.d/\n[libdefaults]\n dns_lookup_realm = false\n permitted_enctypes = later\n[realms]\n X = {\n  permitted_enctypes = no\n }\n")
        .file("/etc/krb5.conf.d/crypto-policies", "[libdefaults]\npermitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96,camellia256-cts-cmac\nallow_rc4 = false\n")
        .file("/etc/krb5.conf.d/x.rpmsave", "[libdefaults]\nallow_weak_crypto = true\n")
        .file("/usr/lib/jvm/java-17/conf/security/java.security", "# c\nsecurity.useSystemPropertiesFile=true\njdk.tls.disabledAlgorithms=SSLv3, TLSv1, \\\n    RC4, EC keySize < 224\n")
        .file("/proc/sys/crypto/fips_enabled", "1\n")
        .file("/proc/cmdline", "BOOT_IMAGE=x root=/dev/sda fips=1\n")
        .file("/boot/loader/entries/a.conf", "title A\nlinux /vmlinuz\noptions root=x fips=1\n")
        .file("/boot/loader/entries/b.conf", "title B\noptions root=x\n")
        .file("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"quiet fips=1\"\n")
        .file("/etc/dracut.conf.d/40-fips.conf", "add_dracutmodules+=\" fips \"\n");
    let facts = facts(&host);
    let policy = &facts["policy"]["value"];
    assert_eq!(
        (&policy["name"], &policy["modules"]),
        (&json!("DEFAULT"), &json!(["NO-SHA1"]))
    );
    assert_eq!(
        (&policy["is_applied"], &policy["local_modules"]),
        (&json!(true), &json!(["OWN"]))
    );
    assert_eq!(policy["settings"]["value"]["min_rsa_size"], "2048");
    assert_eq!(policy["diverted_back_ends"], json!(["nss"]));
    assert_eq!(
        facts["openssl"]["value"],
        json!({
            "files": ["/etc/pki/tls/openssl.cnf", "/etc/crypto-policies/back-ends/opensslcnf.config"],
            "system_default": true,
            "min_protocol": "TLSv1.2",
            "max_protocol": "TLSv1.3",
            "cipher_string": "@SECLEVEL=2:kEECDH:kRSA:!aNULL",
            "security_level": 2,
            "cipher_suites": ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"],
            "groups": ["X25519", "secp256r1"],
            "signature_algorithms": ["ECDSA+SHA256", "rsa_pss_pss_sha256"],
            "options": [],
            "providers": ["default"],
            "fips_property": false,
            "sha1_signatures": false,
        })
    );
    let gnutls = &facts["gnutls"]["value"];
    assert_eq!(
        (&gnutls["override_mode"], &gnutls["system_priority"]),
        (&json!("allowlist"), &json!("NORMAL"))
    );
    assert_eq!(gnutls["enabled_versions"], json!(["tls1.2", "tls1.3"]));
    let krb5 = &facts["krb5"]["value"];
    assert_eq!(
        krb5["files"],
        json!(["/etc/krb5.conf", "/etc/krb5.conf.d/crypto-policies"])
    );
    assert_eq!(krb5["permitted_enctypes"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&krb5["allow_rc4"], krb5.get("allow_weak_crypto")),
        (&json!(false), None)
    );
    assert_eq!(
        facts["java"]["value"][0]["tls_disabled"],
        json!(["SSLv3", "TLSv1", "RC4", "EC keySize < 224"])
    );
    assert_eq!(facts["java"]["value"][0]["follows_system_policy"], true);
    let fips = &facts["fips"];
    assert_eq!(
        (&fips["kernel"]["value"], &fips["booted_with"]["value"]),
        (&json!(true), &json!(true))
    );
    let boot: Vec<_> = fips["boot_files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap(),
                file["lines"]["value"]["with_fips"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        boot,
        [
            ("/boot/loader/entries/a.conf", 1),
            ("/boot/loader/entries/b.conf", 0),
            ("/etc/default/grub", 1)
        ]
    );
    assert_eq!(fips["initramfs"]["value"], true);
}

#[test]
fn a_host_of_debian() {
    let host = Captured::default()
        .file("/etc/ssl/openssl.cnf", "openssl_conf = default_conf\n[default_conf]\nssl_conf = ssl_sect\n[ssl_sect]\nsystem_default = system_default_sect\n[system_default_sect]\nMinProtocol = TLSv1.2\nCipherString = DEFAULT@SECLEVEL=2\nOptions = UnsafeLegacyRenegotiation, -SessionTicket\n")
        .file("/proc/cmdline", "quiet\n")
        .file("/boot/grub/grub.cfg", "menuentry 'x' {\n\tlinux\t/boot/vmlinuz root=x quiet\n}\nmenuentry 'y' {\n\tlinux /boot/vmlinuz root=x fips=1\n}\n");
    let facts = facts(&host);
    assert_eq!(facts["policy"]["outcome"], "absent");
    let openssl = &facts["openssl"]["value"];
    assert_eq!(
        (&openssl["min_protocol"], &openssl["security_level"]),
        (&json!("TLSv1.2"), &json!(2))
    );
    assert_eq!(
        openssl["options"],
        json!(["UnsafeLegacyRenegotiation", "-SessionTicket"])
    );
    assert_eq!(
        (&facts["gnutls"]["outcome"], &facts["krb5"]["outcome"]),
        (&json!("absent"), &json!("absent"))
    );
    assert_eq!(facts["java"], json!({"outcome": "observed", "value": []}));
    assert_eq!(facts["fips"]["kernel"]["outcome"], "absent");
    assert_eq!(
        facts["fips"]["boot_files"][0]["lines"]["value"],
        json!({"total": 2, "with_fips": 1})
    );
    let silent = Captured::default().file("/etc/ssl/openssl.cnf", "HOME = .\n[ca]\nx = y\n");
    let silent = self::facts(&silent);
    assert_eq!(silent["openssl"]["value"]["system_default"], false);
    assert_eq!(silent["openssl"]["value"].get("min_protocol"), None);
}

#[test]
fn denied_and_malformed_parts_leave_the_others() {
    let host = Captured::default()
        .file("/etc/crypto-policies/config", "FUTURE\n")
        .denied("/etc/crypto-policies/state/current")
        .file("/etc/ssl/openssl.cnf", "[x\n")
        .file("/etc/gnutls/config", "[overrides]\nnonsense\n")
        .denied("/etc/krb5.conf")
        .file("/proc/sys/crypto/fips_enabled", "2\n")
        .denied("/boot/grub/grub.cfg");
    let facts = facts(&host);
    assert_eq!(facts["policy"]["value"]["name"], "FUTURE");
    assert_eq!(facts["policy"]["value"]["applied"]["outcome"], "denied");
    assert_eq!(facts["policy"]["value"].get("is_applied"), None);
    assert_eq!(
        (&facts["openssl"]["outcome"], &facts["gnutls"]["outcome"]),
        (&json!("malformed"), &json!("malformed"))
    );
    assert_eq!(facts["krb5"]["outcome"], "denied");
    assert_eq!(facts["fips"]["kernel"]["outcome"], "malformed");
    assert_eq!(facts["fips"]["booted_with"]["outcome"], "absent");
    assert_eq!(facts["fips"]["boot_files"][0]["lines"]["outcome"], "denied");
}

#[test]
fn an_empty_host_is_told_as_such() {
    let facts = facts(&Captured::default());
    for part in ["policy", "openssl", "gnutls", "krb5"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
}
