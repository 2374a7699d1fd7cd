//! Lines of option files, and what an option does.
//!
//! Source: the manuals of `MariaDB` and `MySQL`, on option files and on prefixes of options; compared with `MariaDB` 10.11 in
//! `probes/tests/database_access_authority.rs`.

use std::collections::BTreeMap;

use crate::database_access::file;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Nothing,
    /// A group without its end: the server does not start.
    Bad,
    Group(&'a str),
    Include(&'a str),
    Folder(&'a str),
    /// Name and value; none where there is no `=`.
    Option(String, Option<String>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// On or off.
    Switch,
    /// As it is written.
    Text,
    /// Each is one more of a list.
    List,
    /// Only that it is set.
    Set,
}

/// Settings that are told, sorted.
#[rustfmt::skip]
const TOLD: [(&str, Form); 36] = [
    ("admin_address", Form::Text), ("allow_suspicious_udfs", Form::Switch), ("audit_log", Form::Text),
    ("authentication_policy", Form::Text), ("bind_address", Form::Text), ("caching_sha2_password_auto_generate_rsa_keys", Form::Switch),
    ("default_authentication_plugin", Form::Text), ("default_password_lifetime", Form::Text), ("disconnect_on_expired_password", Form::Switch),
    ("general_log", Form::Switch), ("local_infile", Form::Switch), ("log_error_verbosity", Form::Text), ("log_raw", Form::Switch),
    ("max_password_errors", Form::Text), ("mysqlx", Form::Text), ("mysqlx_bind_address", Form::Text), ("old_passwords", Form::Switch),
    ("password_history", Form::Text), ("password_reuse_interval", Form::Text), ("plugin_load", Form::Text), ("plugin_load_add", Form::List),
    ("port", Form::Text), ("require_secure_transport", Form::Switch), ("secure_auth", Form::Switch), ("secure_file_priv", Form::Text),
    ("server_audit_logging", Form::Switch), ("skip_grant_tables", Form::Switch), ("skip_name_resolve", Form::Switch),
    ("skip_networking", Form::Switch), ("skip_show_database", Form::Switch), ("ssl", Form::Switch), ("ssl_ca", Form::Set),
    ("ssl_cert", Form::Set), ("ssl_cipher", Form::Text), ("ssl_key", Form::Set), ("tls_version", Form::Text),
];

pub(super) fn is_told(name: &str) -> bool {
    form(name).is_some()
}

fn form(name: &str) -> Option<(&'static str, Form)> {
    TOLD.into_iter().find(|(told, _)| *told == name)
}

/// Blanks as the server has them.
const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}')
}

pub(super) fn line(text: &str) -> Line<'_> {
    let text = text.trim_start_matches(is_blank);
    if text.is_empty() || text.starts_with(['#', ';']) {
        return Line::Nothing;
    }
    if let Some(directive) = text.strip_prefix('!') {
        let directive = directive.trim_matches(is_blank);
        let (keyword, path) = directive.split_once(is_blank).unwrap_or((directive, ""));
        return match (keyword, path.trim_start_matches(is_blank)) {
            (_, "") => Line::Nothing,
            ("include", path) => Line::Include(path),
            ("includedir", path) => Line::Folder(path),
            _ => Line::Nothing,
        };
    }
    if let Some(rest) = text.strip_prefix('[') {
        return rest
            .split_once(']')
            .map_or(Line::Bad, |(name, _)| Line::Group(name.trim_end_matches(is_blank)));
    }
    let text = uncommented(text);
    match text.split_once('=') {
        None => Line::Option(text.trim_end_matches(is_blank).to_owned(), None),
        Some((name, value)) => {
            let value = unescaped(unquoted(value.trim_matches(is_blank)));
            Line::Option(name.trim_end_matches(is_blank).to_owned(), Some(value))
        }
    }
}

/// Without a comment at the end, which a quote can hide.
fn uncommented(text: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, character) in text.char_indices() {
        if matches!(character, '\'' | '"') && !escaped {
            match quote {
                None => quote = Some(character),
                Some(open) if open == character => quote = None,
                Some(_) => {}
            }
        }
        if quote.is_none() && character == '#' {
            return text.get(..at).unwrap_or_default();
        }
        escaped = quote.is_some() && character == '\\' && !escaped;
    }
    text
}

