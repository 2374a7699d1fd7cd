//! Statements of configuration files, as far as the settings that name certificates need: one to a line (`name value`,
//! `name = value`, `name: value`), or ended by semicolons and braces (nginx).

/// More statements than a configuration file has that somebody keeps.
const MAX_STATEMENTS: usize = 20_000;

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The line on which it ends, from 1.
    pub(super) line: u32,
    /// Its name, lower case; for a section of Apache with its `<`.
    pub(super) name: String,
    /// Its words, quotes removed.
    pub(super) words: Vec<String>,
    /// For nginx, how many braces are open around it.
    pub(super) depth: u32,
}

/// How statements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One to a line; a line that begins with a blank continues the one before if `continued`.
    Lines {
        /// Postfix.
        continued: bool,
    },
    /// Ended by `;`, `{` and `}`.
    Braces,
}

/// Cuts a file into statements; `None` if there are too many.
pub(super) fn statements(text: &str, form: Form) -> Option<Vec<Statement>> {
    let statements = match form {
        Form::Lines { continued } => lines(text, continued),
        Form::Braces => braces(text),
    };
    (statements.len() <= MAX_STATEMENTS).then_some(statements)
}

fn lines(text: &str, continued: bool) -> Vec<Statement> {
    let mut statements: Vec<Statement> = vec![];
    for (line, text) in (1..).zip(text.lines()) {
        let blank = text.starts_with([' ', '\t']);
        let text = text.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if continued && blank {
            if let Some(last) = statements.last_mut() {
                last.words.extend(words(text));
            }
            continue;
        }
        let end = text.find([' ', '\t', '=', ':']).unwrap_or(text.len());
        let (name, value) = text.split_at(end);
        let value = value.trim_start();
        let value = value.strip_prefix(['=', ':']).unwrap_or(value);
        statements.push(Statement {
            line,
            name: name.to_ascii_lowercase(),
            words: words(value),
            depth: 0,
        });
        if statements.len() > MAX_STATEMENTS {
            break;
        }
    }
    statements
}

/// Words by blanks, quotes removed; a `#` that begins a word begins a comment.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![];
    let mut left = text.chars().peekable();
    loop {
        while left.next_if(|c| c.is_whitespace()).is_some() {}
        if left.peek().is_none_or(|c| *c == '#') {
            return words;
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(c) = left.next_if(|c| quote.is_some() || !c.is_whitespace()) {
            match c {
                '"' | '\'' if quote.is_none() => quote = Some(c),
                _ if quote == Some(c) => quote = None,
                _ => word.push(c),
            }
        }
        words.push(word);
    }
}

fn braces(text: &str) -> Vec<Statement> {
    let mut statements = vec![];
    let (mut line, mut depth) = (1_u32, 0_u32);
    let (mut parts, mut word): (Vec<String>, Option<String>) = (vec![], None);
    let mut quote = None;
    let mut left = text.chars();
    while let Some(c) = left.next() {
        if c == '\n' {
            line = line.saturating_add(1);
        }
        match c {
            _ if quote == Some(c) => quote = None,
            '\\' => word.get_or_insert_default().extend(left.next()),
            _ if quote.is_some() => word.get_or_insert_default().push(c),
            '"' | '\'' if word.is_none() => {
                word = Some(String::new());
                quote = Some(c);
            }
            // A comment begins a word; `${name}` is part of one.
            '#' if word.is_none() => {
                if left.by_ref().any(|c| c == '\n') {
                    line = line.saturating_add(1);
                }
            }
            '{' if word.as_ref().is_some_and(|word| word.ends_with('$')) => {
                let name: String = left.by_ref().take_while(|c| *c != '}').collect();
                word.get_or_insert_default().push_str(&name);
            }
            ';' | '{' | '}' => {
                parts.extend(word.take());
                let mut words = std::mem::take(&mut parts).into_iter();
                if let Some(name) = words.next() {
                    statements.push(Statement {
                        line,
                        name: name.to_ascii_lowercase(),
                        words: words.collect(),
                        depth,
                    });
                }
                match c {
                    '{' => depth = depth.saturating_add(1),
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            _ if c.is_whitespace() => parts.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
        if statements.len() > MAX_STATEMENTS {
            break;
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, form: Form) -> Vec<String> {
        let statements = statements(text, form).unwrap();
        let shown = |one: Statement| format!("{}/{} {} {:?}", one.line, one.depth, one.name, one.words);
        statements.into_iter().map(shown).collect()
    }

    #[test]
    fn one_to_a_line() {
        let text = "# c\nssl_cert = </etc/x.pem\n; c\nSSLCertificateFile \"/a b\" # c\nolcTLS: /c\nssl-cert=/d\n<VirtualHost *:443>\n";
        assert_eq!(
            shown(text, Form::Lines { continued: false }),
            [
                "2/0 ssl_cert [\"</etc/x.pem\"]",
                "4/0 sslcertificatefile [\"/a b\"]",
                "5/0 olctls [\"/c\"]",
                "6/0 ssl-cert [\"/d\"]",
                "7/0 <virtualhost [\"*:443>\"]"
            ]
        );
        let text = "a = /x,\n  /y\n# c\n\t/z\nb=1\n";
        assert_eq!(
            shown(text, Form::Lines { continued: true }),
            ["1/0 a [\"/x,\", \"/y\", \"/z\"]", "5/0 b [\"1\"]"]
        );
    }

    #[test]
    fn braces_semicolons_and_comments() {
        let text = "server { listen 443 ssl; # c ; {\n ssl_certificate 'a b.pem'; if ($x = \"};\") { return 1; }\n}\nx ${d}/k;";
        assert_eq!(
            shown(text, Form::Braces),
            [
                "1/0 server []",
                "1/1 listen [\"443\", \"ssl\"]",
                "2/1 ssl_certificate [\"a b.pem\"]",
                "2/1 if [\"($x\", \"=\", \"};)\"]",
                "2/2 return [\"1\"]",
                "4/0 x [\"$d/k\"]"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_panic(text in "[\\PC\n\t;{}#'\"\\\\$]{0,200}") {
            for form in [Form::Braces, Form::Lines { continued: true }, Form::Lines { continued: false }] {
                let _ = statements(&text, form);
            }
        }
    }
}
