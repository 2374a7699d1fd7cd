//! Times as fail2ban writes them: `10m`, `1d 12h`, `1week+2days`, `2*3600`.

/// Seconds of a unit; a month and a year are means over leap years.
fn unit(word: &str) -> Option<f64> {
    const HOUR: f64 = 3_600.0;
    const YEAR: f64 = 365.25 * 24.0 * HOUR;
    Some(match word {
        "s" | "ss" | "se" | "sec" | "second" | "seconds" => 1.0,
        "m" | "mm" | "mi" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hh" | "ho" | "hou" | "hour" | "hours" => HOUR,
        "d" | "dd" | "da" | "day" | "days" => 24.0 * HOUR,
        "w" | "ww" | "we" | "wee" | "week" | "weeks" => 7.0 * 24.0 * HOUR,
        "mo" | "mon" | "month" | "months" => YEAR / 12.0,
        "y" | "yy" | "ye" | "yea" | "year" | "years" => YEAR,
        _ => return None,
    })
}

enum Token {
    /// Its value, and whether it is one digit.
    Number(f64, bool),
    Unit(f64),
    Sign(char),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = vec![];
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_ascii_digit() {
            let is_part = |character: char| character.is_ascii_digit() || character == '.';
            let length = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
            let number = rest.get(..length)?;
            let is_octal = number.len() > 1 && number.starts_with('0') && !number.contains('.');
            let value = number
                .parse()
                .ok()
                .filter(|_| !is_octal || number.bytes().all(|byte| byte == b'0'))?;
            (Token::Number(value, length == 1), length)
        } else if first.is_ascii_alphabetic() {
            let length = rest
                .find(|character: char| !character.is_ascii_alphabetic())
                .unwrap_or(rest.len());
            (Token::Unit(unit(&rest.get(..length)?.to_ascii_lowercase())?), length)
        } else if matches!(first, '+' | '-' | '*') {
            (Token::Sign(first), 1)
        } else {
            return None;
        };
        tokens.push(token);
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

/// The seconds, cut to an integer as fail2ban does; `None` for what is written in another way.
pub(super) fn of(text: &str) -> Option<i64> {
    /// Longer ones are none.
    const MAX: usize = 200;
    if text.len() > MAX {
        return None;
    }
    let (mut sum, mut sign, mut term) = (0.0, 1.0, None);
    let mut times = false;
    // fail2ban joins numbers by looking at their digits in pairs: one digit has no second neighbour.
    let mut joined = false;
    for token in tokens(text)? {
        let was_joined = std::mem::take(&mut joined);
        match (token, term) {
            (Token::Number(value, _), Some(before)) if times => {
                term = Some(before * value);
                times = false;
            }
            (Token::Number(..), Some(_)) if was_joined => return None,
            (Token::Number(value, digit), Some(before)) => {
                joined = digit;
                sum += sign * before;
                (sign, term) = (1.0, Some(value));
            }
            (Token::Number(value, _), None) => term = Some(value),
            (Token::Unit(value), Some(before)) if !times => term = Some(before * value),
            (Token::Sign('*'), Some(_)) if !times => times = true,
            (Token::Sign(by), Some(before)) if !times && by != '*' => {
                sum += sign * before;
                (sign, term) = (if by == '-' { -1.0 } else { 1.0 }, None);
            }
            // Signs may stand before a number.
            (Token::Sign('-'), None) => sign = -sign,
            (Token::Sign('+'), None) => {}
            _ => return None,
        }
    }
    let whole = (sum + sign * term.filter(|_| !times)?).trunc();
    // Beyond this a number is not exact in JSON either.
    let exact = whole.abs() < 9.0e15;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    exact.then_some(whole as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_fail2ban_reckons() {
        for (text, expected) in [
            ("600", Some(600)),
            ("10m", Some(600)),
            ("-1", Some(-1)),
            ("1d12h", Some(129_600)),
            ("1h 2m 3s", Some(3_723)),
            ("1hour+30min", Some(5_400)),
            ("1year-6mo", Some(15_778_800)),
            ("1 WEEK", Some(604_800)),
            ("2*3600", Some(7_200)),
            ("0.5h", Some(1_800)),
            ("", None),
            ("x", None),
            ("5mins", None),
            ("1*", None),
            ("010", None),
            ("1h 0 0s", None),
            ("1h 10 5s", Some(3_615)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,40}", near in "([0-9]{1,3}|[a-z]|\\+|-|\\*|\\.| |min|week){0,12}") {
            of(&text);
            of(&near);
        }
    }
}
