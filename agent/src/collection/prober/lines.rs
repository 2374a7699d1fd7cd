//! What a process that runs probes tells the one that started it: lines on its standard output. Then it ends.
//!
//! | line | meaning |
//! | --- | --- |
//! | `begins ID` | the probe begins |
//! | `document JSON` | a document of it: canonical JSON has no line ends |
//! | `ends ID`, `hangs ID` | it is done with; it was given up |

use std::io::{self, Write};

use crate::collection::{Document, Ran, Step};

/// A line.
#[derive(Debug)]
pub(super) enum Line {
    Begins(String),
    Document(Document),
    Ends(String),
    Hangs(String),
}

impl Line {
    /// Reads a line without its end. `None`: no line of this kind.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (word, rest) = (line.get(..space)?, line.get(space + 1..)?);
        let text = || String::from_utf8(rest.to_vec()).ok();
        Some(match word {
            b"begins" => Self::Begins(text()?),
            b"document" => Self::Document(Document::from_own_bytes(rest)?),
            b"ends" => Self::Ends(text()?),
            b"hangs" => Self::Hangs(text()?),
            _ => return None,
        })
    }
}

/// Writes a step. Buffered output comes with the beginning of the next probe, or when the caller ends it with a flush.
pub fn write(step: &Step, out: &mut impl Write) -> io::Result<()> {
    match step {
        Step::Begins(id) => {
            writeln!(out, "begins {id}")?;
            out.flush()?;
        }
        Step::Ended(Ran { id, documents, hangs }) => {
            for document in documents {
                out.write_all(b"document ")?;
                out.write_all(document.bytes())?;
                out.write_all(b"\n")?;
            }
            writeln!(out, "{} {id}", if *hangs { "hangs" } else { "ends" })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collection::Collection;

    #[test]
    fn lines_come_back() {
        let documents: Vec<_> = Collection::of_detail("a\nb \u{e9}").documents().cloned().collect();
        let digest = documents[0].digest();
        let mut out = vec![];
        write(&Step::Begins("test"), &mut out).unwrap();
        let ran = Ran {
            id: "test",
            documents,
            hangs: true,
        };
        write(&Step::Ended(ran), &mut out).unwrap();
        let lines: Vec<_> = out.split_inclusive(|byte| *byte == b'\n').collect();
        let read = |at: usize| Line::parse(lines[at].strip_suffix(b"\n").unwrap()).unwrap();
        assert!(matches!(read(0), Line::Begins(id) if id == "test"));
        assert!(matches!(read(1), Line::Document(document) if document.digest() == digest));
        assert!(matches!(read(2), Line::Hangs(id) if id == "test"));
        assert_eq!(lines.len(), 3);
    }

    proptest! {
        #[test]
        fn anything_is_a_line_or_is_none(word in "begins|document|ends|hangs|x", rest in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut line = word.into_bytes();
            line.extend(rest);
            let _ = Line::parse(&line);
        }
    }
}
