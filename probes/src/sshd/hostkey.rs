//! Public keys in the form of OpenSSH: `kind base64 comment` (sshd(8), AUTHORIZED_KEYS FILE FORMAT), with the key itself
//! as RFC 4253 6.6, RFC 5656 3.1 and RFC 8709 4 have it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use evidence::Digest;

use super::facts::PublicHalf;

/// Longer than an RSA key of 16,384 bits, the longest that OpenSSH takes.
const MAX_BYTES: usize = 8 * 1024;

/// Reads the text of a `.pub` file.
pub(crate) fn parse(text: &str) -> Result<PublicHalf, &'static str> {
    if text.len() > MAX_BYTES {
        return Err("too long for a public key");
    }
    let mut words = text.split_ascii_whitespace();
    let (kind, encoded) = (
        words.next().ok_or("empty")?,
        words.next().ok_or("no key after its kind")?,
    );
    let blob = STANDARD.decode(encoded).map_err(|_| "the key is not base64")?;
    of_blob(kind, &blob)
}

/// Reads a key in the form of the protocol; it must be of the kind `kind`.
pub(crate) fn of_blob(kind: &str, blob: &[u8]) -> Result<PublicHalf, &'static str> {
    let mut left = blob;
    if string(&mut left) != Some(kind.as_bytes()) {
        return Err("the key is of another kind than its line says");
    }
    let bits = bits(kind, &mut left).ok_or("the key is cut short, or of a kind that is not known here")?;
    let fingerprint = STANDARD_NO_PAD.encode(Digest::of(blob).as_bytes());
    Ok(PublicHalf {
        kind: kind.to_owned(),
        bits,
        fingerprint: format!("SHA256:{fingerprint}"),
    })
}

/// Size of the key, of which nothing is left over: sshd takes no other.
fn bits(kind: &str, left: &mut &[u8]) -> Option<u32> {
    let bits = match kind {
        "ssh-rsa" => {
            let _exponent = string(left)?;
            length(string(left)?)?
        }
        "ssh-dss" => {
            let prime = string(left)?;
            let _q_g_y = [string(left)?, string(left)?, string(left)?];
            length(prime)?
        }
        "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" => (string(left)?.len() == 32).then_some(256)?,
        "ecdsa-sha2-nistp256"
        | "ecdsa-sha2-nistp384"
        | "ecdsa-sha2-nistp521"
        | "sk-ecdsa-sha2-nistp256@openssh.com" => {
            let curve = string(left)?;
            let _point = string(left)?;
            std::str::from_utf8(curve).ok()?.strip_prefix("nistp")?.parse().ok()?
        }
        _ => return None,
    };
    if kind.starts_with("sk-") {
        let _application = string(left)?;
    }
    left.is_empty().then_some(bits)
}

/// Bits of a positive number in the form `mpint` (RFC 4251 5).
fn length(number: &[u8]) -> Option<u32> {
    let number = match number.iter().position(|byte| *byte != 0) {
        Some(first) => number.get(first..)?,
        None => return None,
    };
    let bits = u32::try_from(number.len()).ok()?.checked_mul(8)?;
    Some(bits - number.first()?.leading_zeros())
}

/// The next `string` (RFC 4251 5).
pub(crate) fn string<'b>(left: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = left.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, rest) = rest.split_at_checked(length)?;
    *left = rest;
    Some(string)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made with `ssh-keygen -t KIND -C test`, which printed the sizes and fingerprints below.
    const KEYS: &str = include_str!("../../fixtures/sshd/public-keys.txt");

    #[test]
    fn sizes_and_fingerprints_are_those_of_ssh_keygen() {
        for line in KEYS.lines() {
            let (expected, key) = line.split_once(" | ").unwrap();
            let seen = parse(key).unwrap();
            assert_eq!(format!("{} {} {}", seen.bits, seen.fingerprint, seen.kind), expected);
        }
    }

    #[test]
    fn broken_keys() {
        let key = KEYS
            .lines()
            .find(|line| line.contains("ssh-ed25519"))
            .unwrap()
            .split_once(" | ")
            .unwrap()
            .1;
        let encoded = key.split(' ').nth(1).unwrap();
        assert!(parse("").is_err());
        assert!(parse("ssh-ed25519").is_err());
        assert!(parse(&format!("ssh-rsa {encoded}")).is_err());
        assert!(parse(&format!("ssh-ed25519 {}", &encoded[..encoded.len() - 8])).is_err());
        assert!(parse("ssh-new AAAAB3NzaC1uZXc=").is_err());
    }

    proptest! {
        #[test]
        fn any_key_is_read_without_panic(blob in proptest::collection::vec(any::<u8>(), 0..100), kind in 0..4_usize) {
            let kind = ["ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-nistp256"][kind];
            let length = u32::try_from(kind.len()).unwrap().to_be_bytes();
            let blob = [length.as_slice(), kind.as_bytes(), &blob].concat();
            let _ = parse(&format!("{kind} {}", STANDARD.encode(blob)));
        }
    }
}
