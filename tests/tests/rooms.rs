//! The edges between the rooms, as `ARCHITECTURE.md` draws them, held against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

#[test]
fn each_room_depends_only_on_what_it_may() {
    let may: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("affiant-evidence", &[][..]),
        ("affiant-probes", &["affiant-evidence"]),
        ("affiant-controls", &["affiant-evidence"]),
        ("affiant-agent", &["affiant-evidence", "affiant-probes"]),
        ("affiant-collector", &["affiant-controls", "affiant-evidence"]),
        ("affiant-verify", &["affiant-controls", "affiant-evidence"]),
    ]);
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for (room, allowed) in may {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name == room)
            .expect(room);
        let edges: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.as_str())
            .filter(|name| members.contains(name))
            .collect();
        assert_eq!(edges, allowed.iter().copied().collect(), "{room}");
    }
}

/// The verifier is what an auditor relies on: whatever it links, they have to trust.
#[test]
fn the_verifier_speaks_no_network_and_shares_no_signature_code_with_the_signers() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "affiant-verify",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let linked: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(linked.contains("ed25519-dalek"));
    for unwanted in [
        "aws-lc-rs",
        "tokio",
        "hyper",
        "reqwest",
        "rustls",
        "rusqlite",
        "socket2",
    ] {
        assert!(!linked.contains(unwanted), "affiant-verify links {unwanted}");
    }
}
