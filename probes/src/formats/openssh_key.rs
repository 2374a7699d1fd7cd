//! The head of a private key in OpenSSH's own form (its `PROTOCOL.key`): how it is encrypted, and nothing of the key.

use super::pem::Block;

const MAGIC: &[u8] = b"openssh-key-v1\0";
/// Longer than any cipher's name.
const MAX_NAME: usize = 64;
/// What stands before the public key is shorter: names and, for bcrypt, 24 bytes of options.
const MAX_HEAD: usize = 160;
/// An RSA key of 16,384 bits has 2,071.
const MAX_PUBLIC: usize = 4 * 1024;

/// The label of this form.
pub const LABEL: &str = "OPENSSH PRIVATE KEY";

/// The cipher that encrypts the key, for instance `aes256-ctr`; `none` if nothing does. `None` if the head is of another
/// form.
pub fn cipher(block: &Block<'_>) -> Option<String> {
    let head = block.decode_head(MAGIC.len() + 4 + MAX_NAME)?;
    let rest = head.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let name = std::str::from_utf8(rest.get(..length.min(MAX_NAME))?).ok()?;
    let sound = length <= MAX_NAME && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| name.to_owned())
}

/// The first public key, which stands in the open before the private ones: in the form of the protocol (RFC 4253 6.6).
pub fn public(block: &Block<'_>) -> Option<Vec<u8>> {
    // No further than its end, so that nothing private is decoded: its length comes first.
    let head = block.decode_head(MAX_HEAD)?;
    let (at, length) = public_at(&head)?;
    let head = block.decode_head(at.checked_add(length)?)?;
    Some(head.get(at..at + length)?.to_vec())
}

/// Where the public key begins, and its length.
fn public_at(head: &[u8]) -> Option<(usize, usize)> {
    let mut left = head.strip_prefix(MAGIC)?;
    for _ in ["cipher", "kdf", "options of the kdf"] {
        let length = number(&mut left)?;
        left = left.get(length..)?;
    }
    let _number_of_keys = number(&mut left)?;
    let length = number(&mut left)?;
    (length <= MAX_PUBLIC).then_some((head.len() - left.len(), length))
}

fn number(left: &mut &[u8]) -> Option<usize> {
    let (length, rest) = left.split_first_chunk::<4>()?;
    *left = rest;
    usize::try_from(u32::from_be_bytes(*length)).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::formats::pem;

    fn key(head: &[u8]) -> String {
        format!(
            "-----BEGIN {LABEL}-----\n{}\n-----END {LABEL}-----\n",
            STANDARD.encode(head)
        )
    }

    #[test]
    fn the_cipher_is_told_and_what_is_no_head_is_none() {
        let of = |head: &[u8]| cipher(&pem::blocks(key(head).as_bytes()).blocks[0]);
        assert_eq!(of(b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none"), Some("none".into()));
        assert_eq!(of(b"openssh-key-v1\0\0\0\0\x0aaes256-ctr"), Some("aes256-ctr".into()));
        for wrong in [
            &b"openssh-key-v2\0\0\0\0\x04none"[..],
            b"openssh-key-v1\0\0\0\0\x08none",
            b"openssh-key-v1\0\xff\xff\xff\xffnone",
            b"openssh-key-v1\0\0\0\0\0",
            b"",
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }
}
