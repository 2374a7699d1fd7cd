//! Lines of an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT).

use crate::accounts::records::printable;
use crate::order::Order as _;
use crate::sshd::PublicHalf;
use crate::sshd::hostkey;

/// Longer than any line that sshd takes (8 KiB for the key, and options).
const MAX_LINE: usize = 64 * 1024;
/// More keys than a file has that somebody keeps.
pub(super) const MAX_KEYS: usize = 1_000;
/// A comment is shown up to this.
const MAX_COMMENT: usize = 200;
/// More options than there are.
const MAX_OPTIONS: usize = 64;

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Authorized {
    pub(super) keys: Vec<Line>,
    /// Lines that are none.
    pub(super) unparsed: Vec<u32>,
    /// There are more than [`MAX_KEYS`].
    pub(super) cut: bool,
}

/// A key with its options.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) key: PublicHalf,
    /// Names, sorted.
    pub(super) options: Vec<String>,
    pub(super) expires: Option<String>,
    pub(super) comment: String,
}

/// Reads a file.
pub(super) fn parse(bytes: &[u8]) -> Authorized {
    let mut read = Authorized::default();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if read.keys.len() >= MAX_KEYS || read.unparsed.len() >= MAX_KEYS {
            read.cut = true;
            break;
        }
        match key(number, line) {
            Some(key) => read.keys.push(key),
            None => read.unparsed.push(number),
        }
    }
    read
}

fn key(number: u32, text: &[u8]) -> Option<Line> {
    if text.len() > MAX_LINE {
        return None;
    }
    // As sshd: first without options.
    let (options, key, rest) = if let Some((key, rest)) = public(text) {
        (&[][..], key, rest)
    } else {
        let (options, rest) = text.split_at_checked(options_end(text)?)?;
        let (key, rest) = public(rest.trim_ascii_start())?;
        (options, key, rest)
    };
    let (options, expires) = names(options)?;
    let comment = printable(rest.trim_ascii());
    Some(Line {
        number,
        key,
        options,
        expires,
        comment: comment.chars().take(MAX_COMMENT).collect(),
    })
}

/// The key that `text` begins with, and what follows.
fn public(text: &[u8]) -> Option<(PublicHalf, &[u8])> {
    let mut words = text.splitn(3, |byte| matches!(byte, b' ' | b'\t'));
    let (kind, encoded) = (words.next()?, words.next()?);
    // Several blanks are rare, and sshd takes them.
    if encoded.is_empty() {
        let after = text.get(kind.len()..)?.trim_ascii_start();
        let joined = [kind, b" ", after].concat();
        let key = public(&joined).map(|(key, rest)| (key, rest.len()));
        return key.and_then(|(key, left)| Some((key, text.get(text.len().checked_sub(left)?..)?)));
    }
    let both = [kind, b" ", encoded].concat();
    let key = hostkey::parse(std::str::from_utf8(&both).ok()?).ok()?;
    Some((key, words.next().unwrap_or_default()))
}

/// Where the options end: at the first blank outside quotes, in which `\"` is a quote.
fn options_end(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut before = 0;
    for (at, byte) in text.iter().copied().enumerate() {
        match byte {
            b'"' if before != b'\\' => quoted = !quoted,
            b' ' | b'\t' if !quoted => return Some(at),
            _ => {}
        }
        before = byte;
    }
    None
}

/// Names of the options, and the value of `expiry-time`.
fn names(options: &[u8]) -> Option<(Vec<String>, Option<String>)> {
    let (mut names, mut expires): (Vec<String>, _) = (vec![], None);
    let mut left = options;
    while !left.is_empty() {
        let end = left
            .iter()
            .position(|byte| matches!(byte, b'=' | b','))
            .unwrap_or(left.len());
        let (name, rest) = left.split_at_checked(end)?;
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        // Only what sshd could take for an option's name is repeated.
        let sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if name.is_empty() || name.len() > 40 || !sound || names.len() >= MAX_OPTIONS {
            return None;
        }
        let length = rest
            .strip_prefix(b"=")
            .map_or(Some(0), |value| value_length(value).map(|length| length + 1))?;
        let (value, rest) = rest.split_at_checked(length)?;
        if name == "expiry-time" {
            let digits = std::str::from_utf8(value).ok()?.trim_matches(['=', '"']);
            let date = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'Z');
            expires = date.then(|| digits.to_owned());
        }
        names.push(name);
        left = match rest {
            [] => rest,
            [b',', rest @ ..] => rest,
            _ => return None,
        };
    }
    names.order();
    names.dedup();
    Some((names, expires))
}

/// Length of a value in quotes, quotes included.
fn value_length(value: &[u8]) -> Option<usize> {
    let inside = value.strip_prefix(b"\"")?;
    let mut before = 0;
    let end = inside.iter().position(|byte| {
        let ends = *byte == b'"' && before != b'\\';
        before = *byte;
        ends
    })?;
    Some(end + 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJPlPFrTqXdXR5RtIFHuGPI3R0qUSyqJkPMOZ3TV1iHQ";

    #[test]
    fn keys_with_and_without_options() {
        let text = format!(
            "# comment\n\n{KEY} alice@example.org\r\n  {KEY}\nno-pty,from=\"10.0.0.0/8,*.example.org\",command=\"echo \\\"a b\\\", c\" {KEY} two words\n\
             restrict,expiry-time=\"20301231\" {KEY}\ncert-authority\t{KEY} ca\nssh-ed25519 AAAA\ncommand=\"open {KEY}\nssh-ed25519  {}\nNO-PTY {KEY}\n",
            KEY.split(' ').nth(1).unwrap()
        );
        let read = parse(text.as_bytes());
        let seen: Vec<_> = read
            .keys
            .iter()
            .map(|key| {
                format!(
                    "{} {} {:?} {}",
                    key.number,
                    key.options.join("+"),
                    key.expires,
                    key.comment
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                "3  None alice@example.org",
                "4  None ",
                "5 command+from+no-pty None two words",
                "6 expiry-time+restrict Some(\"20301231\") ",
                "7 cert-authority None ca",
                "10  None ",
                "11 no-pty None ",
            ]
        );
        assert_eq!(read.unparsed, [8, 9]);
        assert_eq!(read.keys[0].key.kind, "ssh-ed25519");
    }

    #[test]
    fn their_number_is_bounded() {
        let many = format!("{KEY}\n").repeat(MAX_KEYS + 1);
        let read = parse(many.as_bytes());
        assert!(read.cut && read.keys.len() == MAX_KEYS);
        assert!(parse("x\n".repeat(MAX_KEYS + 1).as_bytes()).cut);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(parts in prop::collection::vec(prop_oneof![
            Just(KEY.as_bytes().to_vec()), Just(b"from=\"".to_vec()), Just(b"\" ".to_vec()), Just(b"\n".to_vec()),
            Just(b",".to_vec()), prop::collection::vec(any::<u8>(), 0..10)], 0..12)) {
            let _ = parse(&parts.concat());
        }
    }
}
