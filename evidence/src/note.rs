//! C2SP signed notes with Ed25519 signatures (type 0x01): text that names who signed it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::digest::Digest;
use crate::key::{BadSignature, PublicKey, SignError, SignatureCheck, Signer};

/// Longest note that is read, bytes.
pub const MAX_BYTES: usize = 65_536;
/// Most signature lines that are read; the specification asks for 16 at least.
pub const MAX_SIGNATURES: usize = 32;

const ED25519: u8 = 1;
const LINE_BEGIN: &str = "\u{2014} ";

/// A key that signs notes, under a name. Written `<name>+<key hash, 8 hex digits>+<Base64 of type and key>` (vkey).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

/// A text with signature lines that nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, its last line end included.
    pub text: String,
    /// The signature lines.
    pub signatures: Vec<NoteSignature>,
}

/// A signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// First four bytes of the key's hash.
    pub key_hash: [u8; 4],
    /// The signature proper.
    pub signature: Vec<u8>,
}

/// Why a text is no note, no key, or not signed by the key that is asked for.
#[derive(Debug, Error)]
pub enum NoteError {
    /// Over [`MAX_BYTES`].
    #[error("the note has {length} bytes, at most {MAX_BYTES} are read")]
    TooLarge {
        /// Bytes found.
        length: usize,
    },
    /// Not UTF-8, or with control characters other than line ends.
    #[error("the note is not plain UTF-8 text")]
    Text,
    /// No empty line between text and signatures, or no line end at the end.
    #[error("the note has no signature block: an empty line and lines beginning with an em dash expected")]
    Form,
    /// A signature line that cannot be read.
    #[error("signature line {line} of the note is not \"\u{2014} <name> <Base64>\"")]
    SignatureLine {
        /// Which one, from 1.
        line: usize,
    },
    /// Over [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// A key name that is empty or has spaces or `+` in it.
    #[error("{name:?} cannot name a key: no spaces, no '+', not empty")]
    Name {
        /// The name.
        name: String,
    },
    /// Not a verifier key.
    #[error("not a verifier key: <name>+<8 hex digits>+<Base64> with a matching hash and an Ed25519 key expected")]
    VerifierKey,
    /// No line by the key that is asked for.
    #[error("the note is not signed by {name}")]
    NotSigned {
        /// Name of the key.
        name: String,
    },
    /// A line by that key, and it does not verify.
    #[error("the note's signature by {name}: {error}")]
    Signature {
        /// Name of the key.
        name: String,
        /// What is wrong.
        error: BadSignature,
    },
    /// The key could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

fn check_name(name: &str) -> Result<(), NoteError> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(NoteError::Name {
            name: name.chars().take(80).collect(),
        });
    }
    Ok(())
}

impl VerifierKey {
    /// `key` under `name`.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Result<Self, NoteError> {
        let name = name.into();
        check_name(&name)?;
        Ok(Self { name, key })
    }

    /// The key's name; that of a log is its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    fn typed_key(&self) -> Vec<u8> {
        match &self.key {
            PublicKey::Ed25519(key) => [&[ED25519], key.as_slice()].concat(),
        }
    }

    /// The short hash by which signature lines name the key.
    pub fn key_hash(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = *Digest::of_parts(&[self.name.as_bytes(), b"\n", &self.typed_key()]).as_bytes();
        [a, b, c, d]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u32::from_be_bytes(self.key_hash());
        write!(f, "{}+{hash:08x}+{}", self.name, STANDARD.encode(self.typed_key()))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::VerifierKey);
        };
        let typed = STANDARD.decode(key).map_err(|_| NoteError::VerifierKey)?;
        let [ED25519, key @ ..] = typed.as_slice() else {
            return Err(NoteError::VerifierKey);
        };
        let key = PublicKey::Ed25519(key.try_into().map_err(|_| NoteError::VerifierKey)?);
        let read = Self::new(name, key)?;
        if format!("{:08x}", u32::from_be_bytes(read.key_hash())) == hash {
            Ok(read)
        } else {
            Err(NoteError::VerifierKey)
        }
    }
}

impl Note {
    /// Signs a text, which must end with a line end, under a key's name.
    pub fn sign(text: String, name: &str, signer: &dyn Signer) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || text.contains(|c: char| c.is_control() && c != '\n') {
            return Err(NoteError::Text);
        }
        let key = VerifierKey::new(name, signer.public_key().clone())?;
        let signature = signer.sign(text.as_bytes())?.0;
        let line = NoteSignature {
            name: key.name.clone(),
            key_hash: key.key_hash(),
            signature,
        };
        Ok(Self {
            text,
            signatures: vec![line],
        })
    }

    /// Reads a note; its text is not to be believed yet.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_BYTES {
            return Err(NoteError::TooLarge { length: bytes.len() });
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Text);
        }
        let (text, block) = note.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let block = block.strip_suffix('\n').ok_or(NoteError::Form)?;
        if block.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let signature = |(index, line): (usize, &str)| {
            let wrong = || NoteError::SignatureLine { line: index + 1 };
            let (name, data) = line
                .strip_prefix(LINE_BEGIN)
                .and_then(|line| line.split_once(' '))
                .ok_or_else(wrong)?;
            check_name(name)?;
            let data = STANDARD.decode(data).map_err(|_| wrong())?;
            let (key_hash, signature) = data.split_first_chunk::<4>().ok_or_else(wrong)?;
            if signature.is_empty() {
                return Err(wrong());
            }
            Ok(NoteSignature {
                name: name.to_owned(),
                key_hash: *key_hash,
                signature: signature.to_vec(),
            })
        };
        let signatures = block.split('\n').enumerate().map(signature).collect::<Result<_, _>>()?;
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// Checks that `key` signed the text. Lines of other keys are ignored; one wrong line of this key is enough to
    /// refuse the note.
    pub fn verify(&self, key: &VerifierKey, check: &dyn SignatureCheck) -> Result<(), NoteError> {
        let hash = key.key_hash();
        let mut lines = self
            .signatures
            .iter()
            .filter(|line| line.name == key.name && line.key_hash == hash)
            .peekable();
        if lines.peek().is_none() {
            return Err(NoteError::NotSigned { name: key.name.clone() });
        }
        lines.try_for_each(|line| {
            let wrong = |error| NoteError::Signature {
                name: key.name.clone(),
                error,
            };
            check
                .check(&key.key, self.text.as_bytes(), &line.signature)
                .map_err(wrong)
        })
    }
}

/// The note as it is stored and sent.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| {
            let data = [&line.key_hash, line.signature.as_slice()].concat();
            writeln!(f, "{LINE_BEGIN}{} {}", line.name, STANDARD.encode(data))
        })
    }
}
