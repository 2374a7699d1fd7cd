//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub use super::settings::{PermitRootLogin, Settings};
use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// The OpenSSH server: what it does for a connection, according to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sshd {
    /// Whether `/usr/sbin/sshd` is there. If not, everything else is `absent` or empty.
    pub installed: bool,
    /// Settings for a connection that meets no condition of a `Match` block but `all`, as `sshd -T` tells them. sshd
    /// does not tell unless it can read its host keys: `denied`.
    pub effective: Known<Settings>,
    /// The `Match` blocks, in the order in which sshd reads them. A rule about every connection asks `effective` and
    /// each of these. `denied` or `malformed` if the configuration files could not be read, for then there may be any.
    pub match_blocks: Known<Vec<MatchBlock>>,
    /// Settings written before the first `Match` in the configuration files, by lower-case keyword, each with the
    /// values of all its lines (sshd takes the first, except where it collects them). This is what is *configured*: it
    /// holds no defaults, and `effective` is what counts. `set` stands for values that may name people.
    pub configured: Known<BTreeMap<String, Vec<String>>>,
    /// Options that the service gives to sshd beside the configuration file: those of the unit that starts it, with its
    /// drop-ins and the variables that they name (`SSHD_OPTS`, `OPTIONS`, `CRYPTO_POLICY`); without systemd those of
    /// `/etc/default/ssh` and the like. `effective` takes them into account. `set` stands for values that may name people.
    /// `absent` if nothing tells how it is started; `unsupported` if the unit starts something else than `/usr/sbin/sshd`.
    pub service_options: Known<Vec<String>>,
    /// Configuration files in the order in which they were first read, the main file first.
    pub config_files: Vec<ConfigFile>,
    /// Host keys that sshd offers; without `effective`, those of the default names. Sorted by path.
    pub host_keys: Known<Vec<HostKey>>,
    /// The units that start it, those that there are; `absent` without systemd. Where a socket is in use, systemd listens,
    /// and the socket's addresses count instead of `listen_addresses`.
    pub units: Known<Vec<UnitState>>,
    /// The sshd that takes connections now; `absent` if none does, and where `PidFile` is not written, so that it is not
    /// found.
    pub running: Known<Running>,
}

/// The sshd that takes connections, beside what is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Running {
    /// How it is started.
    pub started: RunningAs,
    /// Configuration files that were changed, and folders of included files in which one was added or removed, since it
    /// last read its configuration, sorted: not empty, and what runs need not be what `effective` tells. Of a file the last
    /// change of content, name, mode or owner counts, to the second.
    pub changed_since: Vec<String>,
    /// Whether it was started by the command that the unit has now, options included; not known without systemd.
    pub same_command: Known<bool>,
}

/// How the sshd that runs is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunningAs {
    /// Once: it goes by the configuration that it read when it was started or told to read it again.
    Daemon,
    /// For each connection, by systemd: it reads its configuration each time.
    EachConnection,
}

/// A `Match` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MatchBlock {
    /// The file.
    pub path: String,
    /// Number of the `Match` line, from 1.
    pub line: u32,
    /// Kinds of its criteria, lower case, sorted: `user`, `group`, `host`, `address`, `localaddress`, `localport`,
    /// `rdomain`, `all` and others that newer versions have.
    pub criteria: Vec<String>,
    /// Keywords that are set in the block, lower case, sorted.
    pub sets: Vec<String>,
    /// Settings for a connection that meets this block's criteria and those of no other block that it need not meet,
    /// as `sshd -T -C …` tells them. `unsupported` if no such connection could be made up (then its detail says why);
    /// a rule over it is `unknown`.
    pub effective: Known<Settings>,
    /// Keywords in which these settings differ from those of a connection that meets no block, sorted; empty also if
    /// one of the two is not known.
    pub differs_in: Vec<String>,
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigFile {
    /// Path.
    pub path: String,
    /// Permission bits in octal, for instance `0644`.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A host key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HostKey {
    /// Path of the private key.
    pub path: String,
    /// The public half (`<path>.pub`). The private one is not read.
    pub public: Known<PublicHalf>,
    /// Mode and owner of the private file; `absent` if sshd is told to use a key that is not there.
    pub private_file: Known<KeyFile>,
}

/// The public half of a host key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PublicHalf {
    /// Kind as in the file, for instance `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`.
    pub kind: String,
    /// Size: of the modulus for RSA and DSA, of the curve otherwise.
    pub bits: u32,
    /// Fingerprint as ssh-keygen(1) prints it: `SHA256:` and the digest in base64 without padding.
    pub fingerprint: String,
}

/// Mode and owner of a private key's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyFile {
    /// Permission bits in octal, for instance `0600`.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether others than the owner may read it.
    pub readable_by_others: bool,
}

/// Names in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SshdNames {
    /// `AllowUsers`, `DenyUsers`, `AllowGroups`, `DenyGroups` of a connection that meets no `Match` block, by
    /// lower-case keyword; `absent` if sshd is not installed.
    pub access_lists: Known<BTreeMap<String, Vec<String>>>,
    /// The `Match` lines, in the order of `match_blocks` in the facts.
    pub match_lines: Vec<MatchLine>,
}

/// A `Match` line and the connection that was made up to meet it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MatchLine {
    /// The file.
    pub path: String,
    /// Number of the line.
    pub line: u32,
    /// What follows `Match`.
    pub text: String,
    /// The connection, as given to `sshd -C`; empty if none could be made up.
    pub connection: String,
    /// Access lists for that connection, by lower-case keyword.
    pub access_lists: BTreeMap<String, Vec<String>>,
}
