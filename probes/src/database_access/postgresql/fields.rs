//! Fields of `pg_hba.conf`, cut as the server does.
//!
//! Source: the manual, *The `pg_hba.conf` File*; compared with PostgreSQL 15 in `probes/tests/database_access_authority.rs`.

use super::conf;
use crate::database_access::file::Files;
use crate::reading::Unread;

/// As the server has it since PostgreSQL 16.
const MAX_DEPTH: usize = 10;
/// More lines than anybody has are refused.
const MAX_LINES: usize = 5_000;
/// More names in one line, those of its files included, are refused.
const MAX_NAMES: usize = 20_000;
/// What a name can have before PostgreSQL 16, bytes.
const MAX_TOKEN: usize = 255;

/// A name or word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Whether it begins with a quote: then it is no keyword.
    pub(super) quoted: bool,
}

impl Token {
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

/// A line with something in it.
pub(super) struct Line {
    pub(super) file: String,
    /// From 1: where it begins.
    pub(super) number: usize,
    pub(super) fields: Result<Vec<Vec<Token>>, String>,
}

/// Reads the files; `major` is the server's version, if it is known.
pub(super) struct Fields<'f, 'r, 'h> {
    pub(super) files: &'f mut Files<'r, 'h>,
    pub(super) major: u32,
    pub(super) lines: Vec<Line>,
}

impl Fields<'_, '_, '_> {
    /// Adds the lines of a file, and of those that it includes.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8], depth: usize) -> Result<(), Unread> {
        for (number, text) in self.whole_lines(bytes) {
            if self.lines.len() >= MAX_LINES {
                return Err(self.files.malformed(path, format!("more than {MAX_LINES} lines")));
            }
            let fields = self.fields(path, &text, depth)?;
            let directive = match &fields {
                Ok(fields) if self.major >= 16 => directive(fields),
                _ => None,
            };
            if let Some((name, to)) = directive {
                let to = conf::beside(path, &to);
                if let Err(reason) = self.include(&name, &to, depth + 1)? {
                    self.push(path, number, Err(reason));
                }
            } else if fields.as_ref().map_or(true, |fields| !fields.is_empty()) {
                self.push(path, number, fields);
            }
        }
        Ok(())
    }

    fn push(&mut self, path: &str, number: usize, fields: Result<Vec<Vec<Token>>, String>) {
        let file = crate::database_access::file::shown(path);
        self.lines.push(Line { file, number, fields });
    }

    fn include(&mut self, name: &str, path: &str, depth: usize) -> Result<Result<(), String>, Unread> {
        if depth > MAX_DEPTH {
            return Ok(Err("files include each other more than 10 deep".to_owned()));
        }
        let listed = if name == "include_dir" {
            let Some(listed) = conf::folder(self.files, path)? else {
                return Ok(Err("it includes a folder that is not there".to_owned()));
            };
            listed
        } else {
            vec![path.to_owned()]
        };
        for file in listed {
            match self.files.bytes(&file)? {
                Some(bytes) => self.add(&file, &bytes, depth)?,
                None if name == "include" => return Ok(Err("it includes a file that is not there".to_owned())),
                None => {}
            }
        }
        Ok(Ok(()))
    }

    /// Lines, those joined that end in a backslash, with the number of the first.
    fn whole_lines(&self, bytes: &[u8]) -> Vec<(usize, String)> {
        let mut whole: Vec<(usize, String)> = vec![];
        let mut joined = None;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches('\r');
            // What was before a nought is all that the server sees of a line.
            let line = line.split('\0').next().unwrap_or_default();
            match (joined, whole.last_mut()) {
                (Some(_), Some((_, last))) => last.push_str(line),
                _ => whole.push((index + 1, line.to_owned())),
            }
            let Some((_, last)) = whole.last_mut() else { continue };
            let goes_on = self.major >= 14 && last.len() > joined.unwrap_or(0) && last.ends_with('\\');
            joined = goes_on.then(|| {
                last.pop();
                last.len()
            });
        }
        whole
    }

    /// The fields of a line, each of them a list.
    fn fields(&mut self, path: &str, text: &str, depth: usize) -> Result<Result<Vec<Vec<Token>>, String>, Unread> {
        let mut rest = text;
        let (mut fields, mut names) = (vec![], 0);
        while !rest.is_empty() {
            let mut field = vec![];
            while let Some((token, comma)) = self.token(&mut rest) {
                match token
                    .text
                    .strip_prefix('@')
                    .filter(|to| !token.quoted && !to.is_empty())
                {
                    Some(to) => {
                        let to = conf::beside(path, to);
                        if depth >= MAX_DEPTH {
                            return Ok(Err("files include each other more than 10 deep".to_owned()));
                        }
                        let Some(bytes) = self.files.bytes(&to)? else {
                            return Ok(Err("it includes a file that is not there".to_owned()));
                        };
                        for (_, line) in self.whole_lines(&bytes) {
                            match self.fields(&to, &line, depth + 1)? {
                                Ok(more) => field.extend(more.into_iter().flatten()),
                                Err(reason) => return Ok(Err(reason)),
                            }
                        }
                    }
                    None => field.push(token),
                }
                if names + field.len() > MAX_NAMES {
                    return Ok(Err("more than 20,000 names".to_owned()));
                }
                if !comma {
                    break;
                }
            }
            names += field.len();
            if !field.is_empty() {
                fields.push(field);
            }
        }
        Ok(Ok(fields))
    }

    /// The next token, and whether a comma ends it.
    fn token(&self, rest: &mut &str) -> Option<(Token, bool)> {
        let blank = |character: char| matches!(character, ' ' | '\t' | '\r');
        let begins = rest.trim_start_matches(|character| blank(character) || character == ',');
        let mut text = String::new();
        let (mut in_quote, mut was_quote, mut saw_quote, mut quoted) = (false, false, false, false);
        let mut comma = false;
        let mut end = begins.len();
        for (at, character) in begins.char_indices() {
            if !in_quote && blank(character) {
                end = at;
                break;
            }
            if !in_quote && character == '#' {
                break;
            }
            if self.major < 16 && text.len() >= MAX_TOKEN {
                *rest = "";
                return None;
            }
            if !in_quote && character == ',' {
                (comma, end) = (true, at + 1);
                break;
            }
            if character != '"' || was_quote {
                text.push(character);
            }
            was_quote = in_quote && character == '"' && !was_quote;
            if character == '"' {
                (in_quote, saw_quote) = (!in_quote, true);
                quoted |= text.is_empty();
            }
        }
        *rest = begins.get(end..).unwrap_or_default();
        (saw_quote || !text.is_empty()).then_some((Token { text, quoted }, comma))
    }
}

/// `include`, `include_dir` or `include_if_exists` with its path.
fn directive(fields: &[Vec<Token>]) -> Option<(String, String)> {
    let [name, path] = fields else { return None };
    let (name, path) = (name.first()?, path.first()?);
    let known = ["include", "include_dir", "include_if_exists"].contains(&name.text.as_str());
    known.then(|| (name.text.clone(), path.text.clone()))
}
