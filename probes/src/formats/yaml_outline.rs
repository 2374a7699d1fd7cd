//! The part of YAML that configuration files are written in: mappings and sequences by indentation, plain and quoted
//! scalars, flow sequences and mappings on one line, and block scalars. Anchors, aliases, tags, several documents and
//! scalars over several lines are said to be unknown, never guessed.
//!
//! Source: YAML 1.2.2; booleans as YAML 1.1 has them too (`yes`, `on`), since Go's and Ruby's readers do.

mod scalar;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::reading::{Reading, Unread};

/// Deeper nesting is refused.
const MAX_DEPTH: usize = 50;
/// More lines are refused.
const MAX_LINES: usize = 50_000;

/// What cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct OutlineError {
    /// From 1.
    pub line: usize,
    /// What is wrong, without what stands there.
    pub reason: &'static str,
}

struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

/// The value of a text; numbers that are no integers stay strings. An empty text is null.
pub fn parse(text: &str) -> Result<Value, OutlineError> {
    let mut lines = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let error = |reason| OutlineError {
            line: index + 1,
            reason,
        };
        if index >= MAX_LINES {
            return Err(error("more than 50,000 lines"));
        }
        let content = scalar::uncommented(raw);
        let text = content.trim_start_matches(' ');
        match text {
            "" => {}
            "---" if lines.is_empty() => {}
            "---" => return Err(error("a second document")),
            "..." => break,
            _ if raw.starts_with('%') || text.starts_with("--- ") => return Err(error("a directive or tag")),
            _ if text.starts_with('\t') => return Err(error("indented by a tab")),
            _ => lines.push(Line {
                number: index + 1,
                indent: content.len() - text.len(),
                text,
            }),
        }
    }
    let mut outline = Outline { lines, at: 0 };
    let Some(first) = outline.lines.first() else {
        return Ok(Value::Null);
    };
    let indent = first.indent;
    let value = outline.block(indent, 0)?;
    match outline.lines.get(outline.at) {
        None => Ok(value),
        Some(line) => Err(OutlineError {
            line: line.number,
            reason: "indented otherwise than what it belongs to",
        }),
    }
}

/// The value of a file.
pub fn read(reading: &Reading<'_>, path: &str) -> Result<Option<Value>, Unread> {
    let Some(text) = reading.text(path)? else {
        return Ok(None);
    };
    let malformed = |error: OutlineError| Unread::Malformed {
        place: path.to_owned(),
        reason: error.to_string(),
    };
    parse(&text).map(Some).map_err(malformed)
}

struct Outline<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
}

impl<'a> Outline<'a> {
    fn error(&self, reason: &'static str) -> OutlineError {
        let line = self.lines.get(self.at).or(self.lines.last());
        OutlineError {
            line: line.map_or(0, |line| line.number),
            reason,
        }
    }

    /// What begins at the current line, which is indented by `indent`.
    fn block(&mut self, indent: usize, depth: usize) -> Result<Value, OutlineError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested more than 50 deep"));
        }
        let Some(line) = self.lines.get(self.at) else {
            return Ok(Value::Null);
        };
        if is_item(line.text) {
            self.sequence(indent, depth)
        } else if scalar::key(line.text).is_some() {
            self.mapping(indent, depth)
        } else {
            let value = scalar::value(line.text).map_err(|reason| self.error(reason))?;
            self.at += 1;
            Ok(value)
        }
    }

    fn sequence(&mut self, indent: usize, depth: usize) -> Result<Value, OutlineError> {
        let mut items = vec![];
        while let Some(line) = self.lines.get_mut(self.at) {
            if line.indent != indent || !is_item(line.text) {
                break;
            }
            let rest = line.text.get(1..).unwrap_or_default();
            let inner = rest.trim_start();
            if inner.is_empty() {
                self.at += 1;
                items.push(self.nested(indent + 1, depth)?);
            } else if is_item(inner) || scalar::key(inner).is_some() {
                // What follows the dash is a block of its own, indented by where it begins.
                let begins = indent + 1 + (rest.len() - inner.len());
                line.indent = begins;
                line.text = inner;
                items.push(self.block(begins, depth + 1)?);
            } else {
                items.push(self.scalar_or_text(inner, indent)?);
            }
        }
        Ok(Value::Array(items))
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Result<Value, OutlineError> {
        let mut entries = Map::new();
        while let Some(line) = self.lines.get(self.at) {
            if line.indent != indent || is_item(line.text) {
                break;
            }
            let Some((key, rest)) = scalar::key(line.text) else {
                return Err(self.error("neither a key nor an item"));
            };
            if entries.contains_key(&key) {
                return Err(self.error("a key for the second time"));
            }
            let value = if rest.is_empty() {
                self.at += 1;
                let item = self
                    .lines
                    .get(self.at)
                    .filter(|next| next.indent == indent && is_item(next.text));
                // Items may stand as far left as their key.
                if item.is_some() {
                    self.sequence(indent, depth + 1)?
                } else {
                    self.nested(indent + 1, depth)?
                }
            } else {
                self.scalar_or_text(rest, indent)?
            };
            entries.insert(key, value);
        }
        Ok(Value::Object(entries))
    }

    /// A block indented by `least` or more, or null.
    fn nested(&mut self, least: usize, depth: usize) -> Result<Value, OutlineError> {
        match self.lines.get(self.at) {
            Some(line) if line.indent >= least => self.block(line.indent, depth + 1),
            _ => Ok(Value::Null),
        }
    }

    /// The value on the current line, or the block scalar that begins there.
    fn scalar_or_text(&mut self, text: &'a str, indent: usize) -> Result<Value, OutlineError> {
        if text.starts_with(['|', '>']) {
            self.at += 1;
            let mut lines = vec![];
            while let Some(line) = self.lines.get(self.at).filter(|line| line.indent > indent) {
                lines.push(line.text);
                self.at += 1;
            }
            return Ok(Value::String(lines.join("\n")));
        }
        let value = scalar::value(text).map_err(|reason| self.error(reason))?;
        self.at += 1;
        match self.lines.get(self.at) {
            Some(line) if line.indent > indent => Err(self.error("a value over several lines")),
            _ => Ok(value),
        }
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

#[cfg(test)]
mod tests;
