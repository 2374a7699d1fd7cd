//! What sudoers files say (sudoers(5), "SUDOERS FILE FORMAT"), as a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything in the files, in the order in which sudo reads it.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    /// User specifications.
    pub(crate) specifications: Vec<Specification>,
    /// `User_Alias`es by name; likewise the others.
    pub(crate) user_aliases: BTreeMap<String, Vec<Member>>,
    pub(crate) runas_aliases: BTreeMap<String, Vec<Member>>,
    pub(crate) host_aliases: BTreeMap<String, Vec<Member>>,
    pub(crate) command_aliases: BTreeMap<String, Vec<CommandMember>>,
    /// `Defaults`, one for each setting.
    pub(crate) defaults: Vec<Defaults>,
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Path of the file.
    pub(crate) path: Arc<str>,
    /// Number of the line on which it begins, from 1.
    pub(crate) line: u32,
}

/// `users hosts = commands : hosts = commands …`
#[derive(Debug)]
pub(crate) struct Specification {
    pub(crate) place: Place,
    pub(crate) users: Vec<Member>,
    pub(crate) privileges: Vec<Privilege>,
}

/// `hosts = commands`
#[derive(Debug)]
pub(crate) struct Privilege {
    pub(crate) hosts: Vec<Member>,
    pub(crate) commands: Vec<CommandSpec>,
}

/// A command with all that comes before it, and what it takes over from the one before in its list.
#[derive(Debug, Clone)]
pub(crate) struct CommandSpec {
    /// Nothing: as the default user, root unless `Defaults runas_default` says otherwise.
    pub(crate) runas: Option<Arc<Runas>>,
    /// `CWD=`, `ROLE=` and the like, by lower-case name.
    pub(crate) options: BTreeMap<&'static str, String>,
    pub(crate) tags: Tags,
    pub(crate) command: CommandMember,
}

/// `(users : groups)`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Runas {
    /// `None`: only groups are given. Empty lists do not occur: `()` is [`MemberKind::Myself`].
    pub(crate) users: Option<Vec<Member>>,
    pub(crate) groups: Option<Vec<Member>>,
}

/// Tags by the name of the setting that they change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    /// `nopasswd`, `noexec`, `setenv`, `log_input`, `log_output`, `mail`, `follow`, `intercept`.
    pub(crate) set: BTreeMap<&'static str, bool>,
    /// `setenv` is not written but implied by the command `ALL`; then the next command does not take it over.
    pub(crate) setenv_implied: bool,
}

/// One entry in a list of users, groups or hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) negated: bool,
    pub(crate) kind: MemberKind,
}

/// What an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemberKind {
    /// `ALL`.
    All,
    /// Upper case: an alias, or what it says if no such alias is defined.
    Alias(String),
    /// A user, a group in a list of groups, or a host; `#` and a number for uids and gids.
    Word(String),
    /// `%name`, `%#gid` or `%:name`, without the first `%`.
    Group(String),
    /// `+name`, without the `+`.
    Netgroup(String),
    /// An address or network.
    Network(String),
    /// The user who runs sudo.
    Myself,
}

/// One entry in a list of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandMember {
    pub(crate) negated: bool,
    pub(crate) kind: CommandName,
    /// Kinds and texts of SHA-2 digests, one of which must fit.
    pub(crate) digests: Vec<(&'static str, String)>,
}

/// What an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandName {
    /// `ALL`.
    All,
    /// An alias.
    Alias(String),
    /// A path, a pattern, a regular expression, `sudoedit` or `list`.
    Command {
        /// Without quoting of sudoers' own special characters.
        path: String,
        /// `""` for no arguments; nothing for any.
        arguments: Option<String>,
    },
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Defaults {
    pub(crate) place: Place,
    pub(crate) binding: Binding,
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// To what a setting is bound.
#[derive(Debug, Clone)]
pub(crate) enum Binding {
    Everything,
    Users(Arc<Vec<Member>>),
    /// Target users; which ones makes no difference here.
    Runas,
    Hosts(Arc<Vec<Member>>),
    /// Commands; likewise.
    Commands,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// `name` or `!name`.
    Flag(bool),
    /// `name = text`.
    Text(String),
    /// `name += text`.
    Add(String),
    /// `name -= text`.
    Remove(String),
}
