//! The one-line style: `deb [option=value …] uri suite component …`.

use super::{Entry, Found};

/// Lines that are looked at.
const MAX_LINES: usize = 20_000;

/// The entries of a file of the one-line style.
pub(super) fn parse(text: &str) -> Found {
    let mut found = Found::default();
    for (number, line) in text.lines().enumerate() {
        let number_from_1 = number as u64 + 1;
        if number >= MAX_LINES {
            found
                .errors
                .push((number_from_1, "too many lines, the rest was not read".to_owned()));
            break;
        }
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        match entry(line) {
            Ok(Some(entry)) => found.entries.push(Entry {
                line: number_from_1,
                ..entry
            }),
            Ok(None) => {}
            Err(reason) => found.errors.push((number_from_1, reason.to_owned())),
        }
    }
    found
}

/// Cuts at `#`, unless it is among the options.
fn without_comment(line: &str) -> &str {
    let mut depth = 0_i32;
    for (at, character) in line.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            '#' if depth <= 0 => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
    }
    line
}

/// `Ok(None)`: an entry for source packages.
fn entry(line: &str) -> Result<Option<Entry>, &'static str> {
    let (kind, rest) = line.split_once([' ', '\t', '\x0b']).ok_or("no URI")?;
    match kind {
        "deb" => {}
        "deb-src" => return Ok(None),
        _ => return Err("neither deb nor deb-src"),
    }
    let mut entry = Entry::default();
    let mut rest = rest.trim_start();
    if let Some(options) = rest.strip_prefix('[') {
        let (options, after) = options.split_once(']').ok_or("the options are not closed by ]")?;
        rest = after.trim_start();
        for option in words(options).ok_or("a quote is not closed")? {
            let (name, value) = option.split_once('=').ok_or("an option has no =")?;
            if name.is_empty() || value.is_empty() {
                return Err("an option has no name or no value");
            }
            entry.options.insert(name.to_owned(), value.to_owned());
        }
    }
    let mut words = words(rest).ok_or("a quote is not closed")?.into_iter();
    entry.uris.push(words.next().ok_or("no URI")?);
    entry.suites.push(words.next().ok_or("no suite")?);
    entry.components.extend(words);
    Ok(Some(entry))
}

/// Words, with quotes and `%XX` resolved. White space in quotes and in `[ ]` belongs to the word.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = vec![];
    let mut bytes: Vec<u8> = vec![];
    let (mut in_quotes, mut in_brackets) = (false, false);
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'%' => {
                let mut ahead = rest.clone();
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                if let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next())) {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                    rest = ahead;
                } else {
                    bytes.push(byte);
                }
            }
            b' ' | b'\t' | b'\x0b' | b'\x0c' if !in_quotes && !in_brackets => {
                if !bytes.is_empty() {
                    words.push(String::from_utf8(std::mem::take(&mut bytes)).ok()?);
                }
            }
            other => {
                in_brackets = (in_brackets || other == b'[') && other != b']';
                bytes.push(other);
            }
        }
    }
    if !bytes.is_empty() {
        words.push(String::from_utf8(bytes).ok()?);
    }
    (!in_quotes).then_some(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries() {
        let found = parse(
            "# deb http://x y z\n\ndeb http://h/debian bookworm main contrib # more\n\
             deb-src http://h/debian bookworm main\n\
             \tdeb [ arch=amd64,i386 signed-by=/usr/share/keyrings/x#.gpg trusted=yes] \"http://h/a b\" ./\n\
             deb http://h/%7eme x/\n",
        );
        assert_eq!(found.errors, []);
        let brief: Vec<_> = found
            .entries
            .iter()
            .map(|entry| {
                (
                    entry.line,
                    entry.uris[0].as_str(),
                    entry.suites[0].as_str(),
                    entry.components.join(" "),
                )
            })
            .collect();
        assert_eq!(
            brief,
            [
                (3, "http://h/debian", "bookworm", "main contrib".to_owned()),
                (5, "http://h/a b", "./", String::new()),
                (6, "http://h/~me", "x/", String::new()),
            ]
        );
        let options: Vec<_> = found.entries[1].options.iter().collect();
        assert_eq!(
            options,
            [
                (&"arch".to_owned(), &"amd64,i386".to_owned()),
                (&"signed-by".to_owned(), &"/usr/share/keyrings/x#.gpg".to_owned()),
                (&"trusted".to_owned(), &"yes".to_owned()),
            ]
        );
    }

    #[test]
    fn errors_carry_their_line() {
        for (line, reason) in [
            ("deb", "no URI"),
            ("deb http://h", "no suite"),
            ("rpm http://h x y", "neither deb nor deb-src"),
            ("deb [trusted=yes http://h x y", "the options are not closed by ]"),
            ("deb [trusted] http://h x y", "an option has no ="),
            ("deb [trusted=] http://h x y", "an option has no name or no value"),
            ("deb \"http://h x y", "a quote is not closed"),
        ] {
            let found = parse(&format!("\n{line}\ndeb http://h x y\n"));
            assert_eq!(found.errors, [(2, reason.to_owned())], "{line}");
            assert_eq!(found.entries.len(), 1);
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "[\\PC\n]{0,100}", near in "deb [\\[\\]a-z=\"% /:#]{0,40}") {
            parse(&text);
            parse(&near);
        }
    }
}
