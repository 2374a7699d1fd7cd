//! Tokens of a sudoers file.
//!
//! What a character means depends on what came before it: sudo's own lexer (`plugins/sudoers/toke.l`) is a machine with
//! ten states, in each of which the longest match of its rules wins, the first rule if several are as long. This one has
//! the same states under the same names, so that the two can be compared.

use super::scan;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Newline,
    Comma,
    Colon,
    Equals,
    PlusEquals,
    MinusEquals,
    Not,
    Open,
    Close,
    All,
    Alias(String),
    Word(String),
    /// With its `%`.
    Group(String),
    /// With its `+`.
    Netgroup(String),
    Network(String),
    Command {
        path: String,
        arguments: Option<String>,
    },
    DigestKind(&'static str),
    Digest(String),
    /// `NOPASSWD:` and the like, by the setting that they change.
    Tag(&'static str, bool),
    /// `CWD` and the like, lower case.
    Option(&'static str),
    Defaults(DefaultsKind),
    Setting(String),
    AliasKind(AliasKind),
    Include,
    IncludeDir,
    /// No rule fits, or one that refuses.
    Error(&'static str),
    End,
}

/// The word `Defaults` and what follows it directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultsKind {
    Everything,
    Users,
    Runas,
    Hosts,
    Commands,
}

/// `User_Alias` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AliasKind {
    User,
    Runas,
    Host,
    Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Initial,
    GotDefs,
    StartDefs,
    InDefs,
    WantDigest(usize),
    GotInc,
    ExpectPath,
}

const TAGS: [(&str, &str, bool); 16] = [
    ("NOPASSWD", "nopasswd", true),
    ("PASSWD", "nopasswd", false),
    ("NOEXEC", "noexec", true),
    ("EXEC", "noexec", false),
    ("INTERCEPT", "intercept", true),
    ("NOINTERCEPT", "intercept", false),
    ("SETENV", "setenv", true),
    ("NOSETENV", "setenv", false),
    ("LOG_OUTPUT", "log_output", true),
    ("NOLOG_OUTPUT", "log_output", false),
    ("LOG_INPUT", "log_input", true),
    ("NOLOG_INPUT", "log_input", false),
    ("MAIL", "mail", true),
    ("NOMAIL", "mail", false),
    ("FOLLOW", "follow", true),
    ("NOFOLLOW", "follow", false),
];

/// Options of builds with SELinux and AppArmor too; other builds take those words for names.
const OPTIONS: [(&str, &str); 8] = [
    ("TIMEOUT", "timeout"),
    ("NOTBEFORE", "notbefore"),
    ("NOTAFTER", "notafter"),
    ("CWD", "cwd"),
    ("CHROOT", "chroot"),
    ("ROLE", "role"),
    ("TYPE", "type"),
    ("APPARMOR_PROFILE", "apparmor_profile"),
];

/// Kinds of digests with their lengths in bytes.
const DIGESTS: [(&str, usize); 4] = [("sha224", 28), ("sha256", 32), ("sha384", 48), ("sha512", 64)];

const ALIASES: [(&str, AliasKind); 5] = [
    ("Host_Alias", AliasKind::Host),
    ("Cmnd_Alias", AliasKind::Command),
    ("Cmd_Alias", AliasKind::Command),
    ("User_Alias", AliasKind::User),
    ("Runas_Alias", AliasKind::Runas),
];

/// The lexer.
pub(super) struct Lexer<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Number of the line that is read, from 1.
    pub(super) line: u32,
    state: State,
    /// The line before ends in a backslash.
    continued: bool,
}

