//! From tokens to what they say: the grammar of sudo (`plugins/sudoers/gram.y`). An entry that does not fit is left out
//! and told, and reading goes on with the next line, as sudo does since 1.9.3.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lexer::{AliasKind, DefaultsKind, Lexer, Token};
use super::syntax::{
    Binding, CommandMember, CommandName, CommandSpec, Defaults, Member, MemberKind, Place, Policy, Privilege, Runas,
    Specification, Tags, Value,
};

/// More entries than sudoers files have; bounds memory over files somebody made up.
const MAX_ENTRIES: usize = 20_000;

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) place: Place,
    pub(crate) reason: &'static str,
}

/// What a file asks to be read in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Include {
    pub(super) path: String,
    pub(super) folder: bool,
    pub(super) line: u32,
}

/// Reads one file into `policy`. `include` reads what the file includes, where it stands.
pub(super) fn parse(
    bytes: &[u8],
    path: &Arc<str>,
    policy: &mut Policy,
    refusals: &mut Vec<Refusal>,
    mut include: impl FnMut(&Include, &mut Policy, &mut Vec<Refusal>),
) {
    let mut parser = Parser::new(bytes, path);
    while parser.token != Token::End {
        let line = parser.line;
        let entry = parser.entry(policy);
        match entry {
            Ok(None) => {}
            Ok(Some(asked)) => include(&asked, policy, refusals),
            Err(reason) => {
                let place = Place {
                    path: path.clone(),
                    line,
                };
                refusals.push(Refusal { place, reason });
                parser.skip_line();
            }
        }
        if policy.specifications.len() + policy.defaults.len() + refusals.len() > MAX_ENTRIES {
            let place = Place {
                path: path.clone(),
                line,
            };
            refusals.push(Refusal {
                place,
                reason: "too many entries",
            });
            return;
        }
    }
}

struct Parser<'b> {
    lexer: Lexer<'b>,
    path: Arc<str>,
    /// The next token, and the line on which it begins.
    token: Token,
    line: u32,
}

type Parsed<T> = Result<T, &'static str>;

impl<'b> Parser<'b> {
    fn new(bytes: &'b [u8], path: &Arc<str>) -> Self {
        let mut parser = Self {
            lexer: Lexer::new(bytes),
            path: path.clone(),
            token: Token::End,
            line: 1,
        };
        parser.advance();
        parser
    }

    fn advance(&mut self) -> Token {
        self.line = self.lexer.line;
        let next = self.lexer.next();
        std::mem::replace(&mut self.token, next)
    }

    fn skip_line(&mut self) {
        while !matches!(self.advance(), Token::Newline | Token::End) {}
    }

    /// Takes the next token if it is this one.
    fn has(&mut self, token: &Token) -> bool {
        let found = self.token == *token;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, token: &Token, otherwise: &'static str) -> Parsed<()> {
        if self.has(token) {
            Ok(())
        } else {
            Err(self.refused(otherwise))
        }
    }

