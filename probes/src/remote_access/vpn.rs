//! VPNs as files configure them: never a key, a peer or an address.

use std::collections::BTreeMap;

use super::facts::{Ipsec, Openvpn, Wireguard};
use crate::formats::included;
use crate::formats::systemd::syntax;
use crate::reading::{Reading, Unread};

const OPENVPN: [&str; 3] = ["/etc/openvpn", "/etc/openvpn/client", "/etc/openvpn/server"];
const MAX: usize = 1_000;

pub(super) fn wireguard(reading: &Reading<'_>) -> Result<Vec<Wireguard>, Unread> {
    let mut found = vec![];
    for file in included::files(reading, "/etc/wireguard/*.conf")?.into_iter().take(MAX) {
        let Some(bytes) = reading.private(&file, &file)? else {
            continue;
        };
        let mode = reading.stat(&file)?.map_or(0, |stat| stat.mode);
        // wg(8): names without case, `#` comments also after values.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let text: String = text
            .lines()
            .map(|line| format!("{}\n", line.split('#').next().unwrap_or_default()))
            .collect();
        let peers = text
            .lines()
            .filter(|line| line.trim().eq_ignore_ascii_case("[peer]"))
            .count();
        let assignments = syntax::lenient(&text);
        let of = |section: &'static str, name: &'static str| {
            assignments
                .iter()
                .filter(move |one| one.section.eq_ignore_ascii_case(section) && one.name.eq_ignore_ascii_case(name))
        };
        let mut networks = of("peer", "AllowedIPs").flat_map(|one| one.value.split(',').map(str::trim));
        found.push(Wireguard {
            listen_port: of("interface", "ListenPort")
                .next_back()
                .and_then(|one| one.value.parse().ok()),
            peers: peers as u64,
            preshared_keys: of("peer", "PresharedKey").count() as u64,
            all_traffic: networks.any(|network| network == "0.0.0.0/0" || network == "::/0"),
            mode: format!("{mode:04o}"),
            file,
        });
    }
    Ok(found)
}

pub(super) fn openvpn(reading: &Reading<'_>) -> Result<Vec<Openvpn>, Unread> {
    let mut found = vec![];
    for folder in OPENVPN {
        for file in included::files(reading, &format!("{folder}/*.conf"))?
            .into_iter()
            .take(MAX)
        {
            // The names of files may be those of people, and keys may stand in them.
            if let Some(bytes) = reading.private(&file, folder)? {
                found.push(openvpn_settings(&String::from_utf8_lossy(&bytes), folder));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// openvpn(8): an option and its parameters on each line; `<name>` begins a file that stands in this one.
fn openvpn_settings(text: &str, folder: &str) -> Openvpn {
    let mut options: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut within: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = within {
            if line.strip_prefix("</").and_then(|rest| rest.strip_suffix('>')) == Some(name) {
                within = None;
            }
            continue;
        }
        if let Some(name) = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
            within = Some(name);
            options.insert(name, vec![]);
            continue;
        }
        let mut words = line
            .split_ascii_whitespace()
            .take_while(|word| !word.starts_with(['#', ';']));
        if let Some(name) = words.next() {
            options.insert(name.trim_start_matches("--"), words.collect());
        }
    }
    let has = |name: &str| options.contains_key(name);
    let first = |name: &str| options.get(name).and_then(|words| words.first()).copied();
    let ciphers = first("data-ciphers")
        .or(first("ncp-ciphers"))
        .or(first("cipher"))
        .unwrap_or_default();
    let compression = first("compress").filter(|kind| !kind.starts_with("stub") && *kind != "migrate");
    Openvpn {
        folder: folder.to_owned(),
        server: has("server") || has("server-bridge") || has("tls-server") || first("mode") == Some("server"),
        ciphers: ciphers
            .split(':')
            .filter(|cipher| !cipher.is_empty())
            .map(str::to_owned)
            .collect(),
        auth: first("auth").unwrap_or_default().to_owned(),
        tls_version_min: first("tls-version-min").unwrap_or_default().to_owned(),
        control_key: has("tls-auth") || has("tls-crypt") || has("tls-crypt-v2"),
        static_key: has("secret"),
        server_checked: has("remote-cert-tls")
            || has("remote-cert-eku")
            || has("verify-x509-name")
            || has("ns-cert-type"),
        without_client_certificate: first("verify-client-cert") == Some("none") || has("client-cert-not-required"),
        compression: compression.is_some() || (has("comp-lzo") && first("comp-lzo") != Some("no")),
    }
}

pub(super) fn ipsec(reading: &Reading<'_>) -> Result<Ipsec, Unread> {
    let mut found = Ipsec::default();
    let mut files = vec!["/etc/ipsec.conf".to_owned()];
    files.extend(included::files(reading, "/etc/ipsec.d/*.conf")?);
    for file in files {
        let Some(bytes) = reading.private(&file, &file)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut in_connection = false;
        let before = found.connections;
        for line in text.lines().map(|line| line.split('#').next().unwrap_or_default()) {
            // A section begins in the first column (ipsec.conf(5)).
            if !line.is_empty() && !line.starts_with([' ', '\t']) {
                let name = line.strip_prefix("conn").map(str::trim).unwrap_or_default();
                in_connection = !name.is_empty() && name != "%default";
                found.connections += u64::from(in_connection);
            }
            let assignment = line
                .trim()
                .split_once('=')
                .map(|(name, value)| (name.trim(), value.trim()));
            if in_connection && matches!(assignment, Some(("authby" | "leftauth", "secret" | "psk"))) {
                found.by_secret += 1;
            }
        }
        if found.connections > before {
            found.files.push(file);
        }
    }
    let mut files = vec!["/etc/swanctl/swanctl.conf".to_owned()];
    files.extend(included::files(reading, "/etc/swanctl/conf.d/*.conf")?);
    for file in files {
        let Some(bytes) = reading.private(&file, &file)? else {
            continue;
        };
        let (connections, by_secret) = swanctl(&String::from_utf8_lossy(&bytes));
        if connections > 0 {
            found.files.push(file);
        }
        found.connections += connections;
        found.by_secret += by_secret;
    }
    found.files.sort();
    Ok(found)
}

/// Sections directly below `connections`, and how many of them the host authenticates itself in by a shared secret.
fn swanctl(text: &str) -> (u64, u64) {
    let mut sections: Vec<String> = vec![];
    let (mut connections, mut by_secret) = (0, 0);
    let mut word = String::new();
    let text: String = text
        .lines()
        .map(|line| format!("{}\n", line.split('#').next().unwrap_or_default()))
        .collect();
    for character in text.chars() {
        match character {
            '{' => {
                let name = word.trim().to_owned();
                connections +=
                    u64::from(sections.len() == 1 && sections.first().is_some_and(|name| name == "connections"));
                if sections.len() < 100 {
                    sections.push(name);
                }
                word.clear();
            }
            '}' | '\n' => {
                let ours = sections.len() == 3 && sections.get(2).is_some_and(|name| name.starts_with("local"));
                let assignment = word.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
                by_secret += u64::from(ours && assignment == Some(("auth", "psk")));
                if character == '}' {
                    sections.pop();
                }
                word.clear();
            }
            _ => word.push(character),
        }
    }
    (connections, by_secret)
}
