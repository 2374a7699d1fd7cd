//! LUKS2: two copies of a binary header with a JSON area each. What the checksum does not cover is not believed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evidence::Digest;
use serde::Deserialize;

use super::super::facts::{Cipher, HeaderCopies, Keyslot, LuksHeader, Token};
use super::{HeaderError, MAGIC, MAGIC_SECOND, Medium, is_name, is_null, malformed, name, u64_at};

use crate::order::Order as _;

/// Binary header.
const BINARY: usize = 4096;
const CHECKSUM: std::ops::Range<usize> = 448..512;
/// Sizes that a header with its JSON area may have, which are also the offsets at which the second copy may lie.
const SIZES: [u64; 9] = [
    0x4000, 0x8000, 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000, 0x40_0000,
];
/// cryptsetup has at most 32 key slots, tokens and segments each; the margin is for versions to come.
const MAX_OBJECTS: usize = 256;

/// Reads a header whose first copy begins with the magic bytes.
pub(super) fn read(medium: &impl Medium) -> Result<LuksHeader, HeaderError> {
    match HeaderCopy::read(medium, 0, MAGIC) {
        Ok(first) => match HeaderCopy::read(medium, first.size, MAGIC_SECOND) {
            Ok(second) if second.sequence > first.sequence => second.header(HeaderCopies::Differ),
            Ok(second) if second.sequence < first.sequence => first.header(HeaderCopies::Differ),
            Ok(_) => first.header(HeaderCopies::Both),
            Err(HeaderError::Unread(unread)) => Err(HeaderError::Unread(unread)),
            Err(_) => first.header(HeaderCopies::PrimaryOnly),
        },
        Err(HeaderError::Unread(unread)) => Err(HeaderError::Unread(unread)),
        Err(error) => read_second(medium)?.ok_or(error),
    }
}

/// Looks for a second copy where the first is damaged or gone.
pub(super) fn read_second(medium: &impl Medium) -> Result<Option<LuksHeader>, HeaderError> {
    let mut damaged = None;
    for offset in SIZES {
        let magic = medium
            .bytes_at(offset, MAGIC_SECOND.len())
            .map_err(HeaderError::Unread)?;
        if magic != MAGIC_SECOND {
            continue;
        }
        match HeaderCopy::read(medium, offset, MAGIC_SECOND) {
            Ok(second) => return second.header(HeaderCopies::SecondaryOnly).map(Some),
            Err(HeaderError::Unread(unread)) => return Err(HeaderError::Unread(unread)),
            Err(error) => damaged = Some(error),
        }
    }
    damaged.map_or(Ok(None), Err)
}

struct HeaderCopy {
    size: u64,
    sequence: u64,
    uuid: String,
    metadata: Metadata,
}

impl HeaderCopy {
    fn read(medium: &impl Medium, offset: u64, magic: &[u8]) -> Result<Self, HeaderError> {
        let place = if offset == 0 { "first" } else { "second" };
        let wrong = |what: &str| malformed(format!("{place} LUKS2 header: {what}"));
        let binary = medium.bytes_at(offset, BINARY).map_err(HeaderError::Unread)?;
        if binary.len() != BINARY || binary.get(..6) != Some(magic) || binary.get(6..8) != Some(&[0, 2]) {
            return Err(wrong("not there"));
        }
        let size = u64_at(&binary, 8)
            .filter(|size| SIZES.contains(size))
            .ok_or_else(|| wrong("of a size that is not allowed"))?;
        let sequence = u64_at(&binary, 16).ok_or_else(|| wrong("cut off"))?;
        if u64_at(&binary, 256) != Some(offset) {
            return Err(wrong("it names another offset as its own"));
        }
        let algorithm = name(&binary, 72, 32).ok_or_else(|| wrong("its checksum algorithm is no name"))?;
        if algorithm != "sha256" {
            return Err(HeaderError::Unsupported(format!(
                "LUKS2 header with checksum algorithm {algorithm}"
            )));
        }
        let uuid = name(&binary, 168, 40).ok_or_else(|| wrong("its UUID is no name"))?;
        let length = usize::try_from(size).map_err(|_| wrong("too large"))?;
        let mut whole = medium.bytes_at(offset, length).map_err(HeaderError::Unread)?;
        if whole.len() != length {
            return Err(wrong("cut off"));
        }
        let field = whole.get_mut(CHECKSUM).ok_or_else(|| wrong("cut off"))?;
        let checksum: Vec<u8> = field.iter().take(32).copied().collect();
        field.fill(0);
        if Digest::of(&whole).as_bytes().as_slice() != checksum {
            return Err(wrong("its checksum is wrong"));
        }
        let area = whole.get(BINARY..).unwrap_or_default();
        let json = area.split(|byte| *byte == 0).next().unwrap_or_default();
        let metadata = serde_json::from_slice(json).map_err(|error| wrong(&format!("its JSON area: {error}")))?;
        Ok(Self {
            size,
            sequence,
            uuid,
            metadata,
        })
    }

