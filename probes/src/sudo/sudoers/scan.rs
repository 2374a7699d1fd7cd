//! How far the rules of sudo's lexer match: lengths in bytes, 0 for not at all. Names are those of its definitions.

/// Length of the run of bytes that `of` accepts.
pub(super) fn run(bytes: &[u8], of: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| of(**byte)).count()
}

/// `[[:blank:]]*`
pub(super) fn blanks(bytes: &[u8]) -> usize {
    run(bytes, |byte| matches!(byte, b' ' | b'\t'))
}

/// `\r?\n`
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// `\\[[:blank:]]*\r?\n`
pub(super) fn continuation(bytes: &[u8]) -> Option<usize> {
    let after = bytes.strip_prefix(b"\\")?;
    let blanks = blanks(after);
    Some(1 + blanks + line_end(after.get(blanks..)?)?)
}

/// `[[:blank:]]*,[[:blank:]]*`
pub(super) fn comma_with_blanks(bytes: &[u8]) -> Option<usize> {
    let before = blanks(bytes);
    let after = bytes.get(before..)?.strip_prefix(b",")?;
    Some(before + 1 + blanks(after))
}

/// `#(-[^\r\n0-9].*|[^\r\n0-9-].*)?(\r\n|\n)?`: a comment, as `#` before a number is an id.
pub(super) fn comment(bytes: &[u8]) -> Option<usize> {
    let after = bytes.strip_prefix(b"#")?;
    match after {
        [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] => return None,
        _ => {}
    }
    let line = run(after, |byte| byte != b'\n');
    Some((1 + line + 1).min(bytes.len()))
}

/// `#-?[0-9]+`
pub(super) fn id(bytes: &[u8]) -> Option<usize> {
    let after = bytes.strip_prefix(b"#")?;
    let sign = usize::from(after.first() == Some(&b'-'));
    let digits = run(after.get(sign..)?, |byte| byte.is_ascii_digit());
    (digits > 0).then_some(1 + sign + digits)
}

/// Runs of characters that `plain` accepts and of pairs of a backslash and one that `escaped` accepts.
fn escaping(bytes: &[u8], plain: impl Fn(u8) -> bool, escaped: impl Fn(u8) -> bool) -> usize {
    let mut length = 0;
    loop {
        match bytes.get(length..).unwrap_or_default() {
            [b'\\', next, ..] if escaped(*next) => length += 2,
            [byte, ..] if *byte != b'\\' && plain(*byte) => length += 1,
            _ => return length,
        }
    }
}

/// WORD: `([^#>!=:,\(\) \t\r\n\\\"]|\\[^\t\n])+`
pub(super) fn word(bytes: &[u8]) -> usize {
    let plain = |byte| {
        !matches!(
            byte,
            b'#' | b'>' | b'!' | b'=' | b':' | b',' | b'(' | b')' | b' ' | b'\t' | b'\r' | b'\n' | b'"'
        )
    };
    escaping(bytes, plain, |byte| !matches!(byte, b'\t' | b'\n'))
}

/// ENVAR: `([^#!=, \t\r\n\\\"]|\\[^\r\n])([^#=, \t\r\n\\\"]|\\[^\r\n])*`
pub(super) fn environment_word(bytes: &[u8]) -> usize {
    if bytes.first() == Some(&b'!') {
        return 0;
    }
    let plain = |byte| !matches!(byte, b'#' | b'=' | b',' | b' ' | b'\t' | b'\r' | b'\n' | b'"');
    escaping(bytes, plain, |byte| !matches!(byte, b'\r' | b'\n'))
}

/// PATH: `\/(\\[\,:= \t#]|[^\,:=\\ \t\r\n#])+`
pub(super) fn path(bytes: &[u8]) -> usize {
    let Some(after) = bytes.strip_prefix(b"/") else {
        return 0;
    };
    let plain = |byte| !matches!(byte, b',' | b':' | b'=' | b' ' | b'\t' | b'\r' | b'\n' | b'#');
    match escaping(after, plain, |byte| {
        matches!(byte, b',' | b':' | b'=' | b' ' | b'\t' | b'#')
    }) {
        0 => 0,
        length => 1 + length,
    }
}

/// Longer than a regular expression that somebody writes. Each `^` is tried as the beginning of one, so that without a
/// limit a line of them would take time in proportion to its square.
const MAX_REGULAR_EXPRESSION: usize = 1024;

/// REGEX: `\^([^#\r\n\$]|\\[#\$])*\$`. The longest match: a backslash before `$` may be either.
pub(super) fn regular_expression(bytes: &[u8]) -> usize {
    let Some(after) = bytes.strip_prefix(b"^") else {
        return 0;
    };
    let (mut at, mut end) = (0, 0);
    while let Some(byte) = after.get(at).filter(|_| at < MAX_REGULAR_EXPRESSION) {
        let escaped = at > 0 && after.get(at - 1) == Some(&b'\\');
        match byte {
            b'\r' | b'\n' => break,
            b'$' => {
                end = at + 2;
                if !escaped {
                    break;
                }
            }
            b'#' if !escaped => break,
            _ => {}
        }
        at += 1;
    }
    end
}

/// `[[:upper:]][[:upper:][:digit:]_]*`
pub(super) fn alias(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return 0;
    }
    run(bytes, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
    })
}

