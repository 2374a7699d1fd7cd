//! What stands on one line: keys, scalars, flow sequences and mappings.

use serde_json::{Map, Value};

/// Deeper nesting on one line is refused.
const MAX_DEPTH: usize = 20;

/// A line without its comment and without blanks at its end.
pub(super) fn uncommented(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or_default().trim_end(),
            // A quote opens a scalar only where one can begin.
            (None, '"' | '\'') if before.is_whitespace() || "[{,:".contains(before) => quote = Some(character),
            (Some(open), _) if character == open && before != '\\' => quote = None,
            _ => {}
        }
        before = character;
    }
    line.trim_end()
}

/// The key that a line begins with, and what comes after its colon.
pub(super) fn key(text: &str) -> Option<(String, &str)> {
    if text.starts_with(['"', '\'']) {
        let (key, rest) = quoted(text).ok()?;
        let rest = rest.trim_start().strip_prefix(':')?;
        return (rest.is_empty() || rest.starts_with(' ')).then(|| (key, rest.trim()));
    }
    if text.starts_with(['[', '{', '&', '*', '!', '|', '>', '?', '@', '`']) {
        return None;
    }
    let at = match text.find(": ") {
        Some(at) => at,
        None => text.strip_suffix(':')?.len(),
    };
    let rest = text.get(at + 1..)?.trim();
    Some((text.get(..at)?.trim_end().to_owned(), rest))
}

/// The value that is all of `text`.
pub(super) fn value(text: &str) -> Result<Value, &'static str> {
    let (value, rest) = flow(text.trim(), false, 0)?;
    if rest.trim().is_empty() {
        Ok(value)
    } else {
        Err("something after the value")
    }
}

/// A value, and what comes after it. `inside` a flow sequence or mapping a plain scalar ends at `,`, `]` and `}`.
fn flow(text: &str, inside: bool, depth: usize) -> Result<(Value, &str), &'static str> {
    if depth > MAX_DEPTH {
        return Err("nested more than 20 deep on one line");
    }
    match text.chars().next() {
        Some('[') => items(text.get(1..).unwrap_or_default(), depth),
        Some('{') => entries(text.get(1..).unwrap_or_default(), depth),
        Some('"' | '\'') => quoted(text).map(|(text, rest)| (Value::String(text), rest)),
        Some('&' | '*' | '!' | '?' | '@' | '`' | '%' | '|' | '>') => Err("an anchor, alias, tag or the like"),
        _ => {
            let end = if inside { text.find([',', ']', '}']) } else { None };
            let end = end.unwrap_or(text.len());
            let word = text.get(..end).unwrap_or_default().trim();
            if !inside && (word.contains(": ") || word.ends_with(':')) {
                return Err("a mapping within a value");
            }
            Ok((plain(word), text.get(end..).unwrap_or_default()))
        }
    }
}

fn items(mut rest: &str, depth: usize) -> Result<(Value, &str), &'static str> {
    const OPEN: &str = "a flow sequence that does not end on its line";
    let mut items = vec![];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(']') {
            return Ok((Value::Array(items), after));
        }
        if rest.is_empty() {
            return Err(OPEN);
        }
        let (item, after) = flow(rest, true, depth + 1)?;
        items.push(item);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.starts_with(']') => after,
            None => return Err(OPEN),
        };
    }
}

fn entries(mut rest: &str, depth: usize) -> Result<(Value, &str), &'static str> {
    const OPEN: &str = "a flow mapping that does not end on its line";
    let mut entries = Map::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((Value::Object(entries), after));
        }
        let (key, after) = if rest.starts_with(['"', '\'']) {
            let (key, after) = quoted(rest)?;
            (key, after.trim_start().strip_prefix(':').ok_or(OPEN)?)
        } else {
            let (key, after) = rest.split_once(':').ok_or(OPEN)?;
            if key.contains([',', '{', '}', '[', ']']) {
                return Err("a flow mapping with a key without a value");
            }
            (key.trim().to_owned(), after)
        };
        let (value, after) = flow(after.trim_start(), true, depth + 1)?;
        if entries.insert(key, value).is_some() {
            return Err("a key for the second time");
        }
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.starts_with('}') => after,
            None => return Err(OPEN),
        };
    }
}

fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut characters = text.char_indices();
    let Some((_, quote)) = characters.next() else {
        return Err("no quote");
    };
    let mut out = String::new();
    while let Some((at, character)) = characters.next() {
        let rest = || text.get(at + 1..).unwrap_or_default();
        match character {
            '\'' if quote == '\'' && rest().starts_with('\'') => {
                characters.next();
                out.push('\'');
            }
            _ if character == quote => return Ok((out, rest())),
            '\\' if quote == '"' => match characters.next().map(|(_, next)| next) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(plain @ ('"' | '\\' | '/' | ' ')) => out.push(plain),
                _ => return Err("an escape that this reader does not know"),
            },
            _ => out.push(character),
        }
    }
    Err("a quote that does not end on its line")
}

fn plain(word: &str) -> Value {
    let is = |words: &[&str]| words.contains(&word);
    if is(&["", "~", "null", "Null", "NULL"]) {
        Value::Null
    } else if is(&["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"]) {
        Value::Bool(true)
    } else if is(&["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"]) {
        Value::Bool(false)
    } else {
        // Octal forms differ between the versions of YAML: they stay as they are.
        let decimal = word == "0" || !word.trim_start_matches('-').starts_with(['0', '+']);
        let number = decimal.then(|| word.parse::<i64>().ok()).flatten();
        number.map_or_else(|| Value::String(word.to_owned()), Value::from)
    }
}
