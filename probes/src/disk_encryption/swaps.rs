//! Swap areas in use: `/proc/swaps`, proc_swaps(5).

use super::text::unescape;

/// The kernel has at most 32 (`MAX_SWAPFILES`); the margin is for kernels to come.
const MAX_AREAS: usize = 1024;

/// A swap area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapArea {
    /// Path of the device or file.
    pub path: String,
    /// Whether it is a file in a filesystem.
    pub file: bool,
}

/// What is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwapsError {
    /// A masked or truncated file, as in some containers. No swap looks different: a heading alone.
    #[error("the heading is missing")]
    Heading,
    /// Not of the form that the manual page gives.
    #[error("line {line} is no swap area")]
    Line {
        /// Number of the line, from 1.
        line: usize,
    },
    /// More than any kernel has.
    #[error("more than {MAX_AREAS} swap areas")]
    TooMany,
}

/// Reads `/proc/swaps`.
pub fn parse(bytes: &[u8]) -> Result<Vec<SwapArea>, SwapsError> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if !lines.next().is_some_and(|line| line.starts_with(b"Filename")) {
        return Err(SwapsError::Heading);
    }
    let mut areas = vec![];
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        if areas.len() == MAX_AREAS {
            return Err(SwapsError::TooMany);
        }
        areas.push(area(line).ok_or(SwapsError::Line { line: index + 2 })?);
    }
    Ok(areas)
}

fn area(line: &[u8]) -> Option<SwapArea> {
    let mut fields = line
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|field| !field.is_empty());
    let path = unescape(fields.next()?);
    let file = match fields.next()? {
        b"partition" => false,
        b"file" => true,
        _ => return None,
    };
    path.starts_with('/').then_some(SwapArea { path, file })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADING: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[test]
    fn partitions_and_files() {
        let text = format!(
            "{HEADING}/dev/dm-2                               partition\t131068\t\t0\t\t-2\n/swap\\040file                           file\t\t1048572\t\t0\t\t-3\n"
        );
        let area = |path: &str, file| SwapArea {
            path: path.into(),
            file,
        };
        assert_eq!(
            parse(text.as_bytes()).unwrap(),
            [area("/dev/dm-2", false), area("/swap file", true)]
        );
        assert_eq!(parse(HEADING.as_bytes()).unwrap(), []);
    }

    #[test]
    fn an_empty_file_is_not_the_same_as_no_swap() {
        assert_eq!(parse(b""), Err(SwapsError::Heading));
        let broken = format!("{HEADING}/dev/sda2 partition 1 0 -2\n/dev/sda3 slice 1 0 -2\n");
        assert_eq!(parse(broken.as_bytes()), Err(SwapsError::Line { line: 3 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&[HEADING.as_bytes(), &bytes].concat());
            let _ = parse(&bytes);
        }
    }
}
