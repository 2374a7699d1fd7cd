//! Numbers that change all the time, made coarse.

use evidence::facts::Outcome;

use super::facts::{CountBand, OffsetBand, Reference, StratumBand};
use crate::probe::Known;

pub(super) const fn stratum(stratum: u8) -> StratumBand {
    match stratum {
        1 => StratumBand::First,
        2..=5 => StratumBand::Usual,
        6..=15 => StratumBand::Far,
        _ => StratumBand::None,
    }
}

pub(super) const fn count(number: u64) -> CountBand {
    match number {
        0 => CountBand::None,
        1 => CountBand::One,
        2 => CountBand::Two,
        _ => CountBand::Several,
    }
}

/// What a service calls its offset, where that is one from somebody else's time: without a source, chronyd says zero.
pub(super) fn against(reference: Reference, offset: impl FnOnce() -> Known<OffsetBand>) -> Known<OffsetBand> {
    match reference {
        Reference::Source => offset(),
        Reference::LocalClock | Reference::None => Known::absent("no source to compare with"),
    }
}

/// From seconds in decimal form with a sign.
pub(super) fn offset(seconds: &str) -> Known<OffsetBand> {
    scaled(seconds, 9)
}

/// From a number in decimal form, of a unit of 10 to the power of `digits` nanoseconds.
fn scaled(number: &str, digits: usize) -> Known<OffsetBand> {
    nanoseconds(number, digits).map_or_else(
        || Known::not(Outcome::Malformed, format!("the offset {number:?} is no number")),
        |nanoseconds| {
            Known::Observed(match nanoseconds {
                0..1_000_000 => OffsetBand::Under1Ms,
                1_000_000..10_000_000 => OffsetBand::Under10Ms,
                10_000_000..100_000_000 => OffsetBand::Under100Ms,
                100_000_000..1_000_000_000 => OffsetBand::Under1S,
                _ => OffsetBand::Over1S,
            })
        },
    )
}

/// From milliseconds in decimal form with a sign.
pub(super) fn milliseconds(number: &str) -> Known<OffsetBand> {
    scaled(number, 6)
}

/// From a span as systemd writes it: `+1.234ms`, `-5us`, `1min 2.5s`.
pub(super) fn span(text: &str) -> Known<OffsetBand> {
    let number = |unit: &str| text.strip_suffix(unit).filter(|rest| !rest.contains(' '));
    if let Some(number) = number("us") {
        return scaled(number, 3);
    }
    if let Some(number) = number("ms") {
        return scaled(number, 6);
    }
    // Everything from a minute on has several parts or another unit.
    if text.contains("min") || text.contains('h') || text.contains(' ') {
        return Known::Observed(OffsetBand::Over1S);
    }
    scaled(text.strip_suffix('s').unwrap_or(text), 9)
}

fn nanoseconds(number: &str, digits: usize) -> Option<u128> {
    let number = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let only_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !only_digits(whole) || !only_digits(fraction) || number.len() > 30 {
        return None;
    }
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    format!("{whole}{fraction}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let of = |text| offset(text).value().copied();
        assert_eq!(of("-0.000001893"), Some(OffsetBand::Under1Ms));
        assert_eq!(of("0.001"), Some(OffsetBand::Under10Ms));
        assert_eq!(of("0.0999999999"), Some(OffsetBand::Under100Ms));
        assert_eq!(of("0.999"), Some(OffsetBand::Under1S));
        assert_eq!(of("-1.0"), Some(OffsetBand::Over1S));
        assert_eq!(of(""), None);
        assert_eq!(of("nan"), None);
        assert_eq!(milliseconds("-12.5").value(), Some(&OffsetBand::Under100Ms));
    }

    #[test]
    fn spans() {
        let of = |text| span(text).value().copied();
        assert_eq!(of("+1.234ms"), Some(OffsetBand::Under10Ms));
        assert_eq!(of("-500us"), Some(OffsetBand::Under1Ms));
        assert_eq!(of("+0"), Some(OffsetBand::Under1Ms));
        assert_eq!(of("-2.5s"), Some(OffsetBand::Over1S));
        assert_eq!(of("+1min 3.2s"), Some(OffsetBand::Over1S));
        assert_eq!(of("x"), None);
    }
}
