//! A large file read by windows: databases of a hundred megabytes must not lie in memory to be read.

use crate::reading::{Reading, Unread};

/// Bytes that are read at once. A multiple of every page size of SQLite, so that its pages lie in one window each.
const WINDOW: u64 = 128 * 1024;
/// Windows that are kept. Rows are spread over few regions of a file at a time.
const KEPT: usize = 24;

/// A file, of which the windows last used are kept: at most 3 MB.
pub struct Windows<'r, 'h> {
    reading: &'r Reading<'h>,
    path: String,
    /// Number and bytes, the last used last.
    kept: Vec<(u64, Vec<u8>)>,
}

impl<'r, 'h> Windows<'r, 'h> {
    /// Reads nothing yet.
    pub fn new(reading: &'r Reading<'h>, path: &str) -> Self {
        Self {
            reading,
            path: path.to_owned(),
            kept: vec![],
        }
    }

    /// The file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Appends `length` bytes at `offset` to `into`. `Ok(false)`: the file ends before, and `into` has what there is.
    pub fn append(&mut self, offset: u64, length: usize, into: &mut Vec<u8>) -> Result<bool, Unread> {
        let mut at = offset;
        let mut missing = length;
        while missing > 0 {
            let within = usize::try_from(at % WINDOW).unwrap_or(usize::MAX);
            let window = self.window(at / WINDOW)?;
            let there = window.get(within..).unwrap_or_default();
            let taken = there.get(..missing.min(there.len())).unwrap_or_default();
            if taken.is_empty() {
                return Ok(false);
            }
            into.extend_from_slice(taken);
            missing -= taken.len();
            at += taken.len() as u64;
        }
        Ok(true)
    }

    /// `N` bytes at `offset`; `None` if the file ends before.
    pub fn array<const N: usize>(&mut self, offset: u64) -> Result<Option<[u8; N]>, Unread> {
        let mut bytes = Vec::with_capacity(N);
        self.append(offset, N, &mut bytes)?;
        Ok(bytes.try_into().ok())
    }

    fn window(&mut self, number: u64) -> Result<&[u8], Unread> {
        if let Some(at) = self.kept.iter().rposition(|(kept, _)| *kept == number) {
            let window = self.kept.remove(at);
            self.kept.push(window);
        } else {
            let length = usize::try_from(WINDOW).unwrap_or(usize::MAX);
            let bytes = self
                .reading
                .bytes_at(&self.path, number.saturating_mul(WINDOW), length)?
                .unwrap_or_default();
            if self.kept.len() >= KEPT {
                self.kept.remove(0);
            }
            self.kept.push((number, bytes));
        }
        Ok(self.kept.last().map_or(&[][..], |(_, bytes)| bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn as_the_file_itself(reads in prop::collection::vec((0_u64..450_000, 0_usize..200_000), 1..8)) {
            let bytes: Vec<u8> = (0..400_000_u32).flat_map(|number| [(number % 251) as u8]).collect();
            let host = Captured::default().file("/f", &bytes);
            let reading = testing(&host);
            let mut windows = Windows::new(&reading, "/f");
            for (offset, length) in reads {
                let begin = usize::try_from(offset).unwrap().min(bytes.len());
                let end = (begin + length).min(bytes.len());
                let mut got = vec![];
                let whole = windows.append(offset, length, &mut got).unwrap();
                prop_assert_eq!(&got, &bytes[begin..end]);
                prop_assert_eq!(whole, got.len() == length);
            }
        }
    }

    #[test]
    fn arrays() {
        let host = Captured::default().file("/f", "abcd");
        let reading = testing(&host);
        let mut windows = Windows::new(&reading, "/f");
        assert_eq!(windows.array(1).unwrap(), Some(*b"bc"));
        assert_eq!(windows.array::<2>(3).unwrap(), None);
        assert_eq!(windows.array::<1>(u64::MAX).unwrap(), None);
    }
}
