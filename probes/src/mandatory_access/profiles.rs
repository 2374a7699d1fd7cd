//! Profiles of `AppArmor` on disk (apparmor.d(5)): their names and modes, which is what apparmor.service loads at boot.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::ProfilesOnDisk;
use crate::order::IntoMap as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

const FOLDER: &str = "/etc/apparmor.d";
const MAX_FILES: usize = 5_000;
const MAX_DEPTH: usize = 50;
/// Flags that are modes; without one it is `enforce`.
const MODES: [&str; 5] = ["complain", "kill", "unconfined", "prompt", "default_allow"];
/// Files that apparmor_parser(8) passes over.
const PASSED: [&str; 12] = [
    ".dpkg-bak",
    ".dpkg-dist",
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-remove",
    ".orig",
    ".pacnew",
    ".pacsave",
    ".rej",
    ".rpmnew",
    ".rpmsave",
    "~",
];

type Profiles = BTreeMap<String, Profile>;

/// A profile as its file has it.
struct Profile {
    mode: String,
    /// The pattern of the programs that it is for, variables as they are written.
    attachment: Option<String>,
}

/// What the files have.
pub(super) struct Files {
    own: Profiles,
    unparsed: Vec<String>,
}

impl Files {
    /// What `disabled` takes away is left out.
    pub(super) fn read(reading: &Reading<'_>, disabled: &Known<Vec<String>>) -> Known<Self> {
        let disabled = match disabled {
            Known::Observed(names) => names.as_slice(),
            Known::Not(why) if why.outcome == Outcome::Absent => &[],
            Known::Not(why) => return Known::Not(why.clone()),
        };
        let mut unparsed = vec![];
        match read(reading, disabled, &mut unparsed) {
            Ok(Some(own)) => Known::Observed(Self { own, unparsed }),
            Ok(None) => Known::absent(format!("{FOLDER} is not there")),
            Err(unread) => Known::unread(&unread),
        }
    }

    /// The programs that a profile is for.
    pub(super) fn attachment(&self, name: &str) -> Option<&str> {
        self.own.get(name)?.attachment.as_deref()
    }

    /// `loaded`: names by mode.
    pub(super) fn beside(&self, loaded: &Known<BTreeMap<String, Vec<String>>>) -> ProfilesOnDisk {
        let mut profiles: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, profile) in &self.own {
            profiles.entry(profile.mode.clone()).or_default().push(name.clone());
        }
        let compared = loaded.map(|loaded| compare(&self.own, loaded));
        ProfilesOnDisk {
            profiles,
            unparsed: self.unparsed.clone(),
            not_loaded: compared.map(|(not_loaded, _, _)| not_loaded.clone()),
            loaded_in_other_mode: compared.map(|(_, otherwise, _)| otherwise.clone()),
            loaded_alone: compared.map(|(_, _, alone)| alone.clone()),
        }
    }
}

fn compare(own: &Profiles, loaded: &BTreeMap<String, Vec<String>>) -> (Vec<String>, Vec<String>, Vec<String>) {
    let now: BTreeMap<&str, &str> = loaded
        .iter()
        .flat_map(|(mode, names)| names.iter().map(|name| (name.as_str(), mode.as_str())))
        .into_map();
    let (mut not_loaded, mut otherwise) = (vec![], vec![]);
    for (name, profile) in own.iter().filter(|(name, _)| !name.contains("@{")) {
        match now.get(name.as_str()) {
            None => not_loaded.push(name.clone()),
            Some(other) if *other != profile.mode => otherwise.push(name.clone()),
            Some(_) => {}
        }
    }
    let alone = now.keys().filter(|name| !own.contains_key(**name));
    (not_loaded, otherwise, alone.map(|name| (*name).to_owned()).collect())
}

fn read(reading: &Reading<'_>, disabled: &[String], unparsed: &mut Vec<String>) -> Result<Option<Profiles>, Unread> {
    let Some(entries) = reading.list(FOLDER)? else {
        return Ok(None);
    };
    let mut all = Profiles::new();
    for entry in entries.into_iter().take(MAX_FILES) {
        let name = entry.name;
        let passed = name.starts_with('.') || name == "README" || PASSED.iter().any(|end| name.ends_with(end));
        let path = format!("{FOLDER}/{name}");
        let is_file = reading.stat(&path)?.is_some_and(|stat| stat.kind == Kind::File);
        if passed || !is_file || disabled.contains(&name) {
            continue;
        }
        let bytes = reading.file(&path)?.unwrap_or_default();
        let Some(found) = parse(&String::from_utf8_lossy(&bytes)) else {
            unparsed.push(path);
            continue;
        };
        let complain = reading.stat(&format!("{FOLDER}/force-complain/{name}"))?.is_some();
        all.extend(found.into_iter().map(|(name, mut profile)| {
            if complain {
                "complain".clone_into(&mut profile.mode);
            }
            (name, profile)
        }));
    }
    Ok(Some(all))
}

/// What a `{` opened.
enum Opened {
    Profile(String),
    Block,
}

