//! Order of Debian version numbers: deb-version(7).

use std::cmp::Ordering;

/// Longest version that is taken for one. dpkg has no limit; the longest in Debian has under 100 characters.
pub const MAX_LENGTH: usize = 256;

/// Whether `text` is a version as deb-version(7) writes it.
pub fn is_version(text: &str) -> bool {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    // dpkg keeps the epoch in an int.
    let epoch = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit()) && epoch.parse::<i32>().is_ok();
    let upstream = !upstream.is_empty()
        && upstream
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+-:~".contains(&byte));
    let revision = !revision.is_empty()
        && revision
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+~".contains(&byte));
    text.len() <= MAX_LENGTH && epoch && upstream && revision
}

/// Which of two versions is newer. For texts that are no versions the order is total all the same, and means nothing.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (epoch_a, upstream_a, revision_a) = parts(a);
    let (epoch_b, upstream_b, revision_b) = parts(b);
    number(epoch_a.as_bytes())
        .cmp(&number(epoch_b.as_bytes()))
        .then_with(|| part(upstream_a.as_bytes(), upstream_b.as_bytes()))
        .then_with(|| part(revision_a.as_bytes(), revision_b.as_bytes()))
}

/// Epoch, upstream version, revision. A revision that is not there counts as `0`.
fn parts(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch, upstream, revision)
}

/// Digits as something that compares like their number, however many there are: length before content.
fn number(digits: &[u8]) -> (usize, &[u8]) {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = digits.get(zeros..).unwrap_or_default();
    (digits.len(), digits)
}

fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = split(a, |byte| !byte.is_ascii_digit());
        let (text_b, rest_b) = split(b, |byte| !byte.is_ascii_digit());
        let (digits_a, rest_a) = split(rest_a, u8::is_ascii_digit);
        let (digits_b, rest_b) = split(rest_b, u8::is_ascii_digit);
        let ordering = text(text_a, text_b).then_with(|| number(digits_a).cmp(&number(digits_b)));
        if ordering != Ordering::Equal {
            return ordering;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn split(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let length = bytes.iter().take_while(|byte| belongs(byte)).count();
    bytes.split_at_checked(length).unwrap_or((bytes, &[]))
}

/// Texts without digits: `~` before the end, the end before letters, letters before the rest.
fn text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    };
    (0..a.len().max(b.len()))
        .map(|at| weight(a.get(at)).cmp(&weight(b.get(at))))
        .find(|ordering| *ordering != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order() {
        // Each is older than the next.
        let sorted = [
            "0~~",
            "0~~a",
            "0~",
            "0",
            "0a",
            "0+",
            "1.0~rc1-1",
            "1.0-1~deb12u1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-2",
            "1.0-10",
            "1.0+1-1",
            "1.1-1",
            "1:0",
            "1:0.1-1",
            "2:0",
            "10:0",
        ];
        for (at, older) in sorted.iter().enumerate() {
            assert_eq!(compare(older, older), Ordering::Equal);
            for newer in &sorted[at + 1..] {
                assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
                assert_eq!(compare(newer, older), Ordering::Greater, "{older} {newer}");
            }
        }
        for (a, b) in [
            ("1.0", "1.0-0"),
            ("0:1", "1"),
            ("1.01", "1.1"),
            ("1.0", "1.00"),
            ("1a", "1a0"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(
            compare("1.99999999999999999999999999", "1.100000000000000000000000000"),
            Ordering::Less
        );
    }

    #[test]
    fn forms() {
        for version in ["1", "1:2.3-4", "a", "1.0-1-1", "1:2:3-4", "0~", "2147483647:1"] {
            assert!(is_version(version), "{version}");
        }
        for other in [
            "",
            ":1",
            "1:",
            "a:1",
            "1-",
            "-1",
            "1 2",
            "1_2",
            "é",
            "1/2",
            "2147483648:1",
        ] {
            assert!(!is_version(other), "{other}");
        }
        assert!(!is_version(&"1".repeat(MAX_LENGTH + 1)));
    }

    proptest! {
        #[test]
        fn total_order(a in "[0-9a~+.:-]{0,12}", b in "[0-9a~+.:-]{0,12}", c in "\\PC{0,12}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&c, &c), Ordering::Equal);
            if compare(&a, &b) != Ordering::Greater && compare(&b, &c) != Ordering::Greater {
                prop_assert_ne!(compare(&a, &c), Ordering::Greater);
            }
        }
    }
}
