//! LUKS headers (LUKS1 On-Disk Format Specification 1.2.3, LUKS2 On-Disk Format Specification 1.1). Key material lies
//! behind the headers and is not read.

mod luks1;
mod luks2;

use thiserror::Error;

use super::facts::LuksHeader;
use crate::reading::Unread;

const MAGIC: &[u8] = b"LUKS\xba\xbe";
const MAGIC_SECOND: &[u8] = b"SKUL\xba\xbe";
/// Names of ciphers, hashes and tokens are far shorter; it bounds what a made-up header can put into the facts.
const MAX_NAME: usize = 128;

/// Why a header was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// The device was not read.
    #[error("{0}")]
    Unread(Unread),
    /// There is a header, and it is damaged.
    #[error("{0}")]
    Malformed(String),
    /// There is a header of a kind that is not known here.
    #[error("{0}")]
    Unsupported(String),
}

/// Where a header is read from.
pub trait Medium {
    /// At most `length` bytes at `offset`; fewer at the end.
    fn bytes_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Unread>;
}

/// Reads the header at the beginning of `medium`; `None` if there is none.
pub fn read(medium: &impl Medium) -> Result<Option<LuksHeader>, HeaderError> {
    let start = medium.bytes_at(0, 8).map_err(HeaderError::Unread)?;
    if start.get(..6) == Some(MAGIC) {
        return match start.get(6..8) {
            Some([0, 1]) => {
                let bytes = medium.bytes_at(0, luks1::LENGTH).map_err(HeaderError::Unread)?;
                luks1::parse(&bytes).map(Some)
            }
            Some([0, 2]) => luks2::read(medium).map(Some),
            Some([high, low]) => {
                let version = u16::from_be_bytes([*high, *low]);
                Err(HeaderError::Unsupported(format!("LUKS version {version}")))
            }
            _ => Err(HeaderError::Malformed("the LUKS header is cut off".to_owned())),
        };
    }
    // The first copy of a LUKS2 header may be overwritten and the second one sound.
    luks2::read_second(medium)
}

fn malformed(what: impl Into<String>) -> HeaderError {
    HeaderError::Malformed(what.into())
}

/// Bytes `from..from + length` up to the first zero byte, as a name of printable ASCII.
fn name(bytes: &[u8], from: usize, length: usize) -> Option<String> {
    let field = bytes.get(from..from.checked_add(length)?)?;
    let text = field.split(|byte| *byte == 0).next()?;
    is_name(text).then(|| String::from_utf8_lossy(text).into_owned())
}

fn is_name(text: &[u8]) -> bool {
    text.len() <= MAX_NAME && text.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    field.try_into().ok().map(u32::from_be_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    field.try_into().ok().map(u64::from_be_bytes)
}

/// The cipher that leaves data as it is (`crypto/crypto_null.c`), for tests and for in-place encryption.
pub(super) fn is_null(cipher: &str) -> bool {
    cipher.starts_with("cipher_null")
        || cipher == "null"
        || cipher.starts_with("null-")
        || cipher.contains("(cipher_null)")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Medium for Vec<u8> {
        fn bytes_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Unread> {
            let from = usize::try_from(offset).unwrap().min(self.len());
            Ok(self[from..(from + length).min(self.len())].to_vec())
        }
    }

    #[test]
    fn no_header_is_not_a_broken_header() {
        assert_eq!(read(&vec![]), Ok(None));
        assert_eq!(read(&vec![0; 20_000]), Ok(None));
        assert!(matches!(read(&MAGIC.to_vec()), Err(HeaderError::Malformed(_))));
        assert!(matches!(
            read(&b"LUKS\xba\xbe\x00\x03".to_vec()),
            Err(HeaderError::Unsupported(_))
        ));
    }

    /// A first header copy with this JSON area and the right checksum.
    fn luks2(json: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x4000];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        put(6, &[0, 2]);
        put(8, &0x4000_u64.to_be_bytes());
        put(72, b"sha256");
        put(168, b"bd107dea-33cb-467d-8b73-ad82fea9313b");
        put(4096, json);
        let checksum = evidence::Digest::of(&bytes);
        bytes[448..480].copy_from_slice(checksum.as_bytes());
        bytes
    }

    fn read_json(json: &str) -> Result<Option<LuksHeader>, HeaderError> {
        read(&luks2(json.as_bytes()))
    }

    #[test]
    fn metadata_that_says_nothing_useful_is_refused() {
        let empty = r#"{"keyslots":{},"tokens":{},"segments":{},"digests":{},"config":{}}"#;
        assert!(matches!(read_json(empty), Err(HeaderError::Malformed(_))));
        let segment =
            |segment: &str| read_json(&empty.replace(r#""segments":{}"#, &format!(r#""segments":{{"0":{segment}}}"#)));
        assert!(
            matches!(segment(r#"{"type":"crypt"}"#), Err(HeaderError::Malformed(_))),
            "no cipher"
        );
        assert!(matches!(
            segment(r#"{"type":"crypt","encryption":"a\u0007"}"#),
            Err(HeaderError::Malformed(_))
        ));
        assert!(matches!(
            segment(r#"{"type":"crypt","encryption":7}"#),
            Err(HeaderError::Malformed(_))
        ));
        assert!(matches!(segment(r#"{"type":"new"}"#), Err(HeaderError::Unsupported(_))));
        let sound = segment(r#"{"type":"crypt","encryption":"aes-xts-plain64"}"#)
            .unwrap()
            .unwrap();
        assert_eq!(
            (sound.ciphers[0].key_bits, sound.copies),
            (0, super::super::HeaderCopies::PrimaryOnly)
        );
        let drive = segment(r#"{"type":"hw-opal"}"#).unwrap().unwrap();
        assert_eq!((drive.drive_segments, drive.clear_segments), (1, 0));
    }

    proptest! {
        #[test]
        fn any_metadata_is_read_without_panic(
            segments in "(\\{\"[0-9a]\":\\{\"type\":\"(crypt|linear|hw-opal|hw-opal-crypt)\",\"encryption\":\"[a-z_-]{0,9}\",\"opal_key_size\":[0-9]{1,19}\\}\\}|.{0,40})",
            keyslots in "(\\{\"[0-9]{1,11}\":\\{\"type\":\"luks2\",\"key_size\":[0-9]{1,20}\\}\\}|\\{\\})",
        ) {
            let json = format!(
                r#"{{"keyslots":{keyslots},"segments":{segments},"digests":{{"0":{{"keyslots":["0"],"segments":["0"]}}}},"config":{{}}}}"#
            );
            let _ = read_json(&json);
        }

        #[test]
        fn any_bytes_are_read_without_panic(
            version in 1u8..4, bytes in proptest::collection::vec(any::<u8>(), 0..2000)
        ) {
            let _ = read(&bytes);
            let _ = read(&[MAGIC, &[0, version], &bytes].concat());
        }
    }
}
