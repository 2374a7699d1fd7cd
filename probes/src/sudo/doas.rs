//! doas.conf(5), read as doas reads it (`parse.y`): one mistake, and doas does nothing.

use evidence::facts::Outcome;

use super::facts::{Doas, DoasRule, DoasUser};
use crate::accounts::directory::Directory;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

const PROGRAMS: [&str; 2] = ["/usr/bin/doas", "/usr/local/bin/doas"];
const CONF: &str = "/etc/doas.conf";
/// Read by Alpine's doas beside the file, and by no other.
const FOLDER: &str = "/etc/doas.d";
/// More than a file has that somebody wrote.
const MAX_RULES: usize = 1_000;

/// Reads the rules, if doas is installed.
pub(super) fn read(reading: &Reading<'_>, directory: &Directory<'_>) -> Known<Doas> {
    match find(reading, directory) {
        Ok(found) => found,
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>, directory: &Directory<'_>) -> Result<Known<Doas>, Unread> {
    let mut installed = false;
    for program in PROGRAMS {
        installed |= reading.stat(program)?.is_some();
    }
    if !installed {
        return Ok(not(Outcome::Absent, "doas is not installed"));
    }
    let folder = reading.list(FOLDER)?.unwrap_or_default();
    if folder.iter().any(|entry| entry.name.strip_suffix(".conf").is_some()) {
        let detail = "there are files in /etc/doas.d, and whether this doas reads them is not known";
        return Ok(not(Outcome::Unsupported, detail));
    }
    let bytes = reading.private(CONF, CONF)?.unwrap_or_default();
    Ok(match rules(&bytes) {
        Ok(rules) => Known::Observed(sum(&rules, directory)),
        Err(error) => not(Outcome::Malformed, &format!("{CONF}:{}: {}", error.line, error.reason)),
    })
}

fn not(outcome: Outcome, detail: &str) -> Known<Doas> {
    Known::Not(NotKnown {
        outcome,
        detail: detail.to_owned(),
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
struct Rule {
    line: u32,
    permit: bool,
    /// With `:` if it is a group.
    identity: String,
    target: Option<String>,
    any_command: bool,
    nopass: bool,
    persist: bool,
    keepenv: bool,
    nolog: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mistake {
    line: u32,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word { text: String, quoted: bool },
    Open,
    Close,
}

impl Token {
    /// A keyword is written without quotes.
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word { text, quoted: false } if text == keyword)
    }
}

fn rules(bytes: &[u8]) -> Result<Vec<Rule>, Mistake> {
    let mut rules = vec![];
    for (line, tokens) in lines(bytes)? {
        if !tokens.is_empty() {
            rules.push(rule(line, &tokens).map_err(|reason| Mistake { line, reason })?);
        }
        if rules.len() > MAX_RULES {
            let reason = "too many rules";
            return Err(Mistake { line, reason });
        }
    }
    Ok(rules)
}

/// Tokens line by line, each with the number of the line on which it begins. A backslash joins two lines; braces and
/// quotes do not.
fn lines(bytes: &[u8]) -> Result<Vec<(u32, Vec<Token>)>, Mistake> {
    let mut all = vec![];
    let (mut number, mut begins) = (1, 1);
    let mut tokens = vec![];
    let mut word: Option<(Vec<u8>, bool)> = None;
    let (mut quotes, mut comment) = (false, false);
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let mistake = |reason| Mistake { line: number, reason };
        let end = |word: &mut Option<(Vec<u8>, bool)>, tokens: &mut Vec<Token>| {
            if let Some((text, quoted)) = word.take() {
                let text = String::from_utf8_lossy(&text).into_owned();
                tokens.push(Token::Word { text, quoted });
            }
        };
        match byte {
            b'\n' => {
                if quotes {
                    return Err(mistake("quotes are not closed"));
                }
                comment = false;
                end(&mut word, &mut tokens);
                all.push((begins, std::mem::take(&mut tokens)));
                number += 1;
                begins = number;
            }
            _ if comment => {}
            0 => return Err(mistake("a NUL")),
            b'\\' => match rest.next() {
                Some(b'\n') => number += 1,
                Some(escaped) => word.get_or_insert_default().0.push(escaped),
                None => return Err(mistake("a backslash ends the file")),
            },
            b'"' => {
                quotes = !quotes;
                word.get_or_insert_default().1 = true;
            }
            _ if quotes => word.get_or_insert_default().0.push(byte),
            b' ' | b'\t' => end(&mut word, &mut tokens),
            b'{' | b'}' => {
                end(&mut word, &mut tokens);
                tokens.push(if byte == b'{' { Token::Open } else { Token::Close });
            }
            b'#' if word.is_none() => comment = true,
            _ => word.get_or_insert_default().0.push(byte),
        }
    }
    if quotes || word.is_some() || !tokens.is_empty() {
        let reason = "the last line has no end";
        return Err(Mistake { line: number, reason });
    }
    Ok(all)
}

fn rule(line: u32, tokens: &[Token]) -> Result<Rule, &'static str> {
    let mut rest = tokens.iter().peekable();
    let permit = match rest.next() {
        Some(token) if token.is("permit") => true,
        Some(token) if token.is("deny") => false,
        _ => return Err("neither permit nor deny"),
    };
    let mut rule = Rule {
        line,
        permit,
        identity: String::new(),
        target: None,
        any_command: true,
        nopass: false,
        persist: false,
        keepenv: false,
        nolog: false,
    };
    let mut setenv = false;
    while let Some(token) = rest.next() {
        match token {
            token
                if !permit
                    && ["nopass", "persist", "keepenv", "nolog", "setenv"]
                        .iter()
                        .any(|word| token.is(word)) =>
            {
                return Err("deny takes no options");
            }
            token if token.is("nopass") => rule.nopass = true,
            token if token.is("persist") => rule.persist = true,
            token if token.is("keepenv") => rule.keepenv = true,
            token if token.is("nolog") => rule.nolog = true,
            token if token.is("setenv") => {
                if std::mem::replace(&mut setenv, true) {
                    return Err("setenv twice");
                }
                if rest.next() != Some(&Token::Open) {
                    return Err("{ is missing after setenv");
                }
                loop {
                    match rest.next() {
                        Some(Token::Word { .. }) => {}
                        Some(Token::Close) => break,
                        _ => return Err("} is missing after setenv"),
                    }
                }
            }
            token
                if ["as", "cmd", "args", "permit", "deny"]
                    .iter()
                    .any(|word| token.is(word)) =>
            {
                return Err("a user or group is missing");
            }
            Token::Word { text, .. } => {
                rule.identity.clone_from(text);
                break;
            }
            Token::Open | Token::Close => return Err("a brace without setenv"),
        }
    }
    if rule.identity.is_empty() {
        return Err("a user or group is missing");
    }
    if rule.nopass && rule.persist {
        return Err("nopass and persist together");
    }
    let mut word = |after: &str, missing| match rest.peek() {
        Some(token) if token.is(after) => {
            rest.next();
            match rest.next() {
                Some(Token::Word { text, .. }) => Ok(Some(text.clone())),
                _ => Err(missing),
            }
        }
        _ => Ok(None),
    };
    rule.target = word("as", "a target user is missing")?;
    rule.any_command = word("cmd", "a command is missing")?.is_none();
    match rest.next() {
        None => Ok(rule),
        Some(token) if token.is("args") && !rule.any_command => {
            let words = rest.all(|token| matches!(token, Token::Word { .. }));
            words.then_some(rule).ok_or("a brace among the arguments")
        }
        Some(_) => Err("something follows the rule"),
    }
}

fn sum(rules: &[Rule], directory: &Directory<'_>) -> Doas {
    let mut doas = Doas {
        rules: vec![],
        users: vec![],
        unresolved_subjects: 0,
    };
    // What the last rule for each account says, by its position.
    let mut decided = vec![None; directory.users.len()];
    for rule in rules {
        let (uid, gid, whom) = subjects(&rule.identity, directory);
        if uid.is_none() && gid.is_none() {
            doas.unresolved_subjects += 1;
        }
        let as_root = match &rule.target {
            None => true,
            Some(name) => name == "root" || name == "0" || user(name, directory).is_some_and(|(uid, _)| uid == 0),
        };
        if as_root && rule.any_command {
            for position in whom {
                if let Some(slot) = decided.get_mut(position) {
                    *slot = rule.permit.then_some(rule.nopass);
                }
            }
        }
        doas.rules.push(DoasRule {
            line: rule.line,
            permit: rule.permit,
            uid,
            gid,
            as_root,
            any_command: rule.any_command,
            nopass: rule.nopass,
            persist: rule.persist,
            keepenv: rule.keepenv,
            nolog: rule.nolog,
        });
    }
    for (user, decided) in directory.users.iter().zip(decided) {
        if let Some(nopass) = decided {
            doas.users.push(DoasUser { uid: user.uid, nopass });
        }
    }
    doas.users.order_by_key(|user| (user.uid, !user.nopass));
    doas.users.dedup_by_key(|user| user.uid);
    doas
}

/// Uid, gid, and the positions of the accounts.
fn subjects(identity: &str, directory: &Directory<'_>) -> (Option<u32>, Option<u32>, Vec<usize>) {
    if let Some(group) = identity.strip_prefix(':') {
        let gid = directory.gid(group).or_else(|| group.parse().ok());
        let members = gid.map(|gid| directory.members(gid).to_vec());
        return (None, gid, members.unwrap_or_default());
    }
    match user(identity, directory) {
        Some((uid, positions)) => (Some(uid), None, positions),
        None => (None, None, vec![]),
    }
}

/// doas compares uids: all names of one are the same to it.
fn user(name: &str, directory: &Directory<'_>) -> Option<(u32, Vec<usize>)> {
    let named = directory.named(name).iter().filter_map(|at| directory.users.get(*at));
    let exact = named.into_iter().find(|user| user.name == name).map(|user| user.uid);
    let uid = exact.or_else(|| name.parse().ok())?;
    Some((uid, directory.with_uid(uid).to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::{group, passwd};

    fn read(text: &str) -> Result<Doas, Mistake> {
        let users = passwd::parse(b"root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n");
        let groups = group::parse(b"wheel:x:10:bob\n").unwrap().entries;
        let users = users.unwrap().entries;
        Ok(sum(&rules(text.as_bytes())?, &Directory::new(&users, &groups)))
    }

    fn users(text: &str) -> Vec<(u32, bool)> {
        let users = read(text).unwrap().users;
        users.iter().map(|user| (user.uid, user.nopass)).collect()
    }

    #[test]
    fn the_last_rule_decides() {
        assert_eq!(users("permit :wheel\n"), [(1001, false)]);
        assert_eq!(users("permit nopass bob\ndeny :wheel\n"), []);
        assert_eq!(
            users("permit persist bob as root\npermit nopass 1001\n"),
            [(1001, true)]
        );
        assert_eq!(users("permit nopass alice as bob\n"), []);
        assert_eq!(users("permit nopass alice cmd reboot\n"), []);
        assert_eq!(users("permit \"alice\" \\\n as 0 # all\n"), [(1000, false)]);
        assert_eq!(read("permit ghost\n").unwrap().unresolved_subjects, 1);
        let rule = &read("\n\npermit keepenv nolog setenv { A B=c -D } alice as root cmd ls args -l\n")
            .unwrap()
            .rules[0];
        assert_eq!(
            (rule.line, rule.any_command, rule.keepenv, rule.nolog),
            (3, false, true, true)
        );
    }

    #[test]
    fn one_mistake_and_nothing_is_known() {
        let cases = [
            "permit",
            "allow alice\n",
            "permit alice",
            "permit nopass persist alice\n",
            "permit alice as\n",
            "deny nopass alice\n",
            "permit alice args x\n",
            "permit \"alice\n",
            "permit setenv alice\n",
            "permit alice bob\n",
        ];
        for case in cases {
            assert!(read(case).is_err(), "{case:?}");
        }
        assert_eq!(read("# nothing\n\n").unwrap().rules, []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = rules(&bytes);
        }
    }
}
