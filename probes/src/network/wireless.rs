//! Wireless networks that this host knows: how they are secured, and how many. Names and secrets stay in their files.

use std::collections::BTreeMap;

use super::facts::{Wireless, WirelessManager};
use crate::reading::{Kind, Reading, Unread};

/// Files that are looked at in each folder.
const MAX_FILES: usize = 2_000;

type Counts = BTreeMap<(WirelessManager, String), u64>;

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Wireless>, Unread> {
    let mut counts = Counts::new();
    let mut add = |manager, security: String| *counts.entry((manager, security)).or_default() += 1;
    for folder in [
        "/etc/NetworkManager/system-connections",
        "/run/NetworkManager/system-connections",
        "/usr/lib/NetworkManager/system-connections",
    ] {
        for text in texts(reading, folder, "")? {
            if let Some(security) = keyfile(&text) {
                add(WirelessManager::NetworkManager, security);
            }
        }
    }
    for text in texts(reading, "/etc/wpa_supplicant", ".conf")? {
        for security in supplicant(&text) {
            add(WirelessManager::WpaSupplicant, security);
        }
    }
    // iwd(8) tells the kind by the name's end: `NAME.psk`.
    for entry in reading.entries("/var/lib/iwd")?.unwrap_or_default() {
        if let Some((_, kind @ ("open" | "psk" | "8021x"))) = entry.name.rsplit_once('.') {
            add(WirelessManager::Iwd, kind.to_owned());
        }
    }
    let counts = counts.into_iter();
    Ok(counts
        .map(|((manager, security), networks)| Wireless {
            manager,
            security,
            networks,
        })
        .collect())
}

/// The files of a folder. Their names are names of networks, so the folder stands for them all.
fn texts(reading: &Reading<'_>, folder: &str, end: &str) -> Result<Vec<String>, Unread> {
    let mut texts = Vec::new();
    for entry in reading.list(folder)?.unwrap_or_default().into_iter().take(MAX_FILES) {
        if entry.kind == Kind::File && entry.name.ends_with(end) {
            let bytes = reading.private(&format!("{folder}/{}", entry.name), &format!("{folder}/*"))?;
            texts.extend(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(texts)
}

/// The key management of a connection that is wireless; `none` if it names none.
fn keyfile(text: &str) -> Option<String> {
    let (mut section, mut wireless, mut security) = ("", false, "none");
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        match (section, key.trim(), value.trim()) {
            ("connection", "type", "wifi" | "802-11-wireless") => wireless = true,
            ("wifi-security" | "802-11-wireless-security", "key-mgmt", value) => security = value,
            _ => {}
        }
    }
    let known = security
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    wireless.then(|| {
        if known {
            security.to_owned()
        } else {
            "unknown".to_owned()
        }
    })
}

/// The key management of each `network={ … }`, in lower case; wpa_supplicant's default is WPA-PSK with WPA-EAP.
fn supplicant(text: &str) -> Vec<String> {
    let mut networks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("network={") {
            inside = true;
            networks.push("wpa-psk wpa-eap".to_owned());
        } else if line.starts_with('}') {
            inside = false;
        } else if let (true, Some(value), Some(last)) = (inside, line.strip_prefix("key_mgmt="), networks.last_mut()) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' ');
            *last = if value.bytes().all(plain) {
                value.to_ascii_lowercase()
            } else {
                "unknown".to_owned()
            };
        }
    }
    networks
}
