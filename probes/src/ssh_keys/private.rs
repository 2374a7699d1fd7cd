//! Private keys by the heads of their files.

use super::facts::{Passphrase, PrivateForm};
use crate::formats::{openssh_key, pem};
use crate::sshd::PublicHalf;
use crate::sshd::hostkey;

/// Bytes looked at to tell whether a file is a private key.
pub(super) const FIRST: usize = 64;
/// Bytes looked at of a file that is one: the public half of an RSA key of 16,384 bits, in base64.
pub(super) const HEAD: usize = 8 * 1024;

/// What the head of a file tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) form: PrivateForm,
    pub(super) public: Option<PublicHalf>,
    pub(super) kind: String,
    pub(super) passphrase: Passphrase,
}

/// Whether these first bytes are those of a private key.
pub(super) fn is_one(first: &[u8]) -> bool {
    let pem = first.starts_with(b"-----BEGIN ") && memchr::memmem::find(first, b"PRIVATE KEY-----").is_some();
    pem || first.starts_with(b"PuTTY-User-Key-File-") || first.starts_with(b"SSH PRIVATE KEY FILE FORMAT 1.1\n")
}

/// Reads the head of a file that is one.
pub(super) fn read(head: &[u8]) -> Head {
    let unknown = |form| Head {
        form,
        public: None,
        kind: String::new(),
        passphrase: Passphrase::Unknown,
    };
    if head.starts_with(b"PuTTY-User-Key-File-") {
        return putty(head);
    }
    if let Some(rest) = head.strip_prefix(b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0") {
        // The number of the cipher; 0 is none.
        return Head {
            passphrase: match rest.first() {
                Some(0) => Passphrase::None,
                Some(_) => Passphrase::Set,
                None => Passphrase::Unknown,
            },
            kind: "rsa1".to_owned(),
            ..unknown(PrivateForm::Ssh1)
        };
    }
    let found = pem::blocks(head);
    let Some(block) = found.blocks.first() else {
        return unknown(PrivateForm::Other);
    };
    let kind = |kind: &str| Head {
        kind: kind.to_owned(),
        passphrase: passphrase(block.has_encryption_header()),
        ..unknown(PrivateForm::Pem)
    };
    match block.label {
        openssh_key::LABEL => openssh(block),
        "RSA PRIVATE KEY" => kind("ssh-rsa"),
        "DSA PRIVATE KEY" => kind("ssh-dss"),
        "EC PRIVATE KEY" => kind("ecdsa"),
        "PRIVATE KEY" => Head {
            passphrase: Passphrase::None,
            ..unknown(PrivateForm::Pkcs8)
        },
        "ENCRYPTED PRIVATE KEY" => Head {
            passphrase: Passphrase::Set,
            ..unknown(PrivateForm::Pkcs8)
        },
        _ => unknown(PrivateForm::Other),
    }
}

fn passphrase(set: bool) -> Passphrase {
    if set { Passphrase::Set } else { Passphrase::None }
}

/// The public half stands in the open before the encrypted part (`PROTOCOL.key` of OpenSSH).
fn openssh(block: &pem::Block<'_>) -> Head {
    let public = openssh_key::public(block).and_then(|blob| {
        let mut left = blob.as_slice();
        let kind = std::str::from_utf8(hostkey::string(&mut left)?).ok()?;
        hostkey::of_blob(kind, &blob).ok()
    });
    let on_device = public.as_ref().is_some_and(|public| public.kind.starts_with("sk-"));
    let passphrase = match openssh_key::cipher(block).as_deref() {
        None => Passphrase::Unknown,
        Some("none") if on_device => Passphrase::SecurityKey,
        Some(cipher) => passphrase(cipher != "none"),
    };
    Head {
        form: PrivateForm::Openssh,
        kind: public.as_ref().map(|public| public.kind.clone()).unwrap_or_default(),
        public,
        passphrase,
    }
}

/// `PuTTY-User-Key-File-3: ssh-ed25519` and `Encryption: none`, each on a line.
fn putty(head: &[u8]) -> Head {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let value = |line: &[u8]| {
        let at = line.iter().position(|byte| *byte == b':')?;
        std::str::from_utf8(line.get(at + 1..)?)
            .ok()
            .map(|value| value.trim().to_owned())
    };
    let known = [
        "ssh-rsa",
        "ssh-dss",
        "ssh-ed25519",
        "ssh-ed448",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
    ];
    let kind = lines
        .next()
        .and_then(value)
        .filter(|kind| known.contains(&kind.as_str()));
    let encryption = lines
        .next()
        .filter(|line| line.starts_with(b"Encryption:"))
        .and_then(value);
    Head {
        form: PrivateForm::Putty,
        public: None,
        kind: kind.unwrap_or_default(),
        passphrase: encryption.map_or(Passphrase::Unknown, |value| passphrase(value != "none")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_forms() {
        let of = |head: &[u8]| {
            assert!(is_one(head));
            let head = read(head);
            (head.form, head.kind, head.passphrase)
        };
        assert_eq!(
            of(b"PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: aes256-cbc\r\n"),
            (PrivateForm::Putty, "ssh-ed25519".into(), Passphrase::Set)
        );
        assert_eq!(
            of(b"PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n"),
            (PrivateForm::Putty, "ssh-rsa".into(), Passphrase::None)
        );
        assert_eq!(
            of(b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0\x03"),
            (PrivateForm::Ssh1, "rsa1".into(), Passphrase::Set)
        );
        assert!(!is_one(b"ssh-ed25519 AAAA") && !is_one(b"-----BEGIN CERTIFICATE-----") && !is_one(b""));
    }

    proptest! {
        #[test]
        fn any_head_is_read_without_panic(which in 0..3_usize, rest in prop::collection::vec(any::<u8>(), 0..100)) {
            let begin = [&b"-----BEGIN OPENSSH PRIVATE KEY-----\n"[..], b"PuTTY-User-Key-File-", b"SSH PRIVATE KEY FILE FORMAT 1.1\n"];
            let _ = read(&[begin[which], &rest].concat());
        }
    }
}
