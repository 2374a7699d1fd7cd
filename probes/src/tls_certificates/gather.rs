//! What was found, each certificate and key once, with all places where it was.

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

use super::certificate;
use super::facts::{Certificate, KeyForm, PrivateKey, ReferenceState, Role, UnreadPlace};
use crate::accounts::records::masked;
use crate::formats::{openssh_key, pem};
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};

/// More files than a host has certificates and keys in.
const MAX_FILES: usize = 2_000;
/// More certificates than a facts document could hold in comfort.
const MAX_CERTIFICATES: usize = 2_000;
/// Larger than a bundle of all public authorities.
const MAX_BYTES: u64 = 1024 * 1024;
/// Enough for the label and the headers of a private key.
const HEAD: usize = 64;
/// Files listed for one certificate.
const MAX_PLACES: usize = 20;

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) certificates: BTreeMap<String, Certificate>,
    pub(super) keys: BTreeMap<String, PrivateKey>,
    pub(super) unread: BTreeSet<UnreadPlace>,
    pub(super) cut: bool,
    files: BTreeMap<String, Content>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Content {
    state: ContentState,
    /// Fingerprints in the order of the file.
    certificates: Vec<String>,
    key: bool,
    /// Only its beginning was looked at, since that is a private key.
    head_only: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ContentState {
    #[default]
    Read,
    Absent,
    /// All or part of it: it is among the unread places.
    Unread,
}

impl Content {
    fn of(state: ContentState) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }
}

impl Gathered {
    /// A file in a folder of certificates and keys.
    pub(super) fn stored(&mut self, reading: &Reading<'_>, path: &str, anchor: bool) {
        let content = self.look(reading, path, path.strip_suffix(".key").is_some());
        if anchor {
            for fingerprint in &content.certificates {
                if let Some(certificate) = self.certificates.get_mut(fingerprint) {
                    certificate.trust_anchor = true;
                }
            }
        }
    }

    /// A file or folder that a service names.
    pub(super) fn named(&mut self, reading: &Reading<'_>, path: &str, role: Role, service: &str) -> ReferenceState {
        if let Ok(Some(stat)) = reading.private_stat(path, &masked(path))
            && stat.kind == Kind::Folder
        {
            let entries = match reading.list(path) {
                Ok(entries) => entries.unwrap_or_default(),
                Err(unread) => {
                    self.unread(&unread);
                    return ReferenceState::Unread;
                }
            };
            for entry in entries.iter().filter(|entry| !entry.name.starts_with('.')) {
                self.named_file(reading, &format!("{path}/{}", entry.name), role, service);
            }
            return ReferenceState::Read;
        }
        self.named_file(reading, path, role, service)
    }

    fn named_file(&mut self, reading: &Reading<'_>, path: &str, role: Role, service: &str) -> ReferenceState {
        let content = self.look(reading, path, role == Role::Key);
        let add = |services: &mut Vec<String>| {
            if !services.iter().any(|known| known == service) {
                services.push(service.to_owned());
                services.order();
            }
        };
        if let Some(key) = self.keys.get_mut(path) {
            add(&mut key.services);
        }
        if role == Role::Certificate {
            for fingerprint in &content.certificates {
                if let Some(certificate) = self.certificates.get_mut(fingerprint) {
                    add(&mut certificate.services);
                }
            }
        }
        let holds = match role {
            Role::Certificate => !content.certificates.is_empty(),
            Role::Key => content.key,
        };
        match () {
            () if content.state == ContentState::Absent => ReferenceState::Absent,
            () if content.state == ContentState::Unread => ReferenceState::Unread,
            () if holds => ReferenceState::Read,
            () => {
                let what = match role {
                    Role::Certificate => "holds no certificate in PEM or DER",
                    Role::Key => "holds no private key in PEM",
                };
                self.wrong(path, Outcome::Malformed, what);
                ReferenceState::Unread
            }
        }
    }

