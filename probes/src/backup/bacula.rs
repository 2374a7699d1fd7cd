//! The file daemons of Bacula and Bareos: a server fetches from them, so that only encryption is told here
//! (*Data Encryption* in both manuals: `PKI Encryption`; names are without case and blanks).

use super::facts::{Configuration, Encryption, Place, Repository, Settings};
use super::{configuration, files_in};
use crate::reading::{Reading, Unread};

const BACULA: [&str; 2] = ["/etc/bacula/bacula-fd.conf", "/opt/bacula/etc/bacula-fd.conf"];
const BAREOS: &str = "/etc/bareos/bareos-fd.d/client";
const BAREOS_OLD: &str = "/etc/bareos/bareos-fd.conf";

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let mut files: Vec<(&str, String)> = BACULA.iter().map(|file| ("bacula", (*file).to_owned())).collect();
    files.push(("bareos", BAREOS_OLD.to_owned()));
    files.extend(
        files_in(reading, BAREOS, &[".conf"])?
            .into_iter()
            .map(|file| ("bareos", file)),
    );
    let mut found = vec![];
    for (product, file) in files {
        // It holds the director's password: no digest.
        let read = match reading.private(&file, &file) {
            Ok(Some(bytes)) => Ok(settings(&String::from_utf8_lossy(&bytes))),
            Ok(None) => continue,
            Err(unread) => Err(unread),
        };
        found.push(configuration(product, &file, read));
    }
    Ok(found)
}

fn settings(text: &str) -> Settings {
    let mut encryption = Encryption::NotEncrypted;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        for directive in line.split([';', '{', '}']) {
            let Some((name, value)) = directive.split_once('=') else {
                continue;
            };
            let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
            let yes = matches!(value.trim().to_ascii_lowercase().as_str(), "yes" | "true" | "1");
            if name.eq_ignore_ascii_case("pkiencryption") && yes {
                encryption = Encryption::Encrypted;
            }
        }
    }
    Settings {
        repositories: vec![Repository {
            place: Place::Remote,
            scheme: "director".to_owned(),
        }],
        encryption,
        ..Settings::default()
    }
}