    /// What the lexer says is wrong, if it does.
    fn refused(&self, otherwise: &'static str) -> &'static str {
        if let Token::Error(reason) = self.token {
            reason
        } else {
            otherwise
        }
    }

    fn end_of_line(&mut self) -> Parsed<()> {
        // The line after it must not be read yet: it is to be counted from its own beginning.
        match self.token {
            Token::Newline => {
                self.advance();
                Ok(())
            }
            Token::End => Ok(()),
            _ => Err(self.refused("something follows the entry")),
        }
    }

    fn word(&mut self, otherwise: &'static str) -> Parsed<String> {
        match &mut self.token {
            Token::Word(word) => {
                let word = std::mem::take(word);
                self.advance();
                Ok(word)
            }
            _ => Err(self.refused(otherwise)),
        }
    }

    fn entry(&mut self, policy: &mut Policy) -> Parsed<Option<Include>> {
        let place = Place {
            path: self.path.clone(),
            line: self.line,
        };
        match self.token {
            Token::Newline => {
                self.advance();
            }
            Token::Include | Token::IncludeDir => {
                let folder = self.advance() == Token::IncludeDir;
                let path = self.word("a path is missing")?;
                self.end_of_line()?;
                let line = place.line;
                return Ok(Some(Include { path, folder, line }));
            }
            Token::Defaults(kind) => {
                self.advance();
                self.defaults(kind, &place, policy)?;
            }
            Token::AliasKind(kind) => {
                self.advance();
                self.aliases(kind, policy)?;
            }
            _ => {
                let users = self.members("a user is missing", Self::user)?;
                let mut privileges = vec![self.privilege()?];
                while self.has(&Token::Colon) {
                    privileges.push(self.privilege()?);
                }
                self.end_of_line()?;
                policy.specifications.push(Specification {
                    place,
                    users,
                    privileges,
                });
            }
        }
        Ok(None)
    }

    fn defaults(&mut self, kind: DefaultsKind, place: &Place, policy: &mut Policy) -> Parsed<()> {
        let binding = match kind {
            DefaultsKind::Everything => Binding::Everything,
            DefaultsKind::Users => Binding::Users(Arc::new(self.members("a user is missing", Self::user)?)),
            DefaultsKind::Runas => {
                self.members("a user is missing", Self::user)?;
                Binding::Runas
            }
            DefaultsKind::Hosts => Binding::Hosts(Arc::new(self.members("a host is missing", Self::host)?)),
            DefaultsKind::Commands => {
                self.command_list()?;
                Binding::Commands
            }
        };
        let mut settings = vec![];
        loop {
            let negated = self.has(&Token::Not);
            let Token::Setting(name) = &mut self.token else {
                return Err(self.refused("a setting is missing"));
            };
            let name = std::mem::take(name);
            self.advance();
            let value = match self.token {
                _ if negated => Value::Flag(false),
                Token::Equals => Value::Text(self.value()?),
                Token::PlusEquals => Value::Add(self.value()?),
                Token::MinusEquals => Value::Remove(self.value()?),
                _ => Value::Flag(true),
            };
            settings.push((name, value));
            if !self.has(&Token::Comma) {
                break;
            }
        }
        self.end_of_line()?;
        policy
            .defaults
            .extend(settings.into_iter().map(|(name, value)| Defaults {
                place: place.clone(),
                binding: binding.clone(),
                name,
                value,
            }));
        Ok(())
    }

    fn value(&mut self) -> Parsed<String> {
        self.advance();
        self.word("a value is missing")
    }

    fn aliases(&mut self, kind: AliasKind, policy: &mut Policy) -> Parsed<()> {
        loop {
            let name = match &mut self.token {
                Token::Alias(name) => std::mem::take(name),
                _ => return Err(self.refused("the name of an alias is missing: upper-case letters, digits and _")),
            };
            self.advance();
            self.expect(&Token::Equals, "= is missing after the name of an alias")?;
            match kind {
                AliasKind::User => add(
                    &mut policy.user_aliases,
                    name,
                    self.members("a user is missing", Self::user)?,
                )?,
                AliasKind::Runas => add(
                    &mut policy.runas_aliases,
                    name,
                    self.members("a user is missing", Self::user)?,
                )?,
                AliasKind::Host => add(
                    &mut policy.host_aliases,
                    name,
                    self.members("a host is missing", Self::host)?,
                )?,
                AliasKind::Command => add(&mut policy.command_aliases, name, self.command_list()?)?,
            }
            if !self.has(&Token::Colon) {
                return self.end_of_line();
            }
        }
    }

    fn privilege(&mut self) -> Parsed<Privilege> {
        let hosts = self.members("a host is missing", Self::host)?;
        self.expect(&Token::Equals, "= is missing after the hosts")?;
        let mut commands: Vec<CommandSpec> = vec![];
        loop {
            let spec = self.command_spec(commands.last())?;
            commands.push(spec);
            if !self.has(&Token::Comma) {
                return Ok(Privilege { hosts, commands });
            }
        }
    }

    /// What is not said for a command holds as for the one before it.
    fn command_spec(&mut self, before: Option<&CommandSpec>) -> Parsed<CommandSpec> {
        let mut runas = self.has(&Token::Open).then(|| self.runas()).transpose()?.map(Arc::new);
        let mut options = BTreeMap::new();
        while let Token::Option(name) = self.token {
            self.advance();
            self.expect(&Token::Equals, "= is missing after an option")?;
            options.insert(name, self.word("the value of an option is missing")?);
        }
        let mut tags = Tags::default();
        while let Token::Tag(setting, value) = self.token {
            self.advance();
            tags.set.insert(setting, value);
        }
        let command = self.command()?;
        if command.kind == CommandName::All && !command.negated && !tags.set.contains_key("setenv") {
            tags.set.insert("setenv", true);
            tags.setenv_implied = true;
        }
        if let Some(before) = before {
            // Role and type go together: one of them suffices to be different from the command before.
            let own_context = options.contains_key("role") || options.contains_key("type");
            for (name, value) in &before.options {
                if !(own_context && matches!(*name, "role" | "type")) {
                    options.entry(name).or_insert_with(|| value.clone());
                }
            }
            for (setting, value) in &before.tags.set {
                if !(*setting == "setenv" && before.tags.setenv_implied) {
                    tags.set.entry(setting).or_insert(*value);
                }
            }
            runas = runas.or_else(|| before.runas.clone());
        }
        Ok(CommandSpec {
            runas,
            options,
            tags,
            command,
        })
    }

    /// After `(`.
    fn runas(&mut self) -> Parsed<Runas> {
        let myself = || Runas {
            users: Some(vec![Member {
                negated: false,
                kind: MemberKind::Myself,
            }]),
            groups: None,
        };
        if self.has(&Token::Close) {
            return Ok(myself());
        }
        let users = if self.token == Token::Colon {
            None
        } else {
            Some(self.members("a user is missing", Self::user)?)
        };
        let runas = if self.has(&Token::Colon) {
            if users.is_none() && self.has(&Token::Close) {
                return Ok(myself());
            }
            let groups = Some(self.members("a group is missing", Self::group)?);
            Runas { users, groups }
        } else {
            Runas { users, groups: None }
        };
        self.expect(&Token::Close, ") is missing after the users to run as")?;
        Ok(runas)
    }

    /// A list with commas, each entry negated by `!` or not.
    fn members(&mut self, missing: &'static str, one: impl Fn(&mut Self) -> Option<MemberKind>) -> Parsed<Vec<Member>> {
        let mut members = vec![];
        loop {
            let negated = self.has(&Token::Not);
            let kind = one(self).ok_or_else(|| self.refused(missing))?;
            self.advance();
            members.push(Member { negated, kind });
            if !self.has(&Token::Comma) {
                return Ok(members);
            }
        }
    }

    fn user(&mut self) -> Option<MemberKind> {
        self.common_or(|token| match token {
            Token::Group(name) => Some(MemberKind::Group(name.get(1..)?.to_owned())),
            Token::Netgroup(name) => Some(MemberKind::Netgroup(name.get(1..)?.to_owned())),
            _ => None,
        })
    }

    fn host(&mut self) -> Option<MemberKind> {
        self.common_or(|token| match token {
            Token::Netgroup(name) => Some(MemberKind::Netgroup(name.get(1..)?.to_owned())),
            Token::Network(network) => Some(MemberKind::Network(network.clone())),
            _ => None,
        })
    }

    fn group(&mut self) -> Option<MemberKind> {
        self.common_or(|_| None)
    }

    /// `ALL`, an alias or a word, which all lists have, or what `other` makes of the token.
    fn common_or(&mut self, other: impl Fn(&Token) -> Option<MemberKind>) -> Option<MemberKind> {
        match &mut self.token {
            Token::All => Some(MemberKind::All),
            Token::Alias(name) => Some(MemberKind::Alias(std::mem::take(name))),
            Token::Word(word) => Some(MemberKind::Word(std::mem::take(word))),
            token => other(token),
        }
    }

    fn command_list(&mut self) -> Parsed<Vec<CommandMember>> {
        let mut commands = vec![self.command()?];
        while self.has(&Token::Comma) {
            commands.push(self.command()?);
        }
        Ok(commands)
    }

    /// `digest, digest … !command`
    fn command(&mut self) -> Parsed<CommandMember> {
        let mut digests = vec![];
        while let Token::DigestKind(kind) = self.token {
            self.advance();
            self.expect(&Token::Colon, ": is missing after the kind of a digest")?;
            let Token::Digest(text) = &mut self.token else {
                return Err(self.refused("a digest is missing"));
            };
            digests.push((kind, std::mem::take(text)));
            self.advance();
            // Digests with commas between them all belong to the command after the last.
            if self.token == Token::Comma {
                self.advance();
                if !matches!(self.token, Token::DigestKind(_)) {
                    return Err(self.refused("a digest is missing"));
                }
            }
        }
        let negated = self.has(&Token::Not);
        let kind = match &mut self.token {
            Token::All => CommandName::All,
            Token::Alias(name) => CommandName::Alias(std::mem::take(name)),
            Token::Command { path, arguments } => CommandName::Command {
                path: std::mem::take(path),
                arguments: std::mem::take(arguments),
            },
            // Not a command but the right to see the rights of others; it takes no arguments.
            Token::Word(word) if word == "list" => CommandName::Command {
                path: std::mem::take(word),
                arguments: None,
            },
            Token::Word(_) => return Err("a command is no absolute path"),
            _ => return Err(self.refused("a command is missing")),
        };
        if !digests.is_empty() && matches!(kind, CommandName::Alias(_)) {
            return Err("a digest needs a path");
        }
        self.advance();
        Ok(CommandMember { negated, kind, digests })
    }
}

fn add<T>(aliases: &mut BTreeMap<String, T>, name: String, members: T) -> Parsed<()> {
    if aliases.contains_key(&name) {
        return Err("an alias of this name is defined already");
    }
    aliases.insert(name, members);
    Ok(())
}
