//! `/etc/fstab`, fstab(5).

/// More lines are not read.
const MAX_LINES: usize = 10_000;

/// A filesystem to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub source: String,
    /// Where; `none` for swap.
    pub path: String,
    /// Kind of the filesystem.
    pub filesystem: String,
    /// Options, split at commas.
    pub options: Vec<String>,
}

impl Line {
    /// Whether an option is in force. Later ones override earlier ones, and some imply others (mount(8), *Filesystem
    /// independent mount options*).
    pub fn has(&self, option: &str) -> bool {
        effective(self.options.iter().map(String::as_str), option)
    }
}

/// Whether `option` (`nodev`, `nosuid`, `noexec`, `ro`) is in force after `options`, in their order. `defaults` changes
/// nothing, wherever it stands.
pub fn effective<'a>(options: impl Iterator<Item = &'a str>, option: &str) -> bool {
    let opposite = match option {
        "ro" => "rw",
        _ => option.strip_prefix("no").unwrap_or(option),
    };
    let mut on = false;
    for written in options {
        let implied = match written {
            "user" | "users" => matches!(option, "nodev" | "nosuid" | "noexec"),
            "owner" | "group" => matches!(option, "nodev" | "nosuid"),
            _ => false,
        };
        if written == option || implied {
            on = true;
        } else if written == opposite {
            on = false;
        }
    }
    on
}

/// The lines, and whether there were some that could not be understood. As mount(8) does, a line needs three fields at
/// least, and one without options has `defaults`.
pub fn parse(bytes: &[u8]) -> (Vec<Line>, bool) {
    let text = String::from_utf8_lossy(bytes);
    let (mut lines, mut malformed) = (vec![], false);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
        let (Some(source), Some(path), Some(filesystem)) = (fields.next(), fields.next(), fields.next()) else {
            malformed = true;
            continue;
        };
        if index >= MAX_LINES {
            malformed = true;
            break;
        }
        let path = unescape(path);
        let path = if path.len() > 1 {
            path.trim_end_matches('/').to_owned()
        } else {
            path
        };
        lines.push(Line {
            source: unescape(source),
            path,
            filesystem: filesystem.to_owned(),
            options: fields
                .next()
                .unwrap_or("defaults")
                .split(',')
                .map(str::to_owned)
                .collect(),
        });
    }
    (lines, malformed)
}

/// `\040` and the like.
fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let byte = escape.get(1..4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = byte.filter(u8::is_ascii) {
            text.push(byte.into());
            rest = escape.get(4..).unwrap_or_default();
        } else {
            text.push('\\');
            rest = escape.get(1..).unwrap_or_default();
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines() {
        let (lines, malformed) = parse(
            b"# comment\n\n/dev/sda1 / ext4 errors=remount-ro 0 1\nUUID=x\t/mnt/a\\040b/ xfs\n\
              tmpfs /tmp tmpfs defaults,nosuid,noexec,nodev 0 0\nshort /x\n",
        );
        assert!(malformed);
        assert_eq!(lines.len(), 3);
        assert_eq!(
            (lines[1].path.as_str(), lines[1].options.as_slice()),
            ("/mnt/a b", &["defaults".to_owned()][..])
        );
        assert!(lines[2].has("nosuid") && lines[2].has("noexec") && lines[2].has("nodev") && !lines[2].has("ro"));
    }

    #[test]
    fn later_options_override_and_some_imply_others() {
        let has = |options: &str, option: &str| effective(options.split(','), option);
        assert!(has("nosuid,defaults", "nosuid"));
        assert!(has("user", "noexec") && !has("user,exec", "noexec") && has("user,exec", "nosuid"));
        assert!(has("owner", "nodev") && !has("owner", "noexec"));
        assert!(has("rw,ro", "ro") && !has("ro,rw", "ro"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), near in "[/a \\\\0-7\t\n,]{0,60}") {
            parse(&bytes);
            parse(near.as_bytes());
        }
    }
}
