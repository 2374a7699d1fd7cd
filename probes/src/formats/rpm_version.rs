//! Order of RPM's version numbers: rpm-version(7); `rpmio/rpmvercmp.c` and `lib/rpmvercmp.c` of rpm.

use std::cmp::Ordering;

/// Longest `epoch:version-release` that is taken for one.
pub const MAX_LENGTH: usize = 512;

/// Whether `text` is made of what versions and releases are made of.
pub fn is_part(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_LENGTH
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+~^%{}".contains(&byte) || byte == b'-')
}

/// An epoch, version and release, as they are compared. An epoch that is not given counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evr<'a> {
    /// Epoch.
    pub epoch: u64,
    /// Version.
    pub version: &'a str,
    /// Release; empty if it is left open.
    pub release: &'a str,
}

impl<'a> Evr<'a> {
    /// `[epoch:]version[-release]`. An epoch that is no number counts as 0, as it does for rpm.
    pub fn parse(text: &'a str) -> Self {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: epoch.parse().unwrap_or(0),
            version,
            release,
        }
    }

    /// Which is newer.
    pub fn compare(&self, other: &Self) -> Ordering {
        let release = || {
            if self.release.is_empty() || other.release.is_empty() {
                Ordering::Equal
            } else {
                part(self.release, other.release)
            }
        };
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| part(self.version, other.version))
            .then_with(release)
    }
}

/// Which of two `[epoch:]version[-release]` is newer.
pub fn compare(a: &str, b: &str) -> Ordering {
    Evr::parse(a).compare(&Evr::parse(b))
}

/// Which of two versions, or of two releases, is newer: `rpmvercmp`. Characters that are neither letters nor digits
/// divide and are not compared; `~` sorts before the end, `^` after it and before everything else.
pub fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        (a, b) = (after_separators(a), after_separators(b));
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (a, b) = (a.get(1..).unwrap_or_default(), b.get(1..).unwrap_or_default());
                continue;
            }
            (Some(b'~'), _) | (None, Some(b'^')) => return Ordering::Less,
            (_, Some(b'~')) | (Some(b'^'), None) => return Ordering::Greater,
            (Some(b'^'), Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            (None, _) | (_, None) => break,
            (Some(_), Some(_)) => {}
        }
        let digits = a.first().is_some_and(u8::is_ascii_digit);
        let belongs = if digits {
            u8::is_ascii_digit
        } else {
            u8::is_ascii_alphabetic
        };
        let (one, rest_a) = split(a, belongs);
        let (two, rest_b) = split(b, belongs);
        (a, b) = (rest_a, rest_b);
        // A number is newer than letters.
        if two.is_empty() {
            return if digits { Ordering::Greater } else { Ordering::Less };
        }
        let order = if digits {
            let (one, two) = (without_zeros(one), without_zeros(two));
            one.len().cmp(&two.len()).then_with(|| one.cmp(two))
        } else {
            one.cmp(two)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().min(1).cmp(&b.len().min(1))
}

fn after_separators(bytes: &[u8]) -> &[u8] {
    let means = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^');
    let begin = bytes.iter().position(means).unwrap_or(bytes.len());
    bytes.get(begin..).unwrap_or_default()
}

fn split(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let length = bytes.iter().take_while(|byte| belongs(byte)).count();
    bytes.split_at_checked(length).unwrap_or((bytes, &[]))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order() {
        // Each is older than the next.
        let sorted = [
            "1.0~~",
            "1.0~rc1",
            "1.0~rc1^git1",
            "1.0",
            "1.0^",
            "1.0^git1",
            "1.0^git1.1",
            "1.0a",
            "1.0.1",
            "1.0.10",
            "1.1",
            "2",
            "10",
        ];
        for (at, older) in sorted.iter().enumerate() {
            assert_eq!(part(older, older), Ordering::Equal);
            for newer in &sorted[at + 1..] {
                assert_eq!(part(older, newer), Ordering::Less, "{older} {newer}");
                assert_eq!(part(newer, older), Ordering::Greater, "{older} {newer}");
            }
        }
        for (a, b) in [("1.0", "1_0"), ("1.01", "1.1"), ("a+", "a"), ("2.0", "2..0.")] {
            assert_eq!(part(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn whole_versions() {
        for (a, b, order) in [
            ("1:1-1", "2-1", Ordering::Greater),
            ("0:1-1", "1-1", Ordering::Equal),
            ("1-1.fc42", "1-2.fc41", Ordering::Less),
            ("1-1", "1", Ordering::Equal),
            ("x:1-1", "1-1", Ordering::Equal),
        ] {
            assert_eq!(compare(a, b), order, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn antisymmetric(a in "[0-9a-c~^.+-]{0,12}", b in "[0-9a-c~^.+-]{0,12}", c in "\\PC{0,12}") {
            // The same versions, apart from one quirk of the authority: letters against a number at the beginning.
            prop_assert_eq!(part(&a, &b), part(&b, &a).reverse());
            prop_assert_eq!(compare(&c, &c), Ordering::Equal);
        }
    }
}