fn unquoted(value: &str) -> &str {
    let of = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    of('"').or_else(|| of('\'')).unwrap_or(value)
}

fn unescaped(value: &str) -> String {
    let mut plain = String::new();
    let mut rest = value.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' || rest.peek().is_none() {
            plain.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('b') => plain.push('\u{8}'),
            Some('s') => plain.push(' '),
            Some(one @ ('"' | '\'' | '\\')) => plain.push(one),
            other => {
                plain.push('\\');
                plain.extend(other);
            }
        }
    }
    plain
}

/// Sets what an option sets, if it is told.
pub(super) fn apply(settings: &mut BTreeMap<String, String>, name: &str, value: Option<String>) {
    let folded = name.replace('-', "_");
    let (mut name, mut value) = (folded.as_str(), value);
    let (name, form) = loop {
        if let Some(found) = form(name) {
            break found;
        }
        let Some((prefix, rest)) = name.split_once('_') else {
            return;
        };
        let is_zero = value.as_deref() == Some("0");
        match prefix {
            "loose" => {}
            "skip" | "disable" => value = Some(if is_zero { "1" } else { "0" }.to_owned()),
            "enable" => value = Some(if is_zero { "0" } else { "1" }.to_owned()),
            _ => return,
        }
        name = rest;
    };
    let told = match (form, value) {
        (Form::Switch, None) => "on".to_owned(),
        (Form::Switch, Some(value)) => {
            let on = ["1", "on", "true"].iter().any(|on| value.eq_ignore_ascii_case(on));
            if on { "on" } else { "off" }.to_owned()
        }
        (Form::Set, value) => {
            if value.is_none_or(|value| value.is_empty()) {
                settings.remove(name);
                return;
            }
            "set".to_owned()
        }
        (Form::List, value) => {
            let before = settings
                .get(name)
                .map(|before| format!("{before};"))
                .unwrap_or_default();
            format!("{before}{}", value.unwrap_or_default())
        }
        (Form::Text, value) => value.unwrap_or_default(),
    };
    settings.insert(name.to_owned(), file::value(&told));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(TOLD.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn lines() {
        let option = |name: &str, value: Option<&str>| Line::Option(name.to_owned(), value.map(str::to_owned));
        for (text, expected) in [
            (" # c", Line::Nothing),
            ("[ mysqld ]", Line::Group(" mysqld")),
            ("[mysqld", Line::Bad),
            ("! includedir  /etc/x/ ", Line::Folder("/etc/x/")),
            ("!include /a", Line::Include("/a")),
            ("port = 1 # c", option("port", Some("1"))),
            ("a='x#y'", option("a", Some("x#y"))),
            ("a=\"x\\ty\\z\"", option("a", Some("x\ty\\z"))),
            ("ssl\r", option("ssl", None)),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }

    #[test]
    fn what_options_do() {
        for (name, value, setting, expected) in [
            ("skip-networking", None, "skip_networking", "on"),
            ("skip_networking", Some("0"), "skip_networking", "off"),
            ("skip-ssl", None, "ssl", "off"),
            ("disable-local_infile", Some("0"), "local_infile", "on"),
            ("loose-enable-ssl", None, "ssl", "on"),
            ("ssl-key", Some("/k"), "ssl_key", "set"),
            (
                "require-secure-transport",
                Some("tRue"),
                "require_secure_transport",
                "on",
            ),
        ] {
            let mut settings = BTreeMap::new();
            apply(&mut settings, name, value.map(str::to_owned));
            assert_eq!(settings.get(setting).map(String::as_str), Some(expected), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "\\PC{0,40}", near in "(\\[|\\]|!|include|dir|=|'|\"|\\\\|#| |skip-|ssl|a){0,20}") {
            for text in [text, near] {
                if let Line::Option(name, value) = line(&text) {
                    apply(&mut BTreeMap::new(), &name, value);
                }
            }
        }
    }
}
