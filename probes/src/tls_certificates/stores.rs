//! The folders in which certificates and keys are kept, without the authorities that the distribution brings.

use super::gather::Gathered;
use crate::reading::{Entry, Kind, Reading};

/// Folders of which every file counts that looks like a certificate or a key.
const FOLDERS: [&str; 24] = [
    "/etc/apache2/ssl",
    "/etc/cockpit/ws-certs.d",
    "/etc/docker/certs.d",
    "/etc/dovecot/private",
    "/etc/haproxy/certs",
    "/etc/httpd/ssl",
    "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd",
    "/etc/nginx/certs",
    "/etc/nginx/ssl",
    "/etc/pki/dovecot/certs",
    "/etc/pki/dovecot/private",
    "/etc/pki/libvirt",
    "/etc/pki/libvirt/private",
    "/etc/pki/nginx",
    "/etc/pki/nginx/private",
    "/etc/pki/tls",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/private",
    "/etc/ssl",
    "/etc/ssl/certs",
    "/etc/ssl/localcerts",
    "/etc/ssl/private",
    "/var/lib/kubelet/pki",
];

/// Folders with one folder for each certificate, which holds it under these names.
const BY_NAME: [(&str, &[&str]); 2] = [
    ("/etc/letsencrypt/live", &["fullchain.pem", "privkey.pem"]),
    ("/etc/dehydrated/certs", &["fullchain.pem", "privkey.pem"]),
];

/// Where the administrator puts authorities that the whole system is to trust (update-ca-certificates(8),
/// update-ca-trust(8)).
const ANCHORS: [&str; 5] = [
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/ca-trust/source",
    "/etc/pki/trust/anchors",
    "/etc/ca-certificates/trust-source/anchors",
];

/// Where distributions keep the authorities that they bring.
const DISTRIBUTION: [&str; 6] = [
    "/usr/share/ca-certificates/",
    "/usr/share/pki/",
    "/etc/pki/ca-trust/extracted/",
    "/var/lib/ca-certificates/",
    "/etc/ca-certificates/extracted/",
    "/usr/local/share/ca-certificates/",
];

/// Bundles that are made of those.
const BUNDLES: [&str; 6] = [
    "ca-certificates.crt",
    "ca-bundle.crt",
    "ca-bundle.trust.crt",
    "ca-bundle.pem",
    "cert.pem",
    "tls-ca-bundle.pem",
];

const ENDINGS: [&str; 9] = [".pem", ".crt", ".cer", ".cert", ".der", ".key", ".p12", ".pfx", ".jks"];

/// Reads all of them.
pub(super) fn read(reading: &Reading<'_>, gathered: &mut Gathered) {
    for folder in FOLDERS {
        // On RPM systems `/etc/ssl/certs` is a link to a folder that is read by its own name.
        if matches!(reading.stat_link(folder), Ok(Some(stat)) if stat.kind == Kind::Link) {
            continue;
        }
        for entry in entries(reading, gathered, folder) {
            let path = format!("{folder}/{}", entry.name);
            if wanted(reading, &path, &entry) {
                gathered.stored(reading, &path, false);
            }
        }
    }
    for (folder, names) in BY_NAME {
        for entry in entries(reading, gathered, folder) {
            if entry.kind == Kind::Folder {
                for name in names {
                    gathered.stored(reading, &format!("{folder}/{}/{name}", entry.name), false);
                }
            }
        }
    }
    for folder in ANCHORS {
        anchors(reading, gathered, folder, 3);
    }
}

fn anchors(reading: &Reading<'_>, gathered: &mut Gathered, folder: &str, depth: u8) {
    for entry in entries(reading, gathered, folder) {
        let path = format!("{folder}/{}", entry.name);
        match entry.kind {
            // update-ca-certificates looks into folders, update-ca-trust does not.
            Kind::Folder if depth > 0 && folder.starts_with("/usr/local") => {
                anchors(reading, gathered, &path, depth - 1);
            }
            Kind::File | Kind::Link if entry.name != "README" && !entry.name.starts_with('.') => {
                gathered.stored(reading, &path, true);
            }
            _ => {}
        }
    }
}

fn entries(reading: &Reading<'_>, gathered: &mut Gathered, folder: &str) -> Vec<Entry> {
    match reading.list(folder) {
        Ok(entries) => entries.unwrap_or_default(),
        Err(unread) => {
            gathered.unread(&unread);
            vec![]
        }
    }
}

fn wanted(reading: &Reading<'_>, path: &str, entry: &Entry) -> bool {
    let private = path.contains("/private/");
    let named = private || ENDINGS.iter().any(|ending| entry.name.ends_with(ending));
    match entry.kind {
        _ if !named || BUNDLES.contains(&entry.name.as_str()) || entry.name.starts_with('.') => false,
        Kind::File => true,
        // A link to a name in the same folder (those by hash among them) is the same file once more.
        Kind::Link => match reading.link(path) {
            Ok(Some(target)) => target.contains('/') && !of_distribution(path, &target),
            _ => true,
        },
        _ => false,
    }
}

fn of_distribution(path: &str, target: &str) -> bool {
    let mut at: Vec<&str> = if target.starts_with('/') {
        vec![]
    } else {
        path.split('/').filter(|part| !part.is_empty()).collect()
    };
    at.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                at.pop();
            }
            _ => at.push(part),
        }
    }
    let target = format!("/{}", at.join("/"));
    DISTRIBUTION.iter().any(|folder| target.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_distributions_authorities() {
        assert!(of_distribution(
            "/etc/ssl/certs/a.pem",
            "/usr/share/ca-certificates/mozilla/a.crt"
        ));
        assert!(of_distribution(
            "/etc/pki/tls/certs/a.pem",
            "../../ca-trust/extracted/pem/a.pem"
        ));
        assert!(!of_distribution(
            "/etc/ssl/certs/a.pem",
            "/etc/letsencrypt/live/x/cert.pem"
        ));
        assert!(!of_distribution("/etc/ssl/certs/a.pem", "../private/a.pem"));
    }
}
