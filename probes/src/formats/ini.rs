//! Sections with `name = value`, as SSSD, Samba and FreeIPA write them. Their readers differ in small things: see
//! [`Dialect`].
//!
//! Source: sssd.conf(5) and libini of ding-libs; smb.conf(5), section *File format*; Python's `configparser`.

use thiserror::Error;

/// A file with more assignments is malformed.
const MAX_ASSIGNMENTS: usize = 10_000;
/// A longer value is malformed.
const MAX_VALUE: usize = 64 * 1024;

/// Whose reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SSSD's: no value goes on in the next line; case in names does not matter.
    Libini,
    /// Python's: a line that begins with a blank goes on the line before; case in names does not matter.
    Python,
    /// Samba's: a line that ends in a backslash goes on in the next; case and blanks in names do not matter.
    Samba,
}

/// One `name = value` and its section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Without brackets, in lower case; empty before the first section.
    pub section: String,
    /// In lower case; without blanks for Samba.
    pub name: String,
    /// Without blanks around it.
    pub value: String,
}

/// A line that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct IniError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// The assignments, in order.
pub fn parse(text: &str, dialect: Dialect) -> Result<Vec<Assignment>, IniError> {
    let mut assignments: Vec<Assignment> = vec![];
    let (mut section, mut open) = (String::new(), false);
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let error = |reason| IniError {
            line: index + 1,
            reason,
        };
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if dialect == Dialect::Python && open && line.starts_with([' ', '\t']) {
            if let Some(last) = assignments.last_mut() {
                last.value.push(' ');
                last.value.push_str(trimmed);
                if last.value.len() > MAX_VALUE {
                    return Err(error("the value is too long"));
                }
            }
            continue;
        }
        let mut whole = trimmed.to_owned();
        while dialect == Dialect::Samba && whole.ends_with('\\') {
            whole.pop();
            let next = lines.next().map(|(_, next)| next.trim()).unwrap_or_default();
            whole.push_str(next);
            if whole.len() > MAX_VALUE {
                return Err(error("the value is too long"));
            }
        }
        if let Some(rest) = whole.strip_prefix('[') {
            let name = rest.split_once(']').map(|(name, _)| name.trim());
            section = folded(name.ok_or_else(|| error("a section without its bracket"))?, dialect);
            open = false;
            continue;
        }
        let (name, value) = whole
            .split_once('=')
            .ok_or_else(|| error("neither a section nor an assignment"))?;
        if value.len() > MAX_VALUE {
            return Err(error("the value is too long"));
        }
        if assignments.len() >= MAX_ASSIGNMENTS {
            return Err(error("too many assignments"));
        }
        assignments.push(Assignment {
            section: section.clone(),
            name: folded(name.trim(), dialect),
            value: value.trim().to_owned(),
        });
        open = true;
    }
    Ok(assignments)
}

fn folded(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Libini | Dialect::Python => name.to_lowercase(),
        Dialect::Samba => name.split_whitespace().collect::<String>().to_lowercase(),
    }
}

/// The value that counts: the last one.
pub fn last<'a>(assignments: &'a [Assignment], section: &str, name: &str) -> Option<&'a str> {
    let of = |one: &&Assignment| one.section == section && one.name == name;
    assignments.iter().rev().find(of).map(|one| one.value.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn libini_and_python() {
        let text = "# c\n[sssd]\ndomains = a\n; c\n  [Domain/a]\n  ID_provider=ldap\n[sssd]\ndomains = c\n";
        let read = parse(text, Dialect::Libini).unwrap();
        assert_eq!(last(&read, "sssd", "domains"), Some("c"));
        assert_eq!(last(&read, "domain/a", "id_provider"), Some("ldap"));
        assert_eq!(parse("[x\n", Dialect::Libini).unwrap_err().line, 1);
        assert_eq!(parse("[x]\na = b,\n  word\n", Dialect::Libini).unwrap_err().line, 3);
        let read = parse("[x]\na = b,\n  word\n", Dialect::Python).unwrap();
        assert_eq!(read[0].value, "b, word");
    }

    #[test]
    fn samba() {
        let read = parse(
            "[Global]\n  Server Signing = man\\\n  datory\nserversigning=auto\n",
            Dialect::Samba,
        )
        .unwrap();
        assert_eq!(read[0].value, "mandatory");
        assert_eq!(last(&read, "global", "serversigning"), Some("auto"));
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,60}", near in "(\\[|\\]|=|\\\\|\n| |#|[a-c]){0,30}") {
            for dialect in [Dialect::Libini, Dialect::Python, Dialect::Samba] {
                let _ = parse(&text, dialect);
                let _ = parse(&near, dialect);
            }
        }
    }
}
