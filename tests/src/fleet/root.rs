//! Folders that look like a Debian host, probed by the agent's own probes and its own reader.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use affiant_agent::collection::Runner;
use affiant_agent::machine::Machine;
use evidence::facts::ProbeId;

/// Facts documents by probe, as the agent writes them.
pub type Documents = BTreeMap<ProbeId, Vec<u8>>;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../probes/fixtures/");

/// Writes the files that most probes read.
pub fn write(root: &Path, name: &str) {
    let fixture = |path: &str| fs::read_to_string(format!("{FIXTURES}{path}")).expect("a captured file");
    for (path, content) in [
        ("etc/hostname", format!("{name}\n")),
        ("etc/os-release", fixture("kernel-and-release/debian-12/os-release")),
        (
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/:/usr/sbin/nologin\nada:x:1000:1000:Ada:/home/ada:/bin/bash\n"
                .to_owned(),
        ),
        ("etc/shadow", "root:!:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nada:!:20000:0:99999:7:::\n".to_owned()),
        ("etc/group", "root:x:0:\ndaemon:x:1:\nada:x:1000:\n".to_owned()),
        ("etc/ssh/sshd_config", "PasswordAuthentication no\n".to_owned()),
        ("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned()),
        ("var/lib/dpkg/status", fixture("packages/status")),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
}

/// A second account with uid 0: what rules find.
pub fn add_second_superuser(root: &Path) {
    let path = root.join("etc/passwd");
    let before = fs::read_to_string(&path).expect("the accounts");
    fs::write(path, format!("{before}toor:x:0:0::/root:/bin/sh\n")).expect("a file");
}

/// Probes the folder.
pub fn collect(root: &Path) -> Documents {
    let machine = Machine::below(root).expect("a root folder");
    let collection = Runner::new(machine, probes::registry::all()).collect();
    let document = |document: &affiant_agent::collection::Document| (document.id().clone(), document.bytes().to_vec());
    collection.documents().map(document).collect()
}
