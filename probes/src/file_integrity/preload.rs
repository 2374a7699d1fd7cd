//! What the dynamic linker loads into every program (ld.so(8), *FILES*): a way to hide from all that looks at a host.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::facts::{PreloadedFile, PreloadedLibrary};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const FILE: &str = "/etc/ld.so.preload";
/// A longer list is malformed.
const MAX_LIBRARIES: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Known<Vec<PreloadedLibrary>> {
    match reading.file(FILE) {
        Ok(None) => Known::absent(format!("{FILE} is not there")),
        Ok(Some(bytes)) => match parse(bytes) {
            Some(paths) => Known::Observed(paths.into_iter().map(|path| library(reading, path)).collect()),
            None => Known::unread(&reading.malformed(FILE.to_owned(), format!("more than {MAX_LIBRARIES} libraries"))),
        },
        Err(unread) => Known::unread(&unread),
    }
}

/// Names with blanks or colons between them; `#` begins a comment. As glibc (`elf/rtld.c`), which looks for the next comment from
/// the beginning again, in as many bytes as are left: it can take a later comment for names.
fn parse(mut bytes: Vec<u8>) -> Option<BTreeSet<String>> {
    let mut left = bytes.len();
    while let Some(begins) = bytes.iter().take(left).position(|byte| *byte == b'#') {
        left -= begins;
        for byte in bytes.iter_mut().skip(begins).take(left) {
            if *byte == b'\n' {
                break;
            }
            *byte = b' ';
            left -= 1;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let names = text.split([' ', '\t', '\n', ':']).filter(|name| !name.is_empty());
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    (names.len() <= MAX_LIBRARIES).then_some(names)
}

fn library(reading: &Reading<'_>, path: String) -> PreloadedLibrary {
    let file = if path.starts_with('/') && !path.contains('$') {
        Known::of(file(reading, &path), &path)
    } else {
        Known::not(
            Outcome::Unsupported,
            format!("{path} is no path: where it lies depends on the program"),
        )
    };
    PreloadedLibrary { path, file }
}

fn file(reading: &Reading<'_>, path: &str) -> Result<Option<PreloadedFile>, Unread> {
    let Some(stat) = reading.stat(path)? else {
        return Ok(None);
    };
    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let folder = reading.stat(if folder.is_empty() { "/" } else { folder })?;
    // Whoever may write to the folder may put another file in its place.
    let open = |mode: u32| mode & 0o022 != 0;
    Ok(Some(PreloadedFile {
        uid: stat.uid,
        gid: stat.gid,
        mode: format!("{:04o}", stat.mode),
        writable_by_others: open(stat.mode) || folder.is_some_and(|folder| open(folder.mode)),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn parse(text: &str) -> Option<Vec<String>> {
        super::parse(text.into()).map(|names| names.into_iter().collect())
    }

    #[test]
    fn names_as_the_linker_takes_them() {
        let names = parse("/lib/a.so:/lib/b.so  c.so\t/lib/d.so # /lib/e.so\n\n/lib/a.so\n").unwrap();
        assert_eq!(names, ["/lib/a.so", "/lib/b.so", "/lib/d.so", "c.so"]);
        for none in ["# only\n", "#", "", "\n : \n"] {
            assert_eq!(parse(none).unwrap(), [""; 0], "{none:?}");
        }
        let late = parse("# /nowhere/a.so\n/nowhere/b.so # /nowhere/c.so\n").unwrap();
        assert_eq!(late, ["/nowhere/b.so", "/nowhere/c.so"], "the second comment is none");
        let many: String = (0..1_001).map(|number| format!("/{number} ")).collect();
        assert_eq!(parse(&many), None);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[/a#: \t\r\n$]{0,60}") {
            let names = parse(&text).unwrap();
            prop_assert!(names.iter().all(|name| !name.contains([' ', ':', '\n'])));
        }
    }
}