    /// What a TLS server presented; gives the fingerprint.
    pub(super) fn presented(&mut self, place: &str, der: &[u8], leaf: Option<u16>) -> Option<String> {
        let certificate = match certificate::read(der) {
            Ok(certificate) => certificate,
            Err(reason) => {
                self.wrong(place, Outcome::Malformed, reason);
                return None;
            }
        };
        let fingerprint = self.keep(certificate, leaf.is_some())?;
        if let (Some(port), Some(kept)) = (leaf, self.certificates.get_mut(&fingerprint))
            && let Err(at) = kept.ports.binary_search(&port)
        {
            kept.ports.insert(at, port);
        }
        Some(fingerprint)
    }

    pub(super) fn unread(&mut self, unread: &Unread) {
        let place = match unread {
            Unread::Denied { place }
            | Unread::Failed { place, .. }
            | Unread::TooLarge { place, .. }
            | Unread::Timeout { place, .. }
            | Unread::Skipped { place, .. }
            | Unread::Malformed { place, .. } => place,
        };
        self.unread.insert(UnreadPlace {
            place: place.clone(),
            outcome: unread.outcome().as_str().to_owned(),
            detail: unread.to_string(),
        });
    }

    fn wrong(&mut self, path: &str, outcome: Outcome, detail: &str) {
        self.unread.insert(UnreadPlace {
            place: masked(path),
            outcome: outcome.as_str().to_owned(),
            detail: detail.to_owned(),
        });
    }

    fn look(&mut self, reading: &Reading<'_>, path: &str, key_expected: bool) -> Content {
        let again = self
            .files
            .get(path)
            .filter(|content| key_expected || !content.head_only);
        if let Some(content) = again {
            return content.clone();
        }
        let content = if self.files.len() >= MAX_FILES {
            self.cut = true;
            Content::of(ContentState::Unread)
        } else {
            self.file(reading, path, key_expected).unwrap_or_else(|unread| {
                self.unread(&unread);
                Content::of(ContentState::Unread)
            })
        };
        self.files.insert(path.to_owned(), content.clone());
        content
    }

