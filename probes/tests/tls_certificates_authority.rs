//! The certificates of the tls-certificates probe against `openssl x509`: certificates made with many kinds of keys,
//! names and dates, and the public authorities of this machine.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use serde_json::Value;

fn openssl(args: &[&str]) -> String {
    let output = authority("openssl", "/usr/bin/openssl", args, b"");
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The facts over a folder with these certificates, by file name.
fn certificates(root: &Path) -> (BTreeMap<String, Value>, Value) {
    let all = registry::all();
    let probe = all.iter().find(|probe| probe.spec.id == "tls-certificates").unwrap();
    let document = probe.collect(&Machine::folder(root)).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let mut by_file = BTreeMap::new();
    for certificate in facts["certificates"].as_array().unwrap() {
        for file in certificate["files"].as_array().unwrap() {
            by_file.insert(file.as_str().unwrap().to_owned(), certificate.clone());
        }
    }
    (by_file, facts)
}

/// The value behind `name=` or `name:` in what openssl prints.
fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| line.trim().strip_prefix(name))
        .map(str::trim)
}

/// Values that name persons are masked in the facts.
fn masked(name: &str) -> String {
    let mut left = name;
    let mut text = String::new();
    while let Some(at) = ["emailAddress=", "SN=", "GN=", "UID="]
        .iter()
        .filter_map(|key| Some(left.find(key)? + key.len()))
        .min()
    {
        let (before, value) = left.split_at(at);
        text.push_str(before);
        text.push('*');
        left = &value[value.find([',', '+']).unwrap_or(value.len())..];
    }
    text + left
}

/// Compares one certificate in every field; gives the number of fields.
fn compare(path: &str, seen: &Value) -> usize {
    let text = openssl(&[
        "x509",
        "-in",
        path,
        "-noout",
        "-subject",
        "-issuer",
        "-nameopt",
        "RFC2253,-esc_msb",
        "-serial",
        "-dates",
        "-dateopt",
        "iso_8601",
        "-fingerprint",
        "-sha256",
    ]);
    let full = openssl(&["x509", "-in", path, "-noout", "-text"]);
    let instant = |name: &str| after(&text, name).unwrap().replace(' ', "T");
    let fingerprint = after(&text, "sha256 Fingerprint=")
        .unwrap()
        .replace(':', "")
        .to_lowercase();
    assert_eq!(seen["sha256"], fingerprint, "{path}");
    assert_eq!(seen["subject"], masked(after(&text, "subject=").unwrap()), "{path}");
    assert_eq!(seen["issuer"], masked(after(&text, "issuer=").unwrap()), "{path}");
    assert_eq!(seen["serial"], after(&text, "serial=").unwrap(), "{path}");
    assert_eq!(seen["not_before"], instant("notBefore="), "{path}");
    assert_eq!(seen["not_after"], instant("notAfter="), "{path}");
    assert_eq!(
        seen["signature_algorithm"],
        after(&full, "Signature Algorithm:").unwrap(),
        "{path}"
    );
    let algorithm = after(&full, "Public Key Algorithm:").unwrap();
    let kind = match seen["key"].as_str().unwrap() {
        "rsa" => "rsaEncryption",
        "rsa_pss" => "rsassaPss",
        "ec" => "id-ecPublicKey",
        "ed25519" => "ED25519",
        "ed448" => "ED448",
        "dsa" => "dsaEncryption",
        other => other,
    };
    assert_eq!(kind, algorithm, "{path}");
    if let Some(bits) = after(&full, "Public-Key: (") {
        assert_eq!(format!("{} bit)", seen["key_bits"]), bits, "{path}");
    }
    if let Some(curve) = after(&full, "ASN1 OID:") {
        assert_eq!(seen["curve"], curve, "{path}");
    }
    assert_eq!(seen["ca"], full.contains("CA:TRUE"), "{path}");
    if let Some(hash) = after(&full, "Hash Algorithm:").filter(|_| seen["signature_algorithm"] == "rsassaPss") {
        assert_eq!(
            seen["signature_hash"],
            hash.split(' ').next().unwrap().to_lowercase(),
            "{path}"
        );
    }
    let mut lines = full.lines().map(str::trim);
    if lines.any(|line| line.starts_with("X509v3 Subject Alternative Name")) {
        let names: Vec<_> = lines.next().unwrap().split(", ").map(str::to_owned).collect();
        assert_eq!(seen["name_count"], names.len(), "{path}: {names:?}");
        let mut dns: Vec<_> = names.iter().filter_map(|name| name.strip_prefix("DNS:")).collect();
        dns.sort_unstable();
        dns.dedup();
        let shown = seen["names"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap());
        let shown: Vec<_> = shown.filter(|name| name.parse::<std::net::IpAddr>().is_err()).collect();
        assert_eq!(shown, dns, "{path}");
    } else {
        assert_eq!(seen["name_count"], 0, "{path}");
    }
    let key = openssl(&["x509", "-in", path, "-noout", "-pubkey"]);
    let der = authority(
        "openssl",
        "/usr/bin/openssl",
        &["pkey", "-pubin", "-outform", "DER"],
        key.as_bytes(),
    );
    // OpenSSL writes a point of a curve again as it likes to; keys that it writes otherwise are compared by nobody.
    if der.status.success() {
        assert_eq!(
            seen["public_key_sha256"],
            evidence::Digest::of(&der.stdout).to_string(),
            "{path}"
        );
    }
    14
}

