//! Which programs a profile of `AppArmor` is for: the pattern of its attachment (apparmor.d(5), *Globbing*).

/// Deeper alternatives are not understood.
const MAX_DEPTH: usize = 20;
/// Longer patterns and paths are not looked at: each letter of one is held against each of the other.
const MAX_LENGTH: usize = 4_096;

/// Whether `pattern` is that of `program`. `None`: it is not understood.
pub(super) fn is_for(pattern: &str, program: &str) -> Option<bool> {
    if pattern.len() > MAX_LENGTH || program.len() > MAX_LENGTH {
        return None;
    }
    let mut starts = vec![false; program.len() + 1];
    *starts.first_mut()? = true;
    let ends = follow(pattern.as_bytes(), starts, program.as_bytes(), MAX_DEPTH)?;
    ends.last().copied()
}

/// The places in `text` which `pattern` can lead to from the places `at`, both as flags by place.
fn follow(mut pattern: &[u8], mut at: Vec<bool>, text: &[u8], depth: usize) -> Option<Vec<bool>> {
    while let Some((sign, rest)) = pattern.split_first() {
        pattern = rest;
        at = match sign {
            b'*' => {
                let deep = pattern.first() == Some(&b'*');
                while let Some(rest) = pattern.strip_prefix(b"*") {
                    pattern = rest;
                }
                any(&at, text, deep)
            }
            b'?' => step(&at, text, |letter| letter != b'/'),
            b'[' => {
                let end = pattern.iter().skip(1).position(|letter| *letter == b']')? + 1;
                let (class, rest) = pattern.split_at_checked(end)?;
                pattern = rest.strip_prefix(b"]")?;
                step(&at, text, |letter| in_class(class, letter))
            }
            b'{' => {
                let (alternatives, rest) = alternatives(pattern)?;
                pattern = rest;
                let mut ends = vec![false; at.len()];
                for alternative in alternatives {
                    let reached = follow(alternative, at.clone(), text, depth.checked_sub(1)?)?;
                    ends.iter_mut().zip(reached).for_each(|(end, reached)| *end |= reached);
                }
                ends
            }
            b'\\' => {
                let (sign, rest) = pattern.split_first()?;
                pattern = rest;
                step(&at, text, |letter| letter == *sign)
            }
            sign => step(&at, text, |letter| letter == *sign),
        };
    }
    Some(at)
}

/// One letter further.
fn step(at: &[bool], text: &[u8], takes: impl Fn(u8) -> bool) -> Vec<bool> {
    let moved = at.iter().zip(text).map(|(at, letter)| *at && takes(*letter));
    std::iter::once(false).chain(moved).collect()
}

/// Any number of letters further; past `/` if `deep`.
fn any(at: &[bool], text: &[u8], deep: bool) -> Vec<bool> {
    let mut reached = false;
    let before = std::iter::once(None).chain(text.iter().map(Some));
    let places = at.iter().zip(before).map(|(at, letter)| {
        reached &= deep || letter != Some(&b'/');
        reached |= at;
        reached
    });
    places.collect()
}

/// `abc`, `a-z`, either with `^` before it.
fn in_class(class: &[u8], letter: u8) -> bool {
    let (class, negated) = match class.strip_prefix(b"^") {
        Some(rest) => (rest, true),
        None => (class, false),
    };
    let mut rest = class;
    let mut found = false;
    while let Some((first, more)) = rest.split_first() {
        rest = if let [b'-', last, more @ ..] = more {
            found |= (*first..=*last).contains(&letter);
            more
        } else {
            found |= *first == letter;
            more
        };
    }
    found != negated
}

/// What stands between commas up to the closing bracket, and what comes after it.
fn alternatives(pattern: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut found = vec![];
    let (mut start, mut depth, mut escaped) = (0, 0_usize, false);
    for (place, letter) in pattern.iter().enumerate() {
        match letter {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'}' => {
                found.push(pattern.get(start..place)?);
                return Some((found, pattern.get(place + 1..)?));
            }
            b',' if depth == 0 => {
                found.push(pattern.get(start..place)?);
                start = place + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, program, expected) in [
            ("/usr/sbin/chronyd", "/usr/sbin/chronyd", Some(true)),
            ("/usr/sbin/chronyd", "/usr/sbin/chrony", Some(false)),
            ("/usr/{bin,sbin}/ping", "/usr/sbin/ping", Some(true)),
            ("/{usr/,}bin/ping", "/bin/ping", Some(true)),
            ("/{,usr/}{bin,{s,x}bin}/a", "/usr/xbin/a", Some(true)),
            ("/opt/*/x", "/opt/a/b/x", Some(false)),
            ("/opt/**/x", "/opt/a/b/x", Some(true)),
            ("/opt/**", "/opt/a/b", Some(true)),
            ("/usr/bin/python3.[0-9]", "/usr/bin/python3.9", Some(true)),
            ("/usr/bin/python3.[^0-8]", "/usr/bin/python3.9", Some(true)),
            ("/usr/bin/python3.?", "/usr/bin/python3./", Some(false)),
            ("/a\\*b", "/a*b", Some(true)),
            ("/a\\*b", "/axb", Some(false)),
            ("/a{b", "/ab", None),
            ("/a[b", "/ab", None),
        ] {
            assert_eq!(is_for(pattern, program), expected, "{pattern} {program}");
        }
        assert_eq!(is_for(&"{".repeat(1_000), "/a"), None);
    }

    proptest! {
        #[test]
        fn any_pattern_ends(pattern in r"[/ab*?\[\]{},\\^-]{0,40}", program in "[/ab]{0,12}") {
            let _ = is_for(&pattern, &program);
        }

        #[test]
        fn a_plain_path_is_for_itself_alone(one in "/[a-z/]{0,12}", other in "/[a-z/]{0,12}") {
            prop_assert_eq!(is_for(&one, &other), Some(one == other));
        }
    }
}
