//! LUKS1: one binary header, `struct luks_phdr`.

use super::super::facts::{Cipher, HeaderCopies, Keyslot, LuksHeader};
use super::{HeaderError, is_null, malformed, name, u32_at};

/// Bytes of the header.
pub(super) const LENGTH: usize = 592;
const SLOTS: u32 = 8;
const SLOT_LENGTH: usize = 48;
const SLOT_ENABLED: u32 = 0x00AC_71F3;
const SLOT_DISABLED: u32 = 0x0000_DEAD;

/// Reads the header of [`LENGTH`] bytes.
pub(super) fn parse(bytes: &[u8]) -> Result<LuksHeader, HeaderError> {
    let cut = || {
        malformed(format!(
            "the LUKS1 header has {} bytes instead of {LENGTH}",
            bytes.len()
        ))
    };
    if bytes.len() < LENGTH {
        return Err(cut());
    }
    let text = |from, length, what: &str| {
        name(bytes, from, length)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| malformed(format!("the {what} in the LUKS1 header is no name")))
    };
    let cipher = format!("{}-{}", text(8, 32, "cipher")?, text(40, 32, "cipher mode")?);
    let hash = text(72, 32, "hash")?;
    let key_bytes = u32_at(bytes, 108).ok_or_else(cut)?;
    let uuid = text(168, 40, "UUID")?;
    let key_bits = key_bytes
        .checked_mul(8)
        .filter(|bits| (1..=8192).contains(bits))
        .ok_or_else(|| malformed(format!("the LUKS1 header names a key of {key_bytes} bytes")))?;
    let mut keyslots = vec![];
    for (number, at) in (0..SLOTS).zip((208..).step_by(SLOT_LENGTH)) {
        let iterations = u32_at(bytes, at + 4).ok_or_else(cut)?;
        match u32_at(bytes, at) {
            Some(SLOT_ENABLED) => keyslots.push(Keyslot {
                number,
                kind: "luks1".to_owned(),
                kdf: "pbkdf2".to_owned(),
                hash: hash.clone(),
                iterations: u64::from(iterations),
                memory_kib: 0,
            }),
            Some(SLOT_DISABLED) => {}
            _ => {
                let what = format!("key slot {number} of the LUKS1 header is neither enabled nor disabled");
                return Err(malformed(what));
            }
        }
    }
    Ok(LuksHeader {
        version: 1,
        uuid,
        clear_segments: u32::from(is_null(&cipher)),
        ciphers: vec![Cipher {
            cipher,
            key_bits,
            integrity: String::new(),
        }],
        keyslots,
        tokens: vec![],
        drive_segments: 0,
        reencryption: false,
        requirements: vec![],
        copies: HeaderCopies::Single,
    })
}
