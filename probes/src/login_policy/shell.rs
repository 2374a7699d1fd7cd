//! What scripts for shells say about `TMOUT` and umask, read line by line.

use super::defaults::octal;
use super::facts::{Shells, TmoutLine, UmaskLine};
use crate::reading::{Reading, Unread};

/// As bash reads them at a login; the last two by its configuration on Debian and in the RPM family.
const BEFORE: &str = "/etc/profile";
const FOLDER: &str = "/etc/profile.d";
const AFTER: [&str; 2] = ["/etc/bash.bashrc", "/etc/bashrc"];
/// More lines about one thing than a host has; a larger script than somebody wrote is cut there.
const MAX_LINES: usize = 100;

/// A file that shells read, and what is in it.
pub(super) struct Script {
    pub(super) path: String,
    pub(super) text: String,
}

/// Those of all shells that are there, in the order in which bash reads them at a login.
pub(super) fn scripts(reading: &Reading<'_>) -> Result<Vec<Script>, Unread> {
    let mut paths = vec![BEFORE.to_owned()];
    for entry in reading.list(FOLDER)?.unwrap_or_default() {
        if entry.name.strip_suffix(".sh").is_some() {
            paths.push(format!("{FOLDER}/{}", entry.name));
        }
    }
    paths.extend(AFTER.map(str::to_owned));
    let mut scripts = vec![];
    for path in paths {
        if let Some(bytes) = reading.file(&path)? {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            scripts.push(Script { path, text });
        }
    }
    Ok(scripts)
}

pub(super) fn read(scripts: &[Script]) -> Shells {
    let mut shells = Shells {
        tmout: vec![],
        umask: vec![],
        tmout_seconds: None,
        tmout_readonly: false,
        tmout_exported: false,
        last_umask: None,
        files: vec![],
    };
    for Script { path, text } in scripts {
        commands_of(text, &mut |words, line, conditional| {
            command_about(words, path, line, conditional, &mut shells);
        });
        shells.files.push(path.clone());
    }
    sum(&mut shells);
    shells
}

fn sum(shells: &mut Shells) {
    for line in shells.tmout.iter().filter(|line| !line.conditional) {
        // What is readonly stays as it is.
        if !shells.tmout_readonly {
            shells.tmout_seconds = line.seconds.or(shells.tmout_seconds);
        }
        shells.tmout_readonly |= line.readonly;
        shells.tmout_exported |= line.exported;
    }
    let last = shells.umask.iter().rev().find(|line| !line.conditional);
    shells.last_umask = last.and_then(|line| line.mask.clone());
}

/// Words that begin something whose commands need not run, and those that end it.
const OPENING: [&str; 7] = ["if", "for", "while", "until", "case", "select", "{"];
const CLOSING: [&str; 4] = ["fi", "done", "esac", "}"];
/// Words before a command.
const LEADING: [&str; 5] = ["then", "else", "elif", "do", "!"];

/// Calls `with` for each command of a script: its words, the number of its line from 1, and whether it stands within a
/// condition, a loop or a function, or after `&&` or `||`.
pub(super) fn commands_of(text: &str, with: &mut dyn FnMut(&[String], u32, bool)) {
    let mut depth = 0_usize;
    let mut here_document: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(end) = &here_document {
            if line.trim() == end {
                here_document = None;
            }
            continue;
        }
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        here_document = here_document_of(line);
        for (mut words, after_and_or) in commands(line) {
            let mut leading = 0;
            while let Some(word) = words.get(leading) {
                if word == "function" {
                    // The name, before the brace.
                    leading += 1;
                } else if OPENING.contains(&word.as_str()) {
                    depth += 1;
                } else if CLOSING.contains(&word.as_str()) {
                    depth = depth.saturating_sub(1);
                } else if !LEADING.contains(&word.as_str()) && !word.ends_with("()") {
                    break;
                }
                leading += 1;
            }
            words.drain(..leading.min(words.len()));
            with(&words, number, depth > 0 || after_and_or);
        }
    }
}

fn here_document_of(line: &str) -> Option<String> {
    let (_, after) = line.split_once("<<")?;
    if after.starts_with('<') {
        return None;
    }
    let word = after.trim_start_matches('-').split_whitespace().next()?;
    Some(word.trim_matches(['\'', '"', '\\']).to_owned())
}