#[test]
fn made_certificates_are_read_as_by_openssl() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("etc/ssl/localcerts");
    fs::create_dir_all(&folder).unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let keys: [(&str, &[&str]); 12] = [
        ("rsa1024", &["RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
        ("rsa2048", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("rsa2047", &["RSA", "-pkeyopt", "rsa_keygen_bits:2047"]),
        ("rsa3072", &["RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
        ("pss", &["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("p256", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("p384", &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("p521", &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
        ("k256", &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
        ("brainpool", &["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"]),
        ("ed25519", &["ED25519"]),
        ("ed448", &["ED448"]),
    ];
    for (name, options) in keys {
        let key = temp.path().join(format!("{name}.key"));
        let mut args = vec!["genpkey", "-out", key.to_str().unwrap(), "-algorithm"];
        args.extend(options);
        openssl(&args);
    }
    let key = |name: &str| temp.path().join(format!("{name}.key")).to_str().unwrap().to_owned();
    let names = [
        "/CN=www.example.org",
        "/C=DE/ST=Bavaria/L=M\u{fc}nchen/O=Beispiel, Inc. \"x\"/OU=a\\+b/CN=<\\\\;>",
        "/CN=#begins/O= spaces /OU=\u{65e5}\u{672c}\u{8a9e}/serialNumber=42",
        "/DC=org/DC=example/UID=somebody/CN=Some Body/emailAddress=somebody@example.org",
        "/CN=two+O=in one/title=Dr/GN=Ada/SN=Lovelace/description=x",
        "/businessCategory=Private/jurisdictionC=DE/postalCode=12345/street=Way 1/CN=ev",
    ];
    let mut made = 0;
    for (number, (name, _)) in keys.iter().enumerate() {
        for (which, subject) in names.iter().enumerate() {
            let path = at(&format!("{name}-{which}.pem"));
            let key = key(name);
            let serial = format!(
                "0x{}{number:x}{which:x}",
                ["", "80", "7f000000", "ffffffffffffffff"][which % 4]
            );
            let days = ["30", "1", "9500", "99999"][which % 4];
            let mut args = vec![
                "req",
                "-x509",
                "-new",
                "-utf8",
                "-multivalue-rdn",
                "-key",
                &key,
                "-out",
                &path,
                "-subj",
                subject,
                "-set_serial",
                &serial,
                "-days",
                days,
            ];
            match which {
                0 => args.extend(["-addext", "subjectAltName=DNS:www.example.org,DNS:*.example.org,IP:192.0.2.7,IP:2001:db8::7,email:a@example.org,URI:https://example.org/"]),
                1 => args.extend(["-addext", "basicConstraints=critical,CA:false", "-addext", "keyUsage=digitalSignature"]),
                2 => args.extend(["-addext", "extendedKeyUsage=serverAuth,clientAuth,1.2.3.4"]),
                _ => {}
            }
            if number < 4 {
                args.push(["-sha1", "-sha256", "-sha384", "-sha512"][which % 4]);
                if which == 5 && number > 0 {
                    args.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:20"]);
                }
            }
            openssl(&args);
            made += 1;
        }
    }
    let (seen, facts) = certificates(temp.path());
    assert_eq!(facts["unread"], serde_json::json!([]));
    assert_eq!(seen.len(), made);
    let mut fields = 0;
    for (file, certificate) in &seen {
        assert_eq!(certificate["self_signed"], true, "{file}");
        let path = format!("{}{file}", temp.path().to_str().unwrap());
        fields += compare(&path, certificate);
    }
    eprintln!("{made} made certificates, {fields} fields");
}

/// Dates of which `openssl req` makes none: past, around the change of their form in 2050, and the last one.
#[test]
fn dates_are_read_as_by_openssl() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("etc/ssl/localcerts");
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let config = format!(
        "[ca]\ndefault_ca = d\n[d]\ndatabase = {}\nnew_certs_dir = {}\nrand_serial = yes\npolicy = p\ndefault_md = sha256\n\
         unique_subject = no\n[p]\ncommonName = supplied\n",
        path("index"),
        path("."),
    );
    fs::write(path("ca.cnf"), config).unwrap();
    fs::write(path("index"), "").unwrap();
    openssl(&[
        "req",
        "-new",
        "-newkey",
        "ed25519",
        "-nodes",
        "-subj",
        "/CN=dates",
        "-keyout",
        &path("key"),
        "-out",
        &path("csr"),
    ]);
    let dates = [
        ("700102000000Z", "20000229235959Z"),
        ("19991231235959Z", "20200101000000Z"),
        ("20200101000000Z", "491231235959Z"),
        ("20200101000000Z", "20491231235959Z"),
        ("20200101000000Z", "20500101000000Z"),
        ("20510228000000Z", "99991231235959Z"),
    ];
    for (number, (from, until)) in dates.iter().enumerate() {
        let out = folder.join(format!("{number}.pem"));
        openssl(&[
            "ca",
            "-batch",
            "-notext",
            "-config",
            &path("ca.cnf"),
            "-selfsign",
            "-keyfile",
            &path("key"),
            "-in",
            &path("csr"),
            "-startdate",
            from,
            "-enddate",
            until,
            "-out",
            out.to_str().unwrap(),
            "-md",
            "null",
        ]);
    }
    let (seen, facts) = certificates(temp.path());
    assert_eq!(facts["unread"], serde_json::json!([]));
    assert_eq!(seen.len(), dates.len());
    for (file, certificate) in &seen {
        compare(&format!("{}{file}", temp.path().to_str().unwrap()), certificate);
    }
}

#[test]
fn public_authorities_are_read_as_by_openssl() {
    let bundle = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt")
        .expect("the bundle is there; install it: apt-get install ca-certificates");
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("etc/ssl/localcerts");
    fs::create_dir_all(&folder).unwrap();
    let mut copied = 0;
    for (number, certificate) in bundle.split_inclusive("-----END CERTIFICATE-----\n").enumerate() {
        if certificate.contains("BEGIN CERTIFICATE") {
            fs::write(folder.join(format!("{number:03}.pem")), certificate).unwrap();
            copied += 1;
        }
    }
    let (seen, facts) = certificates(temp.path());
    assert_eq!(facts["unread"], serde_json::json!([]));
    assert_eq!(seen.len(), copied);
    assert!(copied > 100, "{copied}");
    for (file, certificate) in &seen {
        compare(&format!("{}{file}", temp.path().to_str().unwrap()), certificate);
    }
    eprintln!("{copied} public authorities");
}