    fn header(self, copies: HeaderCopies) -> Result<LuksHeader, HeaderError> {
        let metadata = self.metadata;
        let counts = [
            metadata.keyslots.len(),
            metadata.tokens.len(),
            metadata.segments.len(),
            metadata.digests.len(),
        ];
        if counts.iter().any(|count| *count > MAX_OBJECTS) || metadata.segments.is_empty() {
            return Err(malformed(format!(
                "the LUKS2 header has {counts:?} key slots, tokens, segments and digests"
            )));
        }
        let mut requirements: Vec<String> = vec![];
        for requirement in metadata
            .config
            .requirements
            .unwrap_or_default()
            .mandatory
            .into_iter()
            .take(MAX_OBJECTS)
        {
            requirements.push(named(requirement, "requirement")?);
        }
        requirements.order();
        let mut header = LuksHeader {
            version: 2,
            uuid: self.uuid,
            ciphers: vec![],
            keyslots: keyslots(&metadata.keyslots)?,
            tokens: tokens(metadata.tokens)?,
            clear_segments: 0,
            drive_segments: 0,
            reencryption: requirements.iter().any(|requirement| requirement.contains("reencrypt")),
            requirements,
            copies,
        };
        for (number, segment) in metadata.segments {
            // Segments kept for the way back or forth during a re-encryption; the others hold the data.
            if segment.flags.iter().any(|flag| flag.starts_with("backup-")) {
                continue;
            }
            let key_bytes = key_bytes(&number, &metadata.digests, &metadata.keyslots);
            match segment.kind.as_str() {
                "crypt" | "hw-opal-crypt" => {
                    let cipher = named(segment.encryption, "cipher")?;
                    if cipher.is_empty() {
                        return Err(malformed(format!("segment {number} of the LUKS2 header has no cipher")));
                    }
                    header.clear_segments += u32::from(is_null(&cipher));
                    let bytes = key_bytes.saturating_sub(segment.opal_key_size);
                    header.ciphers.push(Cipher {
                        cipher,
                        key_bits: u32::try_from(bytes.saturating_mul(8)).unwrap_or(0),
                        integrity: named(segment.integrity.unwrap_or_default().kind, "integrity")?,
                    });
                }
                "linear" => header.clear_segments += 1,
                "hw-opal" => header.drive_segments += 1,
                _ => {
                    let kind = named(segment.kind, "segment type")?;
                    return Err(HeaderError::Unsupported(format!(
                        "LUKS2 segment {number} of type {kind}"
                    )));
                }
            }
        }
        header.ciphers.order();
        header.ciphers.dedup();
        Ok(header)
    }
}

fn named(text: String, what: &str) -> Result<String, HeaderError> {
    if is_name(text.as_bytes()) {
        Ok(text)
    } else {
        Err(malformed(format!("a {what} in the LUKS2 header is no name")))
    }
}

fn number(text: &str) -> Result<u32, HeaderError> {
    text.parse()
        .map_err(|_| malformed("an object in the LUKS2 header has no number"))
}

fn keyslots(raw: &BTreeMap<String, RawKeyslot>) -> Result<Vec<Keyslot>, HeaderError> {
    let mut keyslots = vec![];
    for (key, slot) in raw {
        let kdf = slot.kdf.clone().unwrap_or_default();
        keyslots.push(Keyslot {
            number: number(key)?,
            kind: named(slot.kind.clone(), "key slot type")?,
            iterations: if kdf.kind == "pbkdf2" { kdf.iterations } else { kdf.time }.min(MAX_INTEGER),
            memory_kib: kdf.memory.min(MAX_INTEGER),
            hash: named(kdf.hash, "hash")?,
            kdf: named(kdf.kind, "key derivation function")?,
        });
    }
    keyslots.order();
    Ok(keyslots)
}

/// The format's integers stay below 2^53. No cost parameter comes near.
const MAX_INTEGER: u64 = (1 << 53) - 1;