/// The commands of a line as words, each with whether `&&` or `||` precedes it. Quotes keep blanks and separators together.
fn commands(line: &str) -> Vec<(Vec<String>, bool)> {
    let mut commands = vec![];
    let (mut words, mut word) = (vec![], None::<String>);
    let (mut quote, mut conditional) = (None, false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ';') => {
                words.extend(word.take());
                commands.push((std::mem::take(&mut words), std::mem::take(&mut conditional)));
            }
            (None, '&' | '|') if letters.peek() == Some(&letter) => {
                letters.next();
                words.extend(word.take());
                commands.push((std::mem::take(&mut words), conditional));
                conditional = true;
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    commands.push((words, conditional));
    commands
}

/// The assignments of a command: its words that are `NAME=VALUE` or, after a word such as `export`, a name alone.
pub(super) fn assignments(words: &[String]) -> &[String] {
    match words.split_first() {
        Some((first, rest))
            if ["readonly", "export", "declare", "typeset", "local", "unset"].contains(&first.as_str()) =>
        {
            rest
        }
        Some(_) if words.iter().all(|word| word.contains('=')) => words,
        // An assignment before a command is for that command alone.
        _ => &[],
    }
}

/// The mask that a call of `umask` sets: `None` if it is no such call.
pub(super) fn umask(words: &[String], path: &str, line: u32, conditional: bool) -> Option<UmaskLine> {
    let (first, rest) = words.split_first()?;
    let mut rest = rest
        .iter()
        .filter(|word| !word.starts_with('-') && !word.contains(['>', '<']));
    let mask = rest.next().filter(|_| first == "umask")?;
    Some(UmaskLine {
        path: path.to_owned(),
        line,
        mask: octal(mask),
        conditional,
    })
}

fn command_about(words: &[String], path: &str, line: u32, conditional: bool, shells: &mut Shells) {
    if let Some(umask) = umask(words, path, line, conditional) {
        if shells.umask.len() < MAX_LINES {
            shells.umask.push(umask);
        }
        return;
    }
    let assignments = assignments(words);
    let declares = assignments.len() < words.len();
    let first = words.first().map_or("", String::as_str);
    let option = |letter: char| {
        let mut options = assignments.iter().filter(|word| word.starts_with('-'));
        matches!(first, "declare" | "typeset" | "local") && options.any(|option| option.contains(letter))
    };
    let readonly = first == "readonly" || option('r');
    let exported = first == "export" || option('x');
    for word in assignments {
        let (name, value) = word
            .split_once('=')
            .map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        if name != "TMOUT" || shells.tmout.len() >= MAX_LINES {
            continue;
        }
        // Alone, a name does nothing but after one of the words above.
        if value.is_none() && !declares {
            continue;
        }
        // A declaration that sets what is readonly fails as a whole; `export` and `readonly` do the rest of their work.
        let fixed = shells.tmout.iter().any(|line| line.readonly && !line.conditional);
        let fails = fixed && value.is_some() && matches!(first, "declare" | "typeset");
        shells.tmout.push(TmoutLine {
            path: path.to_owned(),
            line,
            seconds: value.and_then(|value| value.parse::<u32>().ok()).map(i64::from),
            readonly: readonly && !fails,
            exported: exported && !fails,
            conditional,
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn shells(text: &str) -> Shells {
        read(&scripts(&testing(&Captured::default().file("/etc/profile.d/a.sh", text))).unwrap())
    }

    #[test]
    fn ways_to_set_the_limit() {
        let sum = |text: &str| {
            let shells = shells(text);
            (shells.tmout_seconds, shells.tmout_readonly, shells.tmout_exported)
        };
        assert_eq!(
            sum("TMOUT=900\nreadonly TMOUT\nexport TMOUT\n"),
            (Some(900), true, true)
        );
        assert_eq!(sum("declare -xr TMOUT=600 # x\n"), (Some(600), true, true));
        assert_eq!(sum("readonly TMOUT=900 ; export TMOUT\n"), (Some(900), true, true));
        assert_eq!(sum("export TMOUT=\"300\"\n"), (Some(300), false, true));
        assert_eq!(sum("# TMOUT=900\necho TMOUT\n"), (None, false, false));
        assert_eq!(sum("readonly TMOUT=900\nTMOUT=0\n"), (Some(900), true, false));
        assert_eq!(sum("cat <<EOF\nTMOUT=1\nEOF\n"), (None, false, false));
        let conditional = shells(
            "if [ -n \"$PS1\" ]; then\n  TMOUT=900\nfi\n[ a ] && umask 002\nf() {\numask 0\n}\numask 027; umask -S\n",
        );
        assert!(
            conditional.tmout[0].conditional && conditional.umask[0].conditional && conditional.umask[1].conditional
        );
        assert_eq!(
            (conditional.tmout_seconds, conditional.last_umask.as_deref()),
            (None, Some("0027"))
        );
        assert_eq!(shells("umask u=rwx,g=rx,o=\n").umask[0].mask, None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            shells(&text);
        }

        #[test]
        fn any_script_is_read_without_panic(words in proptest::collection::vec("(if|then|fi|\\{|\\}|;|&&|\\|\\||\n|TMOUT=1|readonly|umask|077|'|\"|<<|E)", 0..40)) {
            shells(&words.join(" "));
        }
    }
}
