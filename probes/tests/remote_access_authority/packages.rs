//! The probe of remote access against what Debian's packages really install: each is fetched, unpacked into a folder of its
//! own and must be found there, with the units that it brings, and nothing else.
//!
//! Needs the machine's own mirrors (8 MB) and the packages apt and dpkg.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use evidence::facts::{FactsDocument, Outcome};
use serde_json::Value;

use crate::machine::{Machine, authority};

/// Packages and what they are called in the facts.
const PACKAGES: [(&str, &str); 25] = [
    ("atftpd", "tftpd"),
    ("charon-systemd", "strongswan"),
    ("cockpit-ws", "cockpit"),
    ("distcc", "distccd"),
    ("dropbear-bin", "dropbear"),
    ("gnome-remote-desktop", "gnome-remote-desktop"),
    ("inetutils-telnetd", "telnetd"),
    ("openvpn", "openvpn"),
    ("pure-ftpd", "pure-ftpd"),
    ("rsh-redone-server", "rshd"),
    ("samba", "samba"),
    ("shellinabox", "shellinabox"),
    ("strongswan-starter", "strongswan"),
    ("strongswan-swanctl", "strongswan"),
    ("telnetd-ssl", "telnetd"),
    ("tftpd-hpa", "tftpd"),
    ("tigervnc-standalone-server", "tigervnc"),
    ("tinc", "tinc"),
    ("tmate", "tmate"),
    ("vsftpd", "vsftpd"),
    ("wayvnc", "wayvnc"),
    ("wireguard-tools", "wireguard-tools"),
    ("x11vnc", "x11vnc"),
    ("x2goserver", "x2go"),
    ("xrdp", "xrdp"),
];

fn run(package: &str, program: &str, args: &[&str]) {
    let output = authority(package, program, args, b"");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {errors}");
}

fn facts(root: &Path) -> Value {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "remote-access")
        .expect("it is registered");
    let document: FactsDocument = probe.collect(&Machine::folder(root)).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.expect("observed documents have facts")
}

#[test]
fn what_packages_install_is_found() {
    let temp = tempfile::tempdir().unwrap();
    for (package, product) in PACKAGES {
        let root = temp.path().join(package);
        fs::create_dir(&root).unwrap();
        let script = format!(
            "cd {} && apt-get download -q {package} && dpkg-deb -x *.deb . && rm *.deb",
            root.display()
        );
        run("apt", "sh", &["-c", &script]);
        let facts = facts(&root);
        let products = facts["products"]["value"].as_array().unwrap();
        let names: BTreeSet<_> = products.iter().map(|one| one["product"].as_str().unwrap()).collect();
        assert!(names.contains(product), "{package}: {names:?}");
        // rsh-redone-server brings rlogind too.
        let others: Vec<_> = names
            .iter()
            .filter(|name| **name != product && **name != "rlogind")
            .collect();
        assert!(others.is_empty(), "{package}: {others:?}");
        for one in products {
            for file in one["files"].as_array().unwrap() {
                let file = root.join(file.as_str().unwrap().trim_start_matches('/'));
                assert!(fs::symlink_metadata(&file).is_ok(), "{package}: {}", file.display());
            }
        }
        let found: BTreeSet<_> = products
            .iter()
            .flat_map(|one| one["units"]["value"].as_array().into_iter().flatten())
            .map(|unit| unit["unit"].as_str().unwrap().to_owned())
            .collect();
        println!("{package}: {names:?} {found:?}, installs {:?}", units(&root));
    }
}

/// Services and sockets in a root.
fn units(root: &Path) -> BTreeSet<String> {
    let mut units = BTreeSet::new();
    for folder in ["lib/systemd/system", "usr/lib/systemd/system"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        units.extend(names.filter(|name| name.contains(".service") || name.contains(".socket")));
    }
    units
}
