//! What the probe tells.

use std::collections::BTreeMap;

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Keys by which the local accounts can be entered over SSH, and keys that lie in their homes. Accounts appear as
/// numbers; names, homes and comments are in the other document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SshKeys {
    /// `AuthorizedKeysFile` of the sshd configuration, else sshd's default: paths with the tokens of sshd_config(5),
    /// relative to a home if they do not begin with `/` or `%h`.
    pub files_setting: Known<Vec<String>>,
    /// Whether `AuthorizedKeysCommand` is set: keys then come from a program too, which is not asked.
    pub command_set: Known<bool>,
    /// Whether `TrustedUserCAKeys` is set: certificates signed by its keys are then accepted too.
    pub user_ca_set: Known<bool>,
    /// Which of `authorizedkeysfile`, `authorizedkeyscommand` and `trustedusercakeys` are set in `Match` blocks; keys
    /// in files that only a `Match` block names are not listed here.
    pub set_in_match: Known<Vec<String>>,
    /// The keys in the file that `TrustedUserCAKeys` names, in their order: whoever has a certificate signed by one of them
    /// enters any account for which the certificate is made out. `absent` if it is not set, `malformed` if a line in the
    /// file is no key.
    pub user_ca_keys: Known<Vec<UserCaKey>>,
    /// Whether `RevokedKeys` is set: without it a key or certificate that was lost counts until it is removed or expires.
    pub revoked_keys_set: Known<bool>,
    /// Files with authorized keys that are there, sorted by uid and file.
    pub authorized_files: Vec<AuthorizedFile>,
    /// The keys in them, sorted by uid, file and line. The same key for several accounts stands here several times.
    pub authorized_keys: Vec<AuthorizedKey>,
    /// Private keys in `.ssh` folders, sorted by uid and number.
    pub private_keys: Vec<PrivateKey>,
    /// What could not be read or understood, sorted. A rule over all keys must not be met while there is any.
    pub unread: Vec<UnreadKeys>,
    /// Whether everything that was found is listed: false if there is more than the probe takes.
    pub complete: bool,
}

/// A key whose certificates let users in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct UserCaKey {
    /// The line, from 1.
    pub line: u32,
    /// Kind, for instance `ssh-ed25519`.
    pub kind: String,
    /// Size: of the modulus for RSA and DSA, of the curve otherwise.
    pub bits: u32,
    /// Fingerprint as ssh-keygen(1) prints it: `SHA256:` and the digest in base64 without padding.
    pub fingerprint: String,
}

/// A file with authorized keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct AuthorizedFile {
    /// The account.
    pub uid: u32,
    /// The file, with the tokens of `files_setting`.
    pub file: String,
    /// Permission bits in octal, for instance `0600`.
    pub mode: String,
    /// Owner: sshd takes the file only from the account itself and from root.
    pub owner: u32,
    /// Whether others than the owner may change it: sshd with `StrictModes` refuses it then.
    pub writable_by_others: bool,
    /// Last change of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// Number of keys in it.
    pub keys: u32,
    /// Numbers of the lines that are no key and no comment, at most 100: sshd skips them.
    pub unparsed_lines: Vec<u32>,
}

/// A key by which somebody can enter.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct AuthorizedKey {
    /// The account.
    pub uid: u32,
    /// The file, with the tokens of `files_setting`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Kind, for instance `ssh-ed25519`, `ssh-rsa`, `sk-ssh-ed25519@openssh.com` (a security key).
    pub kind: String,
    /// Size: of the modulus for RSA and DSA, of the curve otherwise.
    pub bits: u32,
    /// Fingerprint as ssh-keygen(1) prints it: `SHA256:` and the digest in base64 without padding.
    pub fingerprint: String,
    /// Names of its options (sshd(8)), lower case, sorted, without their values.
    pub options: Vec<String>,
    /// Whether it signs certificates that are accepted in its place (`cert-authority`).
    pub cert_authority: bool,
    /// Whether a command is run whatever the client asks for (`command=`).
    pub forced_command: bool,
    /// Whether it counts only from some addresses (`from=`).
    pub from_limited: bool,
    /// Whether everything is forbidden that is not allowed by name (`restrict`).
    pub restricted: bool,
    /// Last instant at which it counts, as written: `YYYYMMDD[HHMM[SS]][Z]` (`expiry-time=`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// A private key in the `.ssh` folder of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PrivateKey {
    /// The account.
    pub uid: u32,
    /// Number of the file among the account's private keys by name, from 1: the names are in the other document.
    pub number: u32,
    /// Form of the file.
    pub form: PrivateForm,
    /// Kind, for instance `ssh-ed25519`; empty if the form does not tell in the open.
    pub kind: String,
    /// Size of the key; 0 if the form does not tell in the open.
    pub bits: u32,
    /// Fingerprint of its public half, as in `authorized_keys`; empty if the form does not tell in the open.
    pub fingerprint: String,
    /// Whether a passphrase protects it.
    pub passphrase: Passphrase,
    /// Permission bits in octal.
    pub mode: String,
    /// Owner.
    pub owner: u32,
    /// Whether others than the owner may read it: ssh refuses to use it then.
    pub readable_by_others: bool,
}

/// Form of a private key's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivateForm {
    /// OpenSSH's own.
    Openssh,
    /// PEM: `RSA PRIVATE KEY`, `EC PRIVATE KEY`, `DSA PRIVATE KEY`.
    Pem,
    /// PKCS #8, encrypted or not.
    Pkcs8,
    /// PuTTY's.
    Putty,
    /// That of version 1 of the protocol.
    Ssh1,
    /// A label that is not known here.
    Other,
}

/// Whether a passphrase protects a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Passphrase {
    /// Yes.
    Set,
    /// No: whoever can read the file can use the key.
    None,
    /// A key on a security key: the file is of no use without the device, and no passphrase protects it.
    SecurityKey,
    /// The head of the file does not tell.
    Unknown,
}

/// Something about an account's keys that could not be read or understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct UnreadKeys {
    /// The account; not there for a line of `/etc/passwd` that tells none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// What: `home`, a file with the tokens of `files_setting`, `private keys`, or `/etc/passwd`.
    pub what: String,
    /// `denied`, `failed`, `malformed`, `skipped` or `timeout`.
    pub outcome: String,
    /// What happened.
    pub detail: String,
}

/// The names behind the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SshKeyNames {
    /// User names by uid, of accounts with keys.
    pub users: BTreeMap<u32, Vec<String>>,
    /// Comments of authorized keys, in the order of `authorized_keys` in the facts; empty where there is none.
    pub comments: Vec<String>,
    /// Paths of the private keys, in the order of `private_keys` in the facts.
    pub private_key_paths: Vec<String>,
}
