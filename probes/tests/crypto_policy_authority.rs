//! OpenSSL's defaults as the crypto-policy probe reads them, against OpenSSL itself: Python's `ssl` module makes a
//! context and tells what the library made of the configuration.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;
use std::process::Command;

use machine::Machine;
use probes::registry;
use serde_json::Value;

/// Oldest and newest version and security level of contexts made with each configuration.
const SCRIPT: &str = "
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
print(int(context.minimum_version), int(context.maximum_version), context.security_level)
";

fn openssl(config: &str) -> (String, String, String) {
    let output = Command::new("/usr/bin/python3")
        .args(["-c", SCRIPT])
        .env("OPENSSL_CONF", config)
        .output()
        .expect("python3 is there; install it: apt-get install python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    (words[0].clone(), words[1].clone(), words[2].clone())
}

fn facts(root: &Path) -> Value {
    let all = registry::all();
    let probe = all.iter().find(|probe| probe.spec.id == "crypto-policy").unwrap();
    let document = probe.collect(&Machine::folder(root)).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

/// The number of a version on the wire; `unset` if nothing sets it.
fn number(version: Option<&Value>, unset: &str) -> String {
    match version.map(|version| version.as_str().unwrap()) {
        None | Some("None") => unset.to_owned(),
        Some("SSLv3") => "768".to_owned(),
        Some("TLSv1") => "769".to_owned(),
        Some("TLSv1.1") => "770".to_owned(),
        Some("TLSv1.2") => "771".to_owned(),
        Some("TLSv1.3") => "772".to_owned(),
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn defaults_are_those_that_openssl_takes() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("etc/ssl");
    fs::create_dir_all(&folder).unwrap();
    let main = folder.join("openssl.cnf");
    let settings = [
        "",
        "MinProtocol = TLSv1.2",
        "MinProtocol = TLSv1.1\nMaxProtocol = TLSv1.2",
        "MinProtocol = TLSv1.3\nMinProtocol = TLSv1",
        "TLS.MinProtocol = TLSv1.2\nDTLS.MinProtocol = DTLSv1.2",
        "DTLS.MinProtocol = DTLSv1\nTLS.MinProtocol = TLSv1.3",
        "1.MinProtocol = TLSv1.1\n2.MinProtocol = TLSv1.3",
        "minprotocol = TLSv1.2",
        "MinProtocol = None\nMaxProtocol = TLSv1.3",
        "CipherString = DEFAULT@SECLEVEL=0",
        "CipherString = DEFAULT:@SECLEVEL=1",
        "CipherString = @SECLEVEL=3:kEECDH:!aNULL",
        "CipherString = HIGH",
        "a.CipherString = DEFAULT@SECLEVEL=4\nb.CipherString = HIGH",
        "CipherString = DEFAULT@SECLEVEL=1:@SECLEVEL=5",
        "MinProtocol = \"TLSv1.2\" # as everywhere",
        "MinProtocol = $wanted\nCipherString = ${default::cipher}",
        "MinProtocol = TLSv1\\\n.2",
        "Protocol = ALL",
    ];
    // How the section is reached: {} is where the settings stand.
    let frames = [
        "wanted = TLSv1.1\ncipher = DEFAULT@SECLEVEL=1\nopenssl_conf = i\n[i]\nssl_conf = m\n[m]\nsystem_default = s\n[s]\n{}\n",
        "[s]\nwanted = TLSv1.1\n{}\n[default]\ncipher = DEFAULT@SECLEVEL=1\nopenssl_conf = i\n[ m ]\nsystem_default=s\n[i]\nssl_conf=m\n",
        "# off\nwanted = TLSv1.1\ncipher = DEFAULT@SECLEVEL=1\n#openssl_conf = i\n[i]\nssl_conf = m\n[m]\nsystem_default = s\n[s]\n{}\n",
        "wanted = TLSv1.1\ncipher = DEFAULT@SECLEVEL=1\nopenssl_conf = i\n[i]\nssl_conf = m\n[m]\nother = s\n[s]\n{}\n",
    ];
    fs::write(&main, "").unwrap();
    let path = main.to_str().unwrap();
    let (unset_min, unset_max, unset_level) = openssl(path);
    let mut compared = 0;
    for settings in settings {
        for frame in frames {
            // A variable must stand before it is used, else OpenSSL refuses the file.
            if settings.contains('$') && frame.starts_with("[s]") {
                continue;
            }
            let text = frame.replace("{}", settings);
            fs::write(&main, &text).unwrap();
            let facts = facts(temp.path());
            let seen = &facts["openssl"]["value"];
            let level = seen
                .get("security_level")
                .map_or(unset_level.clone(), ToString::to_string);
            let told = (
                number(seen.get("min_protocol"), &unset_min),
                number(seen.get("max_protocol"), &unset_max),
                level,
            );
            assert_eq!(told, openssl(path), "{text}\n{seen}");
            compared += 1;
        }
    }
    // Includes: the included file stands at its own path on the machine, and in the folder too.
    let included = temp.path().join("included");
    let inside = temp.path().join(included.strip_prefix("/").unwrap());
    fs::create_dir_all(inside.parent().unwrap()).unwrap();
    let frame = frames[0];
    for content in [
        "MinProtocol = TLSv1.3",
        "[s]\nMinProtocol = TLSv1.1",
        "[other]\nMinProtocol = TLSv1.3\n[x]",
        "",
    ] {
        for include in [
            ".include {}",
            ".include = {}",
            "MinProtocol = TLSv1\n.include {}\nMaxProtocol = TLSv1.2",
            ".include {}.none",
        ] {
            fs::write(&included, content).unwrap();
            fs::write(&inside, content).unwrap();
            let include = include.replace("{}", included.to_str().unwrap());
            let text = frame.replace("{}", &include);
            fs::write(&main, &text).unwrap();
            let facts = facts(temp.path());
            let seen = &facts["openssl"]["value"];
            let (min, max, _) = openssl(path);
            assert_eq!(
                number(seen.get("min_protocol"), &unset_min),
                min,
                "{text}\n{content}\n{seen}"
            );
            assert_eq!(
                number(seen.get("max_protocol"), &unset_max),
                max,
                "{text}\n{content}\n{seen}"
            );
            compared += 1;
        }
    }
    eprintln!("{compared} configurations");
}