impl<'b> Lexer<'b> {
    /// `bytes` must end in a line end and hold no NUL (see [`super::files`]).
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
            state: State::Initial,
            continued: false,
        }
    }

    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `length` bytes, which are read.
    fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, _) = self.rest().split_at_checked(length).unwrap_or((self.rest(), &[]));
        self.at += taken.len();
        taken
    }

    fn at_line_start(&self) -> bool {
        self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n')
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token {
        loop {
            let rest = self.rest();
            let Some(first) = rest.first() else { return Token::End };
            // Rules of every state. Commas in GOTDEFS take the blanks around them along.
            if self.state == State::GotDefs
                && let Some(length) = scan::comma_with_blanks(rest)
            {
                self.take(length);
                return Token::Comma;
            }
            let blanks = scan::blanks(rest);
            if blanks > 0 {
                self.take(blanks);
                if self.state == State::GotDefs {
                    self.state = State::StartDefs;
                }
                continue;
            }
            if let Some(length) = scan::line_end(rest) {
                self.take(length);
                self.line += 1;
                self.state = State::Initial;
                self.continued = false;
                return Token::Newline;
            }
            if let Some(length) = scan::continuation(rest) {
                self.take(length);
                self.line += 1;
                self.continued = true;
                continue;
            }
            let refusals = scan::run(rest, |byte| byte == b'!');
            if refusals > 0 {
                self.take(refusals);
                if refusals % 2 == 1 {
                    return Token::Not;
                }
                continue;
            }
            return match self.state {
                State::StartDefs => self.start_defs(rest),
                State::InDefs => self.in_defs(rest),
                State::GotInc => self.got_inc(rest),
                _ => self.inclusive(rest, *first),
            };
        }
    }

    fn start_defs(&mut self, rest: &'b [u8]) -> Token {
        let length = scan::run(rest, |byte| byte.is_ascii_lowercase() || byte == b'_');
        if length > 0 {
            self.state = State::InDefs;
            return Token::Setting(scan::plain(self.take(length)));
        }
        self.comment_or_nothing(rest)
    }

    fn in_defs(&mut self, rest: &'b [u8]) -> Token {
        let word = scan::environment_word(rest);
        let sign = match rest {
            [b',', ..] => Some((1, Token::Comma)),
            [b'=', ..] => Some((1, Token::Equals)),
            [b'+', b'=', ..] => Some((2, Token::PlusEquals)),
            [b'-', b'=', ..] => Some((2, Token::MinusEquals)),
            [b'"', ..] => {
                self.take(1);
                return self.string(State::InDefs);
            }
            _ => None,
        };
        match sign {
            Some((length, token)) if length >= word => {
                self.take(length);
                if token == Token::Comma {
                    self.state = State::StartDefs;
                }
                token
            }
            _ if word > 0 => Token::Word(scan::unescaped(self.take(word))),
            _ => self.comment_or_nothing(rest),
        }
    }

    fn got_inc(&mut self, rest: &'b [u8]) -> Token {
        if rest.first() == Some(&b'"') {
            self.take(1);
            return self.string(State::Initial);
        }
        let length = scan::include_path(rest);
        if length == 0 {
            self.take(1);
            return Token::Error("no path");
        }
        self.state = State::Initial;
        Token::Word(scan::unescaped(self.take(length)))
    }

    /// A comment, which ends its line, or something that no rule of the state fits.
    fn comment_or_nothing(&mut self, rest: &'b [u8]) -> Token {
        if let Some(length) = scan::comment(rest) {
            self.take(length);
            self.line += 1;
            self.state = State::Initial;
            self.continued = false;
            return Token::Newline;
        }
        self.take(1);
        Token::Error("unexpected character")
    }

    /// INITIAL, and the states that have its rules beside their own: GOTDEFS, WANTDIGEST, EXPECTPATH.
    fn inclusive(&mut self, rest: &'b [u8], first: u8) -> Token {
        let initial = self.state == State::Initial;
        if initial && let Some(token) = self.at_line_start_rules(rest) {
            return token;
        }
        let word = scan::word(rest).max(scan::id(rest).unwrap_or(0));
        if initial {
            for (text, token) in [
                (&b"@includedir"[..], Token::IncludeDir),
                (&b"@include"[..], Token::Include),
            ] {
                if rest.starts_with(text) && word <= text.len() {
                    self.take(text.len());
                    self.state = State::GotInc;
                    return self.unless_continued(token);
                }
            }
        }
        if let State::WantDigest(length) = self.state {
            return self.want_digest(rest, length);
        }
        if first == b'"' && matches!(self.state, State::Initial | State::GotDefs) {
            self.take(1);
            return self.string(self.state);
        }
        if self.state == State::ExpectPath {
            let length = scan::path(rest).max(scan::word(rest));
            if length > 0 {
                self.state = State::Initial;
                return Token::Word(scan::unescaped(self.take(length)));
            }
        }
        if let Some(token) = self.named(rest, word) {
            return token;
        }
        let path = scan::path(rest);
        let pattern = scan::regular_expression(rest);
        if path.max(pattern) > 0 && path.max(pattern) >= word {
            return self.command(path.max(pattern));
        }
        if word > 0 && matches!(self.state, State::Initial | State::GotDefs) {
            return Token::Word(scan::unescaped(self.take(word)));
        }
        let sign = match first {
            b'(' => Token::Open,
            b')' => Token::Close,
            b',' => Token::Comma,
            b'=' => Token::Equals,
            b':' => Token::Colon,
            _ if initial => return self.comment_or_nothing(rest),
            _ => Token::Error("unexpected character"),
        };
        self.take(1);
        sign
    }

    /// Rules that hold at the beginning of a line only.
    fn at_line_start_rules(&mut self, rest: &'b [u8]) -> Option<Token> {
        if !self.at_line_start() {
            // A line may be indented before these two words.
            let indent = self
                .bytes
                .get(..self.at)?
                .iter()
                .rev()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            let start = self.at - indent;
            if start != 0 && self.bytes.get(start - 1) != Some(&b'\n') {
                return None;
            }
        } else if rest.first() == Some(&b'#') {
            for (text, token) in [
                (&b"#includedir"[..], Token::IncludeDir),
                (&b"#include"[..], Token::Include),
            ] {
                if rest.strip_prefix(text).is_some_and(|after| scan::blanks(after) > 0) {
                    self.take(text.len());
                    self.state = State::GotInc;
                    return Some(self.unless_continued(token));
                }
            }
            return None;
        }
        if let Some(after) = rest.strip_prefix(b"Defaults") {
            let kind = match after.first() {
                Some(b':') => Some(DefaultsKind::Users),
                Some(b'>') => Some(DefaultsKind::Runas),
                Some(b'@') => Some(DefaultsKind::Hosts),
                Some(b'!') => Some(DefaultsKind::Commands),
                _ => None,
            };
            if let Some(kind) = kind
                && let Some(blanks) = scan::bound_to(after)
            {
                self.take(b"Defaults".len() + 1 + blanks);
                self.state = State::GotDefs;
                return Some(self.unless_continued(Token::Defaults(kind)));
            }
            // A longer word is a user's name.
            if scan::word(rest) == b"Defaults".len() {
                self.take(b"Defaults".len());
                self.state = State::GotDefs;
                return Some(self.unless_continued(Token::Defaults(DefaultsKind::Everything)));
            }
            return None;
        }
        let word = scan::word(rest);
        let found = ALIASES
            .iter()
            .find(|(text, _)| word == text.len() && rest.starts_with(text.as_bytes()));
        let (text, kind) = found?;
        self.take(text.len());
        Some(self.unless_continued(Token::AliasKind(*kind)))
    }

    fn unless_continued(&self, token: Token) -> Token {
        if self.continued {
            Token::Error("invalid line continuation")
        } else {
            token
        }
    }

    /// Rules with fixed texts, upper-case names, groups and addresses.
    fn named(&mut self, rest: &'b [u8], word: usize) -> Option<Token> {
        // In WANTDIGEST and EXPECTPATH no rule for words competes with these.
        let word = if matches!(self.state, State::Initial | State::GotDefs) {
            word
        } else {
            0
        };
        for (text, setting, value) in TAGS {
            if let Some(after) = rest.strip_prefix(text.as_bytes()) {
                let blanks = scan::blanks(after);
                if after.get(blanks) == Some(&b':') {
                    self.take(text.len() + blanks + 1);
                    return Some(Token::Tag(setting, value));
                }
            }
        }
        match rest.first()? {
            b'+' => {
                let length = 1 + scan::word(rest.get(1..)?);
                if length > 1 {
                    return Some(Token::Netgroup(scan::unescaped(self.take(length))));
                }
                self.take(1);
                return Some(Token::Error("empty netgroup"));
            }
            b'%' => {
                let colon = usize::from(rest.get(1) == Some(&b':'));
                let name = rest.get(1 + colon..)?;
                let length = scan::word(name).max(scan::id(name).unwrap_or(0));
                if length > 0 {
                    return Some(Token::Group(scan::unescaped(self.take(1 + colon + length))));
                }
                self.take(1 + colon);
                return Some(Token::Error("empty group"));
            }
            _ => {}
        }
        let network = scan::network(rest);
        if network > 0 && network >= word {
            let text = self.take(network);
            if text.contains(&b':') && !scan::one_gap(text) {
                return Some(Token::Error("invalid IPv6 address"));
            }
            return Some(Token::Network(scan::plain(text)));
        }
        let upper = scan::alias(rest);
        if upper > 0 && upper >= word {
            let text = self.take(upper);
            if text == b"ALL" {
                return Some(Token::All);
            }
            let option = OPTIONS.iter().find(|(name, _)| name.as_bytes() == text);
            if let (State::Initial, Some((_, option))) = (self.state, option) {
                if matches!(*option, "cwd" | "chroot") {
                    self.state = State::ExpectPath;
                }
                return Some(Token::Option(option));
            }
            return Some(Token::Alias(scan::plain(text)));
        }
        for (text, length) in DIGESTS {
            if rest.starts_with(text.as_bytes()) && word <= text.len() {
                self.take(text.len());
                self.state = State::WantDigest(length);
                return Some(Token::DigestKind(text));
            }
        }
        if rest.starts_with(b"sudoedit") && word <= b"sudoedit".len() {
            return Some(self.command(b"sudoedit".len()));
        }
        None
    }

    /// A digest in hexadecimal or base64, if it has the length that its kind wants.
    fn want_digest(&mut self, rest: &'b [u8], bytes: usize) -> Token {
        if rest.first() == Some(&b':') {
            self.take(1);
            return Token::Colon;
        }
        let hexadecimal = scan::run(rest, |byte| byte.is_ascii_hexdigit());
        let base64 = scan::run(rest, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        });
        self.state = State::Initial;
        let length = hexadecimal.max(base64);
        if length == 0 {
            self.take(1);
            return Token::Error("no digest");
        }
        let text = self.take(length);
        let fits = if hexadecimal == length && length == bytes * 2 {
            true
        } else if text.ends_with(b"=") {
            length == 4 * bytes.div_ceil(3)
        } else {
            length == (4 * bytes).div_ceil(3)
        };
        if fits {
            Token::Digest(scan::plain(text))
        } else {
            Token::Error("a digest of the wrong length")
        }
    }

    /// A command: its path has `length` bytes; what follows up to a sign of sudoers' own are its arguments.
    fn command(&mut self, length: usize) -> Token {
        let text = self.take(length);
        let path = scan::command_path(text);
        // A folder takes no arguments, neither does a command to which Defaults are bound.
        if self.state == State::GotDefs || text.ends_with(b"/") {
            return Token::Command { path, arguments: None };
        }
        let mut arguments: Option<Vec<u8>> = None;
        let mut space = false;
        let mut add = |bytes: &[u8], space: &mut bool| {
            let arguments = arguments.get_or_insert_with(Vec::new);
            if *space && !arguments.is_empty() {
                arguments.push(b' ');
            }
            arguments.extend_from_slice(bytes);
            *space = false;
            arguments.len()
        };
        let mut any = false;
        loop {
            let rest = self.rest();
            let length = scan::run(rest, |byte| {
                !matches!(byte, b'#' | b'\\' | b':' | b',' | b' ' | b'\t' | b'\r' | b'\n')
            });
            match rest {
                _ if scan::blanks(rest) > 0 => {
                    self.take(scan::blanks(rest));
                    space = true;
                }
                _ if scan::continuation(rest).is_some() => {
                    self.take(scan::continuation(rest).unwrap_or(0));
                    self.line += 1;
                    self.continued = true;
                    space = true;
                }
                [b'\\', b'*' | b'?' | b'[' | b']' | b'!' | b'^', ..] => {
                    add(self.take(2), &mut space);
                    any = true;
                }
                [b'\\', b':' | b'\\' | b',' | b'=' | b' ' | b'\t' | b'#', ..] => {
                    self.take(1);
                    add(self.take(1), &mut space);
                    any = true;
                }
                [b'^', ..] if !any => match self.regular_arguments() {
                    Some(bytes) => {
                        add(&bytes, &mut space);
                        break;
                    }
                    None => return Token::Error("unterminated regular expression"),
                },
                [b'=', ..] if length == 1 => break,
                _ if length > 0 => {
                    add(self.take(length), &mut space);
                    any = true;
                }
                [b'#' | b':' | b',' | b'\n', ..] => break,
                // A continuation without a line after it: the command never ends.
                [] => return Token::End,
                // `\r` before a line end, or a backslash before something that needs none.
                _ => {
                    self.take(1);
                    return Token::Error("unexpected character in the arguments of a command");
                }
            }
        }
        self.state = State::Initial;
        let arguments = arguments.map(|bytes| scan::plain(&bytes));
        Token::Command { path, arguments }
    }

    /// Arguments as one regular expression, from `^` to `$`; blanks belong to it.
    fn regular_arguments(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![];
        let mut after_continuation = false;
        loop {
            let rest = self.rest();
            let length = scan::run(rest, |byte| !matches!(byte, b'#' | b'\\' | b'\r' | b'\n' | b'$'));
            match rest {
                [b'$', ..] => {
                    bytes.extend_from_slice(self.take(1));
                    self.continued = false;
                    return Some(bytes);
                }
                _ if length > 0 => {
                    let text = self.take(length);
                    bytes.extend_from_slice(if after_continuation {
                        text.trim_ascii_start()
                    } else {
                        text
                    });
                    after_continuation = false;
                }
                _ if scan::continuation(rest).is_some() => {
                    self.take(scan::continuation(rest).unwrap_or(0));
                    self.line += 1;
                    (self.continued, after_continuation) = (true, true);
                }
                [b'\\', next, ..] if !matches!(next, b'\r' | b'\n') => bytes.extend_from_slice(self.take(2)),
                _ => {
                    self.state = State::Initial;
                    return None;
                }
            }
        }
    }

    /// A string from after its quote to the next one.
    fn string(&mut self, before: State) -> Token {
        let mut bytes = vec![];
        loop {
            let rest = self.rest();
            match rest {
                [b'"', ..] => {
                    self.take(1);
                    break;
                }
                _ if scan::continuation(rest).is_some() => {
                    self.take(scan::continuation(rest).unwrap_or(0));
                    self.take(scan::blanks(self.rest()));
                    self.line += 1;
                    self.continued = true;
                }
                [b'\\', b'"', ..] => {
                    self.take(1);
                    bytes.extend_from_slice(self.take(1));
                }
                // The file ends after a joined line: sudo forgets the string.
                [] => {
                    self.state = State::Initial;
                    return Token::End;
                }
                [b'\n', ..] | [b'\r', b'\n', ..] => {
                    self.state = State::Initial;
                    return Token::Error("unexpected line break in a string");
                }
                _ => bytes.extend_from_slice(self.take(1)),
            }
        }
        self.state = before;
        let text = scan::plain(&bytes);
        let named = matches!(before, State::Initial | State::GotDefs);
        match text.as_str() {
            "" => Token::Error("empty string"),
            "%" | "%:" if named => Token::Error("empty group"),
            "+" if named => Token::Error("empty netgroup"),
            _ if named && text.starts_with('%') => Token::Group(text),
            _ if named && text.starts_with('+') => Token::Netgroup(text),
            _ => Token::Word(text),
        }
    }
}