/// `None` if brackets do not match.
fn parse(text: &str) -> Option<Vec<(String, Profile)>> {
    let mut profiles = vec![];
    let mut stack: Vec<Opened> = vec![];
    let mut header: Vec<String> = vec![];
    for token in tokens(text) {
        match token {
            Token::Word(word) => header.push(word),
            Token::End => header.clear(),
            Token::Open => {
                let parent = stack.iter().rev().find_map(|opened| match opened {
                    Opened::Profile(name) => Some(name.as_str()),
                    Opened::Block => None,
                });
                let opened = match profile(&header, parent) {
                    Some((name, profile)) => {
                        profiles.push((name.clone(), profile));
                        Opened::Profile(name)
                    }
                    None => Opened::Block,
                };
                header.clear();
                stack.push(opened);
                if stack.len() > MAX_DEPTH {
                    return None;
                }
            }
            Token::Close => {
                header.clear();
                stack.pop()?;
            }
        }
    }
    stack.is_empty().then_some(profiles)
}

/// `profile NAME …`, `hat NAME …`, `^NAME …`, or `NAME …` outside of any.
fn profile(header: &[String], parent: Option<&str>) -> Option<(String, Profile)> {
    let (name, rest) = match header {
        [word, name, rest @ ..] if matches!(word.as_str(), "profile" | "hat") => (name.as_str(), rest),
        [name, rest @ ..] if name.starts_with('^') => (name.get(1..)?, rest),
        [name, rest @ ..] if parent.is_none() && name != "if" => (name.as_str(), rest),
        _ => return None,
    };
    // A name that is a path says both.
    let attachment = rest.first().map(String::as_str).filter(|word| is_pattern(word));
    let attachment = attachment
        .or_else(|| is_pattern(name).then_some(name))
        .map(str::to_owned);
    let name = match (parent, name.strip_prefix(':').and_then(|rest| rest.split_once(':'))) {
        (Some(parent), _) => format!("{parent}//{name}"),
        (None, Some((space, name))) => format!(":{space}://{}", name.trim_start_matches("//")),
        (None, None) => name.to_owned(),
    };
    let mut rest = rest.join(" ");
    if let Some((before, after)) = rest.split_once("xattrs") {
        rest = format!("{before}{}", after.split_once(')').map_or("", |(_, after)| after));
    }
    let flags = rest.split_once('(').and_then(|(_, flags)| flags.split_once(')'));
    let flags = flags.map_or("", |(flags, _)| flags);
    let mode = flags
        .split([',', ' ', '\t', '\n'])
        .find(|flag| MODES.contains(flag))
        .unwrap_or("enforce");
    let mode = mode.to_owned();
    Some((name, Profile { mode, attachment }))
}

fn is_pattern(word: &str) -> bool {
    word.starts_with('/') || word.starts_with("@{")
}

enum Token {
    Word(String),
    /// The comma at the end of a rule.
    End,
    Open,
    Close,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = vec![];
    for line in text.lines() {
        let line = line.trim();
        // These have no comma at their end.
        let whole = ["include", "#", "$"].iter().any(|begin| line.starts_with(begin))
            || (line.starts_with("@{") && line.contains('='));
        if !whole {
            words(line, &mut tokens);
        }
    }
    tokens
}

fn words(line: &str, tokens: &mut Vec<Token>) {
    let mut letters = line.chars().peekable();
    let mut word = String::new();
    while let Some(letter) = letters.next() {
        let ends = letters.peek().is_none_or(|next| next.is_whitespace());
        match letter {
            '#' if word.is_empty() => break,
            '"' => word.extend(letters.by_ref().take_while(|next| *next != '"')),
            '(' => {
                word.push('(');
                for next in letters.by_ref() {
                    word.push(next);
                    if next == ')' {
                        break;
                    }
                }
            }
            '{' if word.is_empty() || word.ends_with(')') => {
                push(&mut word, tokens);
                tokens.push(Token::Open);
            }
            '}' if word.is_empty() => tokens.push(Token::Close),
            ',' if ends => {
                push(&mut word, tokens);
                tokens.push(Token::End);
            }
            _ if letter.is_whitespace() => push(&mut word, tokens),
            _ => word.push(letter),
        }
    }
    push(&mut word, tokens);
}

fn push(word: &mut String, tokens: &mut Vec<Token>) {
    if !word.is_empty() {
        tokens.push(Token::Word(std::mem::take(word)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> String {
        let found = parse(text).unwrap().into_iter();
        let line = |(name, profile): (String, Profile)| match profile.attachment {
            Some(attachment) if attachment != name => format!("{name} {} {attachment}\n", profile.mode),
            _ => format!("{name} {}\n", profile.mode),
        };
        found.map(line).collect()
    }

    #[test]
    fn names_and_modes() {
        let text = "abi <abi/3.0>,\ninclude <tunables/global>\n@{exe}=/usr/bin/a /usr/bin/b\n\
            profile \"with blank\" /usr/bin/x flags=(attach_disconnected, complain) {\n  /usr/{bin,sbin}/x rix,\n\
            \x20 include if exists <local/x>\n  profile child xattrs=(user.a=complain) flags=(kill){\n  }\n  ^hat {}\n\
            \x20 hat two (unconfined) { /x r, }\n  owner { /{a, r, }\n  # profile no {\n  audit deny /y w,\n}\n\
            /usr/bin/a{b,c}\n{ }\n:ns:own flags = ( complain ) { }\n";
        assert_eq!(
            told(text),
            "with blank complain /usr/bin/x\nwith blank//child kill\nwith blank//hat enforce\nwith blank//two unconfined\n\
             /usr/bin/a{b,c} enforce\n:ns://own complain\n"
        );
        assert!(parse("profile a {\n").is_none() && parse("}\n").is_none());
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[a-z{}()\"#^:@$=, \\n]{0,200}") {
            let _ = parse(&text);
        }
    }
}
