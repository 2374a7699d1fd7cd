//! Tables and the names of their columns, from the statements that made them.
//!
//! Source: "The Schema Table" and "SQL As Understood By SQLite" of SQLite (`CREATE TABLE`, comments, quoted identifiers).

use super::{Database, SqliteError};

/// A table of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The page where its rows begin.
    pub(super) root: u32,
    columns: Vec<String>,
}

impl Table {
    /// Where a record has the value of a column. Only columns that are stored have a place: so for tables without
    /// generated ones.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))
    }
}

impl Database<'_, '_> {
    /// Looks up a table by its name, in which case does not matter. `Ok(None)`: there is none.
    pub fn table(&mut self, name: &str) -> Result<Option<Table>, SqliteError> {
        let mut table = None;
        self.walk(1, &mut |record| {
            // type, name, tbl_name, rootpage, sql
            let Ok(record) = record else { return true };
            let named = record
                .text(1)
                .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            if record.text(0) == Some(b"table") && named {
                let root = record.integer(3).and_then(|page| u32::try_from(page).ok());
                table = root.map(|root| Table {
                    root,
                    columns: columns(record.text(4).unwrap_or_default()),
                });
            }
            table.is_none()
        })?;
        Ok(table)
    }
}

/// What a statement is made of, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A name without quotes, a keyword or a number.
    Word(String),
    /// A name or a text in quotes.
    Quoted(String),
    /// Anything else, one byte.
    Sign(u8),
}

/// The names of the columns in `CREATE TABLE name(column type, ..., constraint)`.
fn columns(statement: &[u8]) -> Vec<String> {
    let mut columns = vec![];
    let (mut depth, mut begins) = (0_usize, false);
    let mut rest = statement;
    while let Some((token, after)) = token(rest) {
        rest = after;
        if begins && depth == 1 {
            match &token {
                Token::Word(word) if is_constraint(word) => break,
                Token::Word(name) | Token::Quoted(name) => columns.push(name.clone()),
                Token::Sign(_) => break,
            }
        }
        begins = false;
        match token {
            Token::Sign(b'(') => {
                depth += 1;
                begins = depth == 1;
            }
            Token::Sign(b')') if depth <= 1 => break,
            Token::Sign(b')') => depth -= 1,
            Token::Sign(b',') => begins = depth == 1,
            _ => {}
        }
    }
    columns
}

/// Constraints of the whole table come after its columns.
fn is_constraint(word: &str) -> bool {
    let words = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    words.iter().any(|constraint| word.eq_ignore_ascii_case(constraint))
}

/// The next token and what follows it. What has no end ends with the statement.
fn token(mut text: &[u8]) -> Option<(Token, &[u8])> {
    loop {
        text = text.trim_ascii_start();
        if let Some(comment) = text.strip_prefix(b"--") {
            text = after(comment, b"\n");
        } else if let Some(comment) = text.strip_prefix(b"/*") {
            text = after(comment, b"*/");
        } else {
            break;
        }
    }
    let (first, rest) = text.split_first()?;
    let quote = match first {
        b'"' | b'\'' | b'`' => *first,
        b'[' => b']',
        first if is_of_word(*first) => {
            let end = text.iter().position(|byte| !is_of_word(*byte)).unwrap_or(text.len());
            let (word, rest) = text.split_at_checked(end)?;
            return Some((Token::Word(String::from_utf8_lossy(word).into_owned()), rest));
        }
        sign => return Some((Token::Sign(*sign), rest)),
    };
    let (mut name, mut rest) = (vec![], rest);
    while let Some((byte, more)) = rest.split_first() {
        rest = more;
        if *byte == quote {
            // Twice it stands for itself, but not in brackets.
            match more.split_first() {
                Some((next, more)) if *next == quote && quote != b']' => rest = more,
                _ => break,
            }
        }
        name.push(*byte);
    }
    Some((Token::Quoted(String::from_utf8_lossy(&name).into_owned()), rest))
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | 0x80..)
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    let at = text.windows(end.len()).position(|window| window == end);
    at.and_then(|at| text.get(at + end.len()..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_columns() {
        for (statement, expected) in [
            // As they stand in real databases of lastlog2, wtmpdb and rpm.
            (
                "CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)",
                &["Name", "Time", "TTY", "RemoteHost", "Service"][..],
            ),
            (
                "CREATE TABLE wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER) STRICT",
                &["ID", "Type", "User", "Login"],
            ),
            (
                "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
                &["hnum", "blob"],
            ),
            // Every form of a name, defaults with commas and parentheses, comments, constraints.
            (
                "CREATE TABLE \"a(b\"(\"x,\"\"y\" DEFAULT ',(', [c d] DECIMAL(10,2), `e` CHECK(e IN (1,2)), --f,\n g/*,h*/, gr\u{f6}\u{df}e, primary key(g))",
                &["x,\"y", "c d", "e", "g", "gr\u{f6}\u{df}e"],
            ),
            ("CREATE TABLE t(a, b, FOREIGN KEY(a) REFERENCES u(v))", &["a", "b"]),
            ("CREATE TABLE t(", &[]),
            ("CREATE TABLE t(a", &["a"]),
            ("CREATE TABLE t(a,", &["a"]),
            ("CREATE TABLE t(a, \"b", &["a", "b"]),
            ("CREATE TABLE t(a /*", &["a"]),
            ("CREATE TABLE t(,a)", &[]),
            ("CREATE TABLE t", &[]),
            ("", &[]),
        ] {
            assert_eq!(columns(statement.as_bytes()), expected, "{statement}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(statement in prop::collection::vec(any::<u8>(), 0..200)) {
            columns(&statement);
        }

        #[test]
        fn any_statement(statement in "CREATE TABLE t\\([a-c\"'`\\[\\](),/*\\- \n]{0,60}\\)?") {
            prop_assert!(columns(statement.as_bytes()).len() <= statement.len());
        }
    }
}
