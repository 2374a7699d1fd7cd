//! `/etc/crypttab` (crypttab(5) of systemd and of Debian's cryptsetup) and the mappings that are active.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::facts::{Crypttab, CrypttabEntry, KeySource, VolumeKeyFile};
use super::stack::Below;
use super::survey::Survey;
use super::text::masked;
use super::volumes::encryption_of;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Stat, Unread};

const PATH: &str = "/etc/crypttab";
const MAX_ENTRIES: usize = 1_000;
const MAX_UNPARSED: usize = 100;
const MAX_OPTIONS: usize = 50;

/// What was read before the devices were.
pub(super) struct Draft {
    entries: Vec<(CrypttabEntry, Option<KeyOn>)>,
    unparsed_lines: Vec<u32>,
    active_elsewhere: Vec<String>,
}

/// A key's file and where it lies.
struct KeyOn {
    path: String,
    stat: Result<Option<Stat>, Unread>,
    below: Below,
}

impl Draft {
    /// Reads the file; `Ok(None)` if there is none.
    pub(super) fn read(survey: &mut Survey<'_, '_>) -> Result<Option<Self>, Unread> {
        let Some(bytes) = survey.reading.file(PATH)? else {
            return Ok(None);
        };
        let mut draft = Self {
            entries: vec![],
            unparsed_lines: vec![],
            active_elsewhere: vec![],
        };
        let active = active(survey.reading)?;
        let mut named = BTreeSet::new();
        for (number, line) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [name, device, rest @ ..] = fields.as_slice() else {
                draft.unparsed_lines.push(number);
                continue;
            };
            if draft.entries.len() >= MAX_ENTRIES {
                return Err(Unread::Malformed {
                    place: PATH.to_owned(),
                    reason: format!("more than {MAX_ENTRIES} entries"),
                });
            }
            named.insert((*name).to_owned());
            let key = rest.first().copied().unwrap_or("none");
            let options: Vec<&str> = rest
                .get(1)
                .map_or_else(Vec::new, |options| options.split(',').collect());
            let (mut source, path) = source(key, &options);
            let mut path = path.map(str::to_owned);
            if source == KeySource::Passphrase {
                path = own_key(survey.reading, name)?;
                source = path.as_ref().map_or(source, |_| KeySource::File);
            }
            let key_on = path.map(|path| KeyOn {
                stat: survey.reading.private_stat(&path, &masked(&path)),
                below: survey.storage_of_file(&path),
                path,
            });
            let mut names: Vec<String> = options
                .iter()
                .map(|option| option.split('=').next().unwrap_or_default())
                .filter(|name| !name.is_empty() && name.len() <= 40)
                .map(str::to_owned)
                .take(MAX_OPTIONS)
                .collect();
            names.order();
            names.dedup();
            draft.entries.push((
                CrypttabEntry {
                    name: shown(name),
                    device: masked(device),
                    active: active.contains(*name),
                    key: source,
                    key_file: absent("the key is in no file"),
                    options: names,
                },
                key_on,
            ));
        }
        draft.unparsed_lines.truncate(MAX_UNPARSED);
        draft.active_elsewhere = active.difference(&named).map(|name| shown(name)).collect();
        draft.active_elsewhere.order();
        draft.active_elsewhere.dedup();
        Ok(Some(draft))
    }

    pub(super) fn judge(self, survey: &Survey<'_, '_>) -> Crypttab {
        let entry = |(entry, key): (CrypttabEntry, Option<KeyOn>)| CrypttabEntry {
            key_file: match &key {
                None => entry.key_file,
                Some(key) => match &key.stat {
                    Ok(Some(stat)) => Known::Observed(VolumeKeyFile {
                        path: masked(&key.path),
                        mode: format!("{:04o}", stat.mode),
                        uid: stat.uid,
                        readable_by_others: stat.mode & 0o044 != 0,
                        encryption: encryption_of(survey, &key.below),
                    }),
                    Ok(None) => absent(&format!("{} is not there", masked(&key.path))),
                    Err(unread) => Known::unread(unread),
                },
            },
            ..entry
        };
        Crypttab {
            entries: self.entries.into_iter().map(entry).collect(),
            unparsed_lines: self.unparsed_lines,
            active_elsewhere: self.active_elsewhere,
        }
    }
}

/// The file with which systemd opens a volume for which none is named (`AUTOMATIC KEY FILE` in crypttab(5)).
fn own_key(reading: &Reading<'_>, name: &str) -> Result<Option<String>, Unread> {
    for folder in ["/etc/cryptsetup-keys.d", "/run/cryptsetup-keys.d"] {
        let path = format!("{folder}/{name}.key");
        if !name.contains('/')
            && reading
                .private_stat(&path, &format!("{folder}/{}.key", shown(name)))?
                .is_some()
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether the file has an entry of this name.
pub(super) fn names(reading: &Reading<'_>, name: &str) -> bool {
    let bytes = reading.file(PATH).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines()
        .any(|line| line.split_ascii_whitespace().next() == Some(name))
}

/// Where the key comes from, and its file.
fn source<'t>(key: &'t str, options: &[&str]) -> (KeySource, Option<&'t str>) {
    let has = |name: &str| options.iter().any(|option| option.split('=').next() == Some(name));
    match key {
        _ if has("keyscript") => (KeySource::Program, None),
        "none" | "-"
            if ["tpm2-device", "fido2-device", "pkcs11-uri"]
                .iter()
                .any(|name| has(name)) =>
        {
            (KeySource::Token, None)
        }
        "none" | "-" => (KeySource::Passphrase, None),
        "/dev/urandom" | "/dev/random" | "/dev/hwrng" => (KeySource::Random, None),
        _ if key.starts_with('/') => (KeySource::File, Some(key)),
        // `PATH:DEVICE`, or a name that a key script would read.
        _ => (KeySource::File, None),
    }
}

/// systemd-homed calls the mapping of a home `home-USER`.
fn shown(name: &str) -> String {
    if name.starts_with("home-") {
        "home-*".to_owned()
    } else {
        name.chars().take(200).collect()
    }
}

/// Names of all mappings of cryptsetup that encrypt.
fn active(reading: &Reading<'_>) -> Result<BTreeSet<String>, Unread> {
    let mut names = BTreeSet::new();
    for entry in reading.list("/sys/class/block")?.unwrap_or_default() {
        if !entry.name.starts_with("dm-") {
            continue;
        }
        let attribute = |name: &str| reading.attribute(&format!("/sys/class/block/{}/dm/{name}", entry.name));
        let uuid = attribute("uuid")?.unwrap_or_default();
        let kind = uuid.strip_prefix("CRYPT-").unwrap_or_default();
        let encrypts = !kind.is_empty()
            && !["VERITY-", "INTEGRITY-", "TEMP-", "SUBDEV-"]
                .iter()
                .any(|other| kind.starts_with(other));
        if encrypts {
            names.extend(attribute("name")?);
        }
    }
    Ok(names)
}

fn absent<T>(detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.to_owned(),
    })
}
