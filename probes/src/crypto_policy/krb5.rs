//! Kerberos: `[libdefaults]` of krb5.conf(5).

use std::collections::BTreeMap;

use super::facts::Krb5;
use crate::reading::{Reading, Unread};

const MAIN: &str = "/etc/krb5.conf";
const MAX_FILES: usize = 100;

/// Reads it; `None` if Kerberos is not configured.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Krb5>, Unread> {
    let mut profile = Profile::default();
    if !profile.file(reading, MAIN, 8)? {
        return Ok(None);
    }
    let boolean = |name: &str| match profile.values.get(name)?.to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" | "t" | "1" | "on" => Some(true),
        "n" | "no" | "false" | "nil" | "0" | "off" => Some(false),
        _ => None,
    };
    let enctypes = profile.values.get("permitted_enctypes").map(|value| {
        let words = value.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    });
    Ok(Some(Krb5 {
        permitted_enctypes: enctypes,
        allow_weak_crypto: boolean("allow_weak_crypto"),
        allow_rc4: boolean("allow_rc4"),
        allow_des3: boolean("allow_des3"),
        files: profile.files,
    }))
}

#[derive(Default)]
struct Profile {
    files: Vec<String>,
    /// Of `[libdefaults]`: the first value of a name counts.
    values: BTreeMap<String, String>,
}

impl Profile {
    fn file(&mut self, reading: &Reading<'_>, path: &str, depth: u8) -> Result<bool, Unread> {
        if depth == 0 || self.files.len() >= MAX_FILES {
            return Err(Unread::Malformed {
                place: path.to_owned(),
                reason: "includes are nested too deeply, or are too many".to_owned(),
            });
        }
        let Some(bytes) = reading.file(path)? else {
            return Ok(false);
        };
        self.files.push(path.to_owned());
        let text = String::from_utf8_lossy(&bytes);
        let (mut section, mut inside) = (String::new(), 0_u32);
        for line in text.lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(folder) = line.strip_prefix("includedir ") {
                self.folder(reading, folder.trim(), depth)?;
            } else if let Some(file) = line.strip_prefix("include ") {
                self.file(reading, file.trim(), depth - 1)?;
            } else if let Some(name) = line.strip_prefix('[') {
                name.split(']').next().unwrap_or_default().clone_into(&mut section);
                inside = 0;
            } else if line.starts_with('}') {
                inside = inside.saturating_sub(1);
            } else if let Some((name, value)) = line.split_once('=') {
                let value = value.trim();
                if value.starts_with('{') {
                    inside += 1;
                } else if section == "libdefaults" && inside == 0 {
                    let value = value.trim_matches('"').to_owned();
                    self.values.entry(name.trim().to_owned()).or_insert(value);
                }
            }
        }
        Ok(true)
    }

    /// Names of letters, digits, `-` and `_`, and all that end in `.conf`; none that begin with a dot.
    fn folder(&mut self, reading: &Reading<'_>, folder: &str, depth: u8) -> Result<(), Unread> {
        let folder = folder.trim_end_matches('/');
        for entry in reading.list(folder)?.unwrap_or_default() {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            let wanted = entry.name.strip_suffix(".conf").is_some() || entry.name.chars().all(plain);
            if wanted && !entry.name.starts_with('.') {
                self.file(reading, &format!("{folder}/{}", entry.name), depth - 1)?;
            }
        }
        Ok(())
    }
}
