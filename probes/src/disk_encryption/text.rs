//! Names as the kernel writes them into procfs, and as the facts may show them.

use crate::accounts::records::printable;

/// Undoes the octal escapes (`\040`) that procfs uses for white space, backslashes and the like in names
/// (`mangle_path` in the kernel). Bytes that are not UTF-8 are written `\xNN`.
pub(super) fn unescape(field: &[u8]) -> String {
    if !field.contains(&b'\\') {
        return printable(field);
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) = (*first, tail) {
            bytes.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    printable(&bytes)
}

/// Folders whose entries are named after people.
const PERSONAL: [&str; 5] = ["/home/", "/export/home/", "/run/media/", "/media/", "/Users/"];

/// The path as the facts show it: what may name a person is written `*`.
pub(crate) fn masked(path: &str) -> String {
    match PERSONAL.iter().find(|folder| path.starts_with(**folder)) {
        Some(folder) => format!("{folder}*"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_escapes_and_bytes_that_are_no_text() {
        assert_eq!(unescape(br"/mnt/a\040b\011c\134d"), "/mnt/a b\tc\\d");
        assert_eq!(unescape(b"/mnt/\xff\\303\\251"), "/mnt/\\xffé");
        assert_eq!(unescape(br"/mnt/\4\08\777\"), r"/mnt/\4\08\777\");
    }

    #[test]
    fn people_are_masked() {
        assert_eq!(masked("/home/alice/usb"), "/home/*");
        assert_eq!(masked("/home"), "/home");
        assert_eq!(masked("/run/media/bob/STICK"), "/run/media/*");
        assert_eq!(masked("/srv/home"), "/srv/home");
    }
}
