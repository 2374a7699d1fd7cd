//! Words of a line of sshd_config, cut as sshd does (`strdelim` and `argv_split` in OpenSSH's `misc.c`).

/// Cuts a line into keyword and arguments. Blanks or one `=` end the keyword; words may be quoted with `"` or `'`, in
/// which `\"`, `\'` and `\\` stand for the second character; `#` at the beginning of a word begins a comment.
///
/// A quote that is not closed is an error: sshd refuses such a line.
pub(super) fn words(line: &str) -> Result<Option<(String, Vec<String>)>, &'static str> {
    let line = line.trim_matches([' ', '\t', '\r', '\n', '\x0c']);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (keyword, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
        None => match line.find([' ', '\t', '\r', '=', '"']) {
            Some(end) => line.split_at(end),
            None => (line, ""),
        },
    };
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Ok(Some((keyword.to_ascii_lowercase(), arguments(rest)?)))
}

fn arguments(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = vec![];
    let mut left = text.chars().peekable();
    loop {
        while left.next_if(|c| matches!(c, ' ' | '\t' | '\r')).is_some() {}
        if left.peek().is_none_or(|c| *c == '#') {
            return Ok(words);
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = left.next() {
            match (c, quote) {
                ('\\', _) if left.peek().is_some_and(|next| escapes(*next, quote)) => word.extend(left.next()),
                (' ' | '\t' | '\r', None) => break,
                ('"' | '\'', None) => quote = Some(c),
                (_, Some(open)) if c == open => quote = None,
                _ => word.push(c),
            }
        }
        if quote.is_some() {
            return Err("a quote is not closed");
        }
        words.push(word);
    }
}

fn escapes(next: char, quote: Option<char>) -> bool {
    matches!(next, '"' | '\'' | '\\') || (quote.is_none() && next == ' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keywords_and_arguments() {
        let cases: [(&str, &str, &[&str]); 9] = [
            ("Port 22", "port", &["22"]),
            ("  Port=22", "port", &["22"]),
            ("\tPort = 22 # one", "port", &["22"]),
            ("\"Banner\" \"/etc/issue net\"", "banner", &["/etc/issue net"]),
            ("AcceptEnv A  B\tC\r", "acceptenv", &["A", "B", "C"]),
            ("SetEnv \"C=d e\" 'F=\"'", "setenv", &["C=d e", "F=\""]),
            (
                "ForceCommand echo \\\"a\\ b\\\" #c",
                "forcecommand",
                &["echo", "\"a b\""],
            ),
            ("Match User=bob", "match", &["User=bob"]),
            ("Compression", "compression", &[]),
        ];
        for (line, keyword, arguments) in cases {
            let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words(line), Ok(Some((keyword.to_owned(), arguments))), "{line}");
        }
        for line in ["", "   ", "# Port 22", "\x0c"] {
            assert_eq!(words(line), Ok(None), "{line:?}");
        }
        assert!(words("Banner \"/etc/issue").is_err());
    }

    proptest! {
        #[test]
        fn any_line_is_cut_without_panic(line in "\\PC{0,80}") {
            let _ = words(&line);
        }
    }
}