fn tokens(raw: BTreeMap<String, RawToken>) -> Result<Vec<Token>, HeaderError> {
    let mut tokens = vec![];
    for (key, token) in raw {
        let slots = token.keyslots.iter().take(MAX_OBJECTS).map(|slot| number(slot));
        let mut keyslots: Vec<u32> = slots.collect::<Result<_, _>>()?;
        keyslots.order();
        let tpm2 = token.kind == "systemd-tpm2";
        let mut tpm2_pcrs: Vec<u32> = token.tpm2_pcrs.into_iter().filter(|_| tpm2).take(MAX_OBJECTS).collect();
        tpm2_pcrs.order();
        let signed = token.tpm2_pubkey_pcrs.into_iter().filter(|_| tpm2);
        let mut tpm2_signed_pcrs: Vec<u32> = signed.take(MAX_OBJECTS).collect();
        tpm2_signed_pcrs.order();
        tokens.push(Token {
            number: number(&key)?,
            kind: named(token.kind.clone(), "token type")?,
            keyslots,
            tpm2_pcrs,
            tpm2_pin: tpm2 && token.tpm2_pin,
            tpm2_signed_pcrs,
            fido2_pin: token.kind == "systemd-fido2" && token.fido2_pin,
            clevis_pin: if token.kind == "clevis" {
                named(clevis_pin(&token.jwe), "clevis pin")?
            } else {
                String::new()
            },
        });
    }
    tokens.order();
    Ok(tokens)
}

/// What clevis asks for the key: the head of its JWE (RFC 7516), which stands in the open, names it.
fn clevis_pin(jwe: &serde_json::Value) -> String {
    let compact = jwe.as_str().and_then(|text| text.split('.').next());
    let head = jwe.get("protected").and_then(serde_json::Value::as_str).or(compact);
    let head = head.and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head: Option<serde_json::Value> = head.and_then(|head| serde_json::from_slice(&head).ok());
    let pin = head.as_ref().and_then(|head| head.get("clevis")?.get("pin")?.as_str());
    pin.unwrap_or_default().to_owned()
}

/// Length of the key of a segment: a digest binds it to key slots, which hold the key.
fn key_bytes(segment: &str, digests: &BTreeMap<String, RawDigest>, keyslots: &BTreeMap<String, RawKeyslot>) -> u64 {
    let bound = digests
        .values()
        .filter(|digest| digest.segments.iter().any(|id| id == segment));
    let slots = bound.flat_map(|digest| digest.keyslots.iter().filter_map(|id| keyslots.get(id)));
    slots
        .filter(|slot| slot.kind == "luks2")
        .map(|slot| slot.key_size)
        .max()
        .unwrap_or(0)
}

#[derive(Deserialize)]
struct Metadata {
    keyslots: BTreeMap<String, RawKeyslot>,
    #[serde(default)]
    tokens: BTreeMap<String, RawToken>,
    segments: BTreeMap<String, RawSegment>,
    digests: BTreeMap<String, RawDigest>,
    config: RawConfig,
}

#[derive(Deserialize)]
struct RawKeyslot {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    key_size: u64,
    kdf: Option<RawKdf>,
}

#[derive(Deserialize, Default, Clone)]
struct RawKdf {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    iterations: u64,
    #[serde(default)]
    time: u64,
    #[serde(default)]
    memory: u64,
}

#[derive(Deserialize)]
struct RawToken {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    keyslots: Vec<String>,
    #[serde(default, rename = "tpm2-pcrs")]
    tpm2_pcrs: Vec<u32>,
    #[serde(default, rename = "tpm2-pin")]
    tpm2_pin: bool,
    #[serde(default)]
    tpm2_pubkey_pcrs: Vec<u32>,
    #[serde(default, rename = "fido2-clientPin-required")]
    fido2_pin: bool,
    #[serde(default)]
    jwe: serde_json::Value,
}

#[derive(Deserialize)]
struct RawSegment {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    encryption: String,
    integrity: Option<RawIntegrity>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    opal_key_size: u64,
}

#[derive(Deserialize, Default)]
struct RawIntegrity {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct RawDigest {
    #[serde(default)]
    keyslots: Vec<String>,
    #[serde(default)]
    segments: Vec<String>,
}

#[derive(Deserialize)]
struct RawConfig {
    requirements: Option<RawRequirements>,
}

#[derive(Deserialize, Default)]
struct RawRequirements {
    #[serde(default)]
    mandatory: Vec<String>,
}