    fn file(&mut self, reading: &Reading<'_>, path: &str, key_expected: bool) -> Result<Content, Unread> {
        let shown = masked(path);
        let nothing = Content::of(ContentState::Absent);
        let Some(stat) = reading.private_stat(path, &shown)? else {
            return Ok(nothing);
        };
        if stat.kind != Kind::File {
            return Ok(Content::default());
        }
        if stat.size > MAX_BYTES {
            return Err(Unread::TooLarge {
                place: shown,
                limit: MAX_BYTES,
            });
        }
        if [".p12", ".pfx", ".jks", ".keystore"]
            .iter()
            .any(|end| path.ends_with(end))
        {
            self.wrong(path, Outcome::Unsupported, "a PKCS #12 or Java keystore is not read");
            return Ok(Content::of(ContentState::Unread));
        }
        let mut head_only = false;
        let mut bytes = None;
        if key_expected {
            // The rest of a key stays where it is.
            let head = reading.private_head(path, &shown, HEAD)?.unwrap_or_default();
            let found = pem::blocks(&head);
            head_only = found.blocks.first().is_some_and(|block| {
                block.is_private_key() && block.label != openssh_key::LABEL && head.starts_with(b"-----BEGIN ")
            });
            bytes = head_only.then_some(head);
        }
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => match reading.private(path, &shown)? {
                Some(bytes) => bytes,
                None => return Ok(nothing),
            },
        };
        let mut content = self.content(path, &shown, &bytes, head_only);
        content.head_only = head_only;
        let blocks = pem::blocks(&bytes);
        if let Some(key) = blocks.blocks.iter().find(|block| block.is_private_key()) {
            content.key = true;
            // Read again, since its beginning alone was looked at before.
            let before = self.keys.remove(path);
            self.keys.insert(
                path.to_owned(),
                PrivateKey {
                    path: shown,
                    form: form(key.label),
                    encrypted: encrypted(key),
                    mode: format!("{:04o}", stat.mode),
                    uid: stat.uid,
                    gid: stat.gid,
                    group_readable: stat.mode & 0o040 != 0,
                    world_readable: stat.mode & 0o004 != 0,
                    writable_by_others: stat.mode & 0o022 != 0,
                    with_certificates: !content.certificates.is_empty(),
                    services: before.map(|key| key.services).unwrap_or_default(),
                },
            );
        }
        Ok(content)
    }

    /// The certificates in a file.
    fn content(&mut self, path: &str, shown: &str, bytes: &[u8], head_only: bool) -> Content {
        let mut content = Content::default();
        let blocks = pem::blocks(bytes);
        if blocks.cut && !head_only {
            self.wrong(
                path,
                Outcome::Malformed,
                "a PEM block does not end, or there are too many",
            );
            content.state = ContentState::Unread;
        }
        let mut found = vec![];
        if blocks.blocks.is_empty() && bytes.first() == Some(&0x30) {
            found.push(certificate::read(bytes));
        }
        for block in blocks.blocks.iter().filter(|block| block.is_certificate()) {
            let der = block.decode().ok_or("the body of a PEM block is not base64");
            found.push(der.and_then(|der| certificate::read(&der)));
        }
        for one in found {
            let leaf = content.certificates.is_empty();
            match one.map(|certificate| self.keep(certificate, leaf)) {
                Ok(Some(fingerprint)) => {
                    if let Some(kept) = self.certificates.get_mut(&fingerprint)
                        && kept.files.len() < MAX_PLACES
                        && let Err(at) = kept.files.binary_search_by(|file| file.as_str().cmp(shown))
                    {
                        kept.files.insert(at, shown.to_owned());
                    }
                    content.certificates.push(fingerprint);
                }
                Ok(None) => content.state = ContentState::Unread,
                Err(reason) => {
                    self.wrong(path, Outcome::Malformed, reason);
                    content.state = ContentState::Unread;
                }
            }
        }
        content
    }

    fn keep(&mut self, certificate: Certificate, leaf: bool) -> Option<String> {
        let fingerprint = certificate.sha256.clone();
        if self.certificates.len() >= MAX_CERTIFICATES && !self.certificates.contains_key(&fingerprint) {
            self.cut = true;
            return None;
        }
        let kept = self.certificates.entry(fingerprint.clone()).or_insert(certificate);
        kept.leaf |= leaf;
        Some(fingerprint)
    }
}

fn form(label: &str) -> KeyForm {
    match label {
        "PRIVATE KEY" => KeyForm::Pkcs8,
        "ENCRYPTED PRIVATE KEY" => KeyForm::EncryptedPkcs8,
        "RSA PRIVATE KEY" => KeyForm::Rsa,
        "EC PRIVATE KEY" => KeyForm::Ec,
        "DSA PRIVATE KEY" => KeyForm::Dsa,
        openssh_key::LABEL => KeyForm::Openssh,
        "TSS2 PRIVATE KEY" => KeyForm::Tpm2,
        _ => KeyForm::Other,
    }
}

fn encrypted(key: &pem::Block<'_>) -> Known<bool> {
    let not = |outcome, detail: &str| {
        Known::Not(NotKnown {
            outcome,
            detail: detail.to_owned(),
        })
    };
    match form(key.label) {
        KeyForm::Pkcs8 => Known::Observed(false),
        KeyForm::EncryptedPkcs8 => Known::Observed(true),
        KeyForm::Rsa | KeyForm::Ec | KeyForm::Dsa => Known::Observed(key.has_encryption_header()),
        KeyForm::Openssh => match openssh_key::cipher(key) {
            Some(cipher) => Known::Observed(cipher != "none"),
            None => not(Outcome::Malformed, "the head of the key is not of OpenSSH's form"),
        },
        KeyForm::Tpm2 | KeyForm::Other => not(Outcome::Unsupported, "this form of a key does not say so in the open"),
    }
}
