//! PEM (RFC 7468, and RFC 1421 for the headers of older encrypted keys): the blocks of a file by their labels.
//!
//! The body of a block is decoded only when somebody asks for it, so that of a private key nothing but its label and its
//! headers is looked at.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

/// More blocks than a file has that somebody keeps: the largest bundle of authorities has a few hundred.
pub const MAX_BLOCKS: usize = 2_000;
/// Longer than any label that is used.
const MAX_LABEL: usize = 64;
/// How far the headers of a block reach at most.
const MAX_HEADERS: usize = 256;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// OpenSSL takes bodies without padding too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'b> {
    /// What it says to be, for instance `CERTIFICATE`.
    pub label: &'b str,
    body: &'b [u8],
}

/// The blocks of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocks<'b> {
    /// In the order of the file, at most [`MAX_BLOCKS`].
    pub blocks: Vec<Block<'b>>,
    /// A block begins and does not end, or there are more than [`MAX_BLOCKS`].
    pub cut: bool,
}

/// Finds the blocks. Text before, between and behind them is skipped, as OpenSSL does.
pub fn blocks(bytes: &[u8]) -> Blocks<'_> {
    let mut found = Blocks::default();
    let mut left = bytes;
    while let Some(at) = memmem::find(left, BEGIN) {
        let at_line_start = at == 0 || matches!(left.get(at - 1), Some(b'\n' | b'\r'));
        left = left.get(at + BEGIN.len()..).unwrap_or_default();
        let Some(label) = at_line_start.then(|| label(left)).flatten() else {
            continue;
        };
        if found.blocks.len() == MAX_BLOCKS {
            found.cut = true;
            break;
        }
        let rest = left.get(label.len() + DASHES.len()..).unwrap_or_default();
        let Some(end) = memmem::find(rest, END) else {
            found.cut = true;
            found.blocks.push(Block { label, body: rest });
            break;
        };
        let (body, behind) = rest.split_at(end);
        found.blocks.push(Block { label, body });
        left = behind;
    }
    found
}

/// The label that `bytes` begin with.
fn label(bytes: &[u8]) -> Option<&str> {
    let head = bytes.get(..bytes.len().min(MAX_LABEL + DASHES.len()))?;
    let length = memmem::find(head, DASHES)?;
    let label = std::str::from_utf8(head.get(..length)?).ok()?;
    let allowed = |byte: u8| matches!(byte, b' '..=b'~');
    (!label.is_empty() && label.bytes().all(allowed)).then_some(label)
}

impl Block<'_> {
    /// Whether it is a private key, of whatever form.
    pub fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// Whether it is an X.509 certificate, with or without OpenSSL's trust settings behind it.
    pub fn is_certificate(&self) -> bool {
        matches!(self.label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
    }

    /// Whether its headers say that it is encrypted (RFC 1421 4.6.1.1: `Proc-Type: 4,ENCRYPTED`).
    pub fn has_encryption_header(&self) -> bool {
        let head = self.body.get(..self.body.len().min(MAX_HEADERS)).unwrap_or_default();
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.any(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"))
    }

    /// About the first `length` bytes in the block, and nothing of what follows; `None` if they are not base64.
    pub fn decode_head(&self, length: usize) -> Option<Vec<u8>> {
        let digits = self.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
        let head: Vec<u8> = digits.take(length.div_ceil(3) * 4).collect();
        BASE64.decode(head).ok()
    }

    /// The bytes in the block; `None` if they are not base64.
    pub fn decode(&self) -> Option<Vec<u8>> {
        let packed: Vec<u8> = self
            .body
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        BASE64.decode(packed).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_between_text() {
        let text = b"subject=CN=x\n-----BEGIN CERTIFICATE-----\nAAEC\r\n Aw== \n-----END CERTIFICATE-----\nnoise -----BEGIN X-----\n\
            -----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n\
            -----BEGIN PRIVATE KEY-----\nAAAA";
        let found = blocks(text);
        let labels: Vec<_> = found.blocks.iter().map(|block| block.label).collect();
        assert_eq!(labels, ["CERTIFICATE", "RSA PRIVATE KEY", "PRIVATE KEY"]);
        assert!(found.cut, "the last one does not end");
        assert_eq!(found.blocks[0].decode().unwrap(), [0, 1, 2, 3]);
        assert!(found.blocks[0].is_certificate() && !found.blocks[0].is_private_key());
        assert!(found.blocks[1].is_private_key() && found.blocks[1].has_encryption_header());
        assert!(found.blocks[2].is_private_key() && !found.blocks[2].has_encryption_header());
        assert_eq!(found.blocks[1].decode(), None, "headers are no base64");
    }

    #[test]
    fn their_number_is_bounded() {
        let one = b"-----BEGIN X-----\n-----END X-----\n";
        assert!(!blocks(&one.repeat(MAX_BLOCKS)).cut);
        let more = one.repeat(MAX_BLOCKS + 1);
        let more = blocks(&more);
        assert!(more.cut && more.blocks.len() == MAX_BLOCKS);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(parts in prop::collection::vec(prop_oneof![
            Just(b"-----BEGIN ".to_vec()), Just(b"-----END ".to_vec()), Just(b"-----\n".to_vec()),
            Just(b"CERTIFICATE".to_vec()), prop::collection::vec(any::<u8>(), 0..20)], 0..12)) {
            let bytes = parts.concat();
            for block in blocks(&bytes).blocks {
                let _ = (block.decode(), block.has_encryption_header());
            }
        }
    }
}
