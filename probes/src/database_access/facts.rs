//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;
use crate::software::products::{Installed, Undetermined};

/// Who may connect to the databases of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DatabaseAccess {
    /// Servers of databases and caches, with the states of their units.
    pub products: Vec<Installed>,
    /// Programs of which it is not known whether they are there.
    pub undetermined: Vec<Undetermined>,
    /// The clusters of PostgreSQL, in the order of their places; `absent` where there is none.
    pub postgresql: Known<Vec<PgCluster>>,
    /// MySQL or MariaDB, by the option files of the server; `absent` without one.
    pub mysql: Known<Mysql>,
    /// The configurations of Redis and Valkey, sorted by file, those of Sentinel apart; `absent` without one.
    pub redis: Known<Vec<Redis>>,
    /// MongoDB; `absent` without its configuration.
    pub mongodb: Known<Mongodb>,
}

/// A file of configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigFile {
    /// Its path.
    pub file: String,
    /// Permission bits, four octal digits.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A cluster of PostgreSQL: one server with its databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PgCluster {
    /// Its `postgresql.conf`.
    pub config: String,
    /// Its version, by `PG_VERSION` in its data or by its folder's name; null if neither tells it.
    pub version: Option<String>,
    /// The files of settings in the order in which the later counts; `postgresql.auto.conf` is the last.
    pub files: Vec<ConfigFile>,
    /// Settings that bear on access, encryption and records and are set, by name; what is not here has the server's default.
    /// `malformed` where the server refuses to start with the files.
    pub settings: Known<BTreeMap<String, String>>,
    /// Who may connect.
    pub hba: Known<PgHba>,
}

/// `pg_hba.conf` and what it includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PgHba {
    /// The files, in the order in which they are read.
    pub files: Vec<ConfigFile>,
    /// The rules in order: the first that fits a connection decides about it, and where none fits it is refused.
    pub rules: Vec<PgRule>,
    /// Lines that the server does not take, with the reason. If there are any it does not start, or keeps the rules that it had
    /// when it was last told to read them.
    pub refused: Vec<String>,
}

/// A rule of `pg_hba.conf`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PgRule {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// `local` (a socket of this host), `host` (TCP, encrypted or not), `hostssl`, `hostnossl`, `hostgssenc`, `hostnogssenc`.
    pub connection: String,
    /// To which databases.
    pub databases: PgNames,
    /// As whom.
    pub users: PgNames,
    /// From where.
    pub reach: PgReach,
    /// The network, as address and length of its prefix; null where it is one host, a name, a keyword, or a mask that is no
    /// prefix.
    pub network: Option<String>,
    /// How they prove who they are, for instance `scram-sha-256`; `trust` asks for nothing, `password` sends it as it is, `reject`
    /// lets nobody in.
    pub method: String,
    /// Whether a certificate is asked for: `verify-ca` or `verify-full` (it bears the user's name); null if none is.
    pub client_certificate: Option<String>,
    /// For `ldap`, whether the password goes to the directory by TLS; else null.
    pub ldap_tls: Option<bool>,
}

/// Names in a rule: which of them are keywords, and how many others there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PgNames {
    /// `all`; of databases also `replication`, `samegroup`, `samerole`, `sameuser`. Sorted.
    pub keywords: Vec<String>,
    /// How many names.
    pub named: u64,
    /// How many roles whose members are meant (`+role`).
    pub groups: u64,
    /// How many patterns, which there are since PostgreSQL 16.
    pub patterns: u64,
}

/// From where a rule lets connections come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PgReach {
    /// A socket of this host.
    Socket,
    /// Loopback addresses alone.
    Loopback,
    /// Any address of this host.
    SameHost,
    /// Any address of a network that this host is in.
    SameNet,
    /// One other address.
    Host,
    /// A network.
    Network,
    /// A host, or all hosts of a domain, by name.
    Name,
    /// Everywhere.
    All,
}

/// The option files of MySQL or MariaDB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mysql {
    /// Whose groups of options were read: those of MariaDB's server, or those of MySQL's, if its program alone is there.
    pub server: MysqlServer,
    /// The files, in the order in which the later counts.
    pub files: Vec<ConfigFile>,
    /// Files and folders that were left out: writable by everybody, not there, or named relative to where the server is started; and
    /// the lines from which on the server leaves out the rest of an included file, with the reason.
    pub left_out: Vec<String>,
    /// Groups of options that one version alone reads, for instance `mysqld-8.0`; they are not followed.
    pub version_groups: Vec<String>,
    /// Settings that bear on access, encryption and records and are set, by name with `_`, switches as `on` or `off`; of keys and
    /// certificates only that they are `set`. What is not here has the server's default.
    pub settings: BTreeMap<String, String>,
    /// Names of settings that were made to last in the running server (`SET PERSIST`), which count before the files; their values
    /// are in `settings`. MySQL alone has them; `absent` without such a file.
    pub persisted: Known<Vec<String>>,
}

/// Whose groups of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MysqlServer {
    /// MariaDB's.
    Mariadb,
    /// MySQL's.
    Mysql,
}

/// A configuration of Redis or Valkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Redis {
    /// The file.
    pub config: String,
    /// What it says; `malformed` where the server refuses to start with it.
    pub settings: Known<RedisSettings>,
}

/// What a configuration of Redis or Valkey says, with what it includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RedisSettings {
    /// The files, in the order in which they are read.
    pub files: Vec<ConfigFile>,
    /// Settings that bear on access and encryption and are set, by name; what is not here has the server's default.
    pub settings: BTreeMap<String, String>,
    /// Whether a password is set for all (`requirepass`); it does not count where `default` is a user of its own.
    pub requirepass: bool,
    /// Commands that have another name or none (`rename-command`), in upper case, sorted.
    pub renamed_commands: Vec<String>,
    /// Users.
    pub users: Known<RedisUsers>,
}

/// Users of Redis or Valkey, by `user` lines or the file of them (`aclfile`), and `default` at any rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RedisUsers {
    /// The file of users, if there is one; its `user` lines count then.
    pub aclfile: Option<ConfigFile>,
    /// How many, `default` among them.
    pub count: u64,
    /// How many of them can be used without a password.
    pub without_password: u64,
    /// Whether who connects and does not log in is the user `default`, since that one can be used without a password.
    pub default_without_password: bool,
}

/// The configuration of MongoDB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mongodb {
    /// The file.
    pub file: ConfigFile,
    /// Settings that bear on access, encryption and records and are set, by their names with dots, for instance
    /// `security.authorization`; what is not here has the server's default.
    pub settings: BTreeMap<String, String>,
    /// Whether members of a set know each other by a file of keys (`security.keyFile`), which has users log in too.
    pub key_file: bool,
    /// Told settings whose value is fetched from elsewhere when the server starts (`__rest`, `__exec`), and is not known.
    pub fetched: Vec<String>,
    /// Options on the command line of the unit, by name and without values: they count before the file. `absent` without a unit.
    pub options: Known<Vec<String>>,
}