/// Path in GOTINC: `[^\"[:space:]]([^[:space:]]|\\[[:blank:]])*`
pub(super) fn include_path(bytes: &[u8]) -> usize {
    let space = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
    let mut length = 0;
    loop {
        match bytes.get(length..).unwrap_or_default() {
            [b'\\', b' ' | b'\t', ..] if length > 0 => length += 2,
            [byte, ..] if !space(*byte) => length += 1,
            _ => return length,
        }
    }
}

/// What may follow `Defaults` directly: `[:@>\!][[:blank:]]*\!*\"?({ID}|{WORD})`. Number of blanks in it.
pub(super) fn bound_to(bytes: &[u8]) -> Option<usize> {
    let blanks = blanks(bytes.get(1..)?);
    let name = bytes.get(1 + blanks..)?;
    let name = name.get(run(name, |byte| byte == b'!')..)?;
    let name = name.strip_prefix(b"\"").unwrap_or(name);
    (word(name) > 0 || id(name).is_some()).then_some(blanks)
}

/// NTWKADDR: an address, alone or with a mask or prefix length.
pub(super) fn network(bytes: &[u8]) -> usize {
    let with_mask = |address: fn(&[u8]) -> usize, most: u32| {
        let length = address(bytes);
        let Some(after) = bytes.get(length..).and_then(|after| after.strip_prefix(b"/")) else {
            return length;
        };
        if length == 0 {
            return 0;
        }
        match address(after).max(prefix_length(after, most)) {
            0 => length,
            mask => length + 1 + mask,
        }
    };
    with_mask(ipv4, 32).max(with_mask(ipv6, 128))
}

/// A number from 0 to `most` without leading zeros (IPv4: `[12]?[0-9]|3[0-2]`).
fn prefix_length(bytes: &[u8], most: u32) -> usize {
    let digits = run(bytes, |byte| byte.is_ascii_digit()).min(3);
    let fits = |length: &usize| {
        let text = bytes
            .get(..*length)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .unwrap_or_default();
        (*length == 1 || !text.starts_with('0')) && text.parse::<u32>().is_ok_and(|number| number <= most)
    };
    (1..=digits).rev().find(fits).unwrap_or(0)
}

/// OCTET: `(1?[0-9]{1,2})|(2[0-4][0-9])|(25[0-5])`
fn octet(bytes: &[u8]) -> usize {
    match bytes {
        [b'1', b'0'..=b'9', b'0'..=b'9', ..] | [b'2', b'0'..=b'4', b'0'..=b'9', ..] | [b'2', b'5', b'0'..=b'5', ..] => {
            3
        }
        [b'0'..=b'9', b'0'..=b'9', ..] => 2,
        [b'0'..=b'9', ..] => 1,
        _ => 0,
    }
}

/// IPV4ADDR: `{OCTET}(\.{OCTET}){3}`
fn ipv4(bytes: &[u8]) -> usize {
    let mut length = 0;
    for number in 0..4 {
        let rest = bytes.get(length..).unwrap_or_default();
        let dot = usize::from(number > 0);
        if number > 0 && rest.first() != Some(&b'.') {
            return 0;
        }
        match octet(rest.get(dot..).unwrap_or_default()) {
            0 => return 0,
            digits => length += dot + digits,
        }
    }
    length
}

/// IPV6ADDR: `({HEX16}?:){2,7}{HEX16}?|({HEX16}?:){2,6}:{IPV4ADDR}`
fn ipv6(bytes: &[u8]) -> usize {
    let hexadecimal = |at: usize| run(bytes.get(at..).unwrap_or_default(), |byte| byte.is_ascii_hexdigit()).min(4);
    let (mut at, mut longest) = (0, 0);
    for number in 1..=7 {
        let digits = hexadecimal(at);
        if bytes.get(at + digits) != Some(&b':') {
            break;
        }
        at += digits + 1;
        if number >= 2 {
            longest = longest.max(at + hexadecimal(at));
        }
        if (2..=6).contains(&number) && bytes.get(at) == Some(&b':') {
            let tail = ipv4(bytes.get(at + 1..).unwrap_or_default());
            if tail > 0 {
                longest = longest.max(at + 1 + tail);
            }
        }
    }
    longest
}

/// Whether each of address and mask has `::` once at most.
pub(super) fn one_gap(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'/')
        .all(|part| part.windows(2).filter(|pair| *pair == b"::").count() <= 1)
}

/// As it stands; bytes that are not UTF-8 are written `\xNN`.
pub(super) fn plain(bytes: &[u8]) -> String {
    crate::accounts::records::printable(bytes)
}

/// Without escapes: `\x` and two hexadecimal digits for a byte, a backslash before anything else for that.
pub(super) fn unescaped(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match rest {
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                text.push((digit(*high) << 4) | digit(*low));
                rest = after;
            }
            [b'\\', byte, after @ ..] | [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
            [] => return plain(&text),
        }
    }
}

fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => byte.to_ascii_lowercase().saturating_sub(b'a').saturating_add(10),
    }
}

/// Path of a command: a backslash before one of sudoers' special characters goes.
pub(super) fn command_path(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match rest {
            [b'\\', byte @ (b',' | b':' | b'=' | b' ' | b'\t' | b'#'), after @ ..] | [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
            [] => return plain(&text),
        }
    }
}
