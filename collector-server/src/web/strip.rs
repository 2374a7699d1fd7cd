//! What held when: a strip of intervals over a period, in SVG.

use askama::Template;
use askama::filters::HtmlSafe;
use evidence::Timestamp;

use super::when::{duration, plain};

/// The width of a strip in its own units.
const WIDTH: i64 = 1000;
/// What is shorter is drawn this wide.
const LEAST: i64 = 3;

/// One interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) tone: &'static str,
    pub(super) title: String,
    pub(super) x: i64,
    pub(super) width: i64,
}

/// A strip, without its scale: several may share one.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "web/parts/strip.html")]
pub(super) struct Strip {
    pub(super) label: String,
    pub(super) stretches: Vec<Stretch>,
}

impl HtmlSafe for Strip {}

impl Strip {
    /// Of intervals over `[from, to)`: begin, end, tone, words.
    pub(super) fn of(
        label: impl Into<String>,
        (from, to): (Timestamp, Timestamp),
        intervals: impl IntoIterator<Item = (Timestamp, Timestamp, &'static str, String)>,
    ) -> Self {
        let period = to.since(from).max(1);
        let place = |at: Timestamp| at.since(from).clamp(0, period).saturating_mul(WIDTH) / period;
        let stretch = |(begin, end, tone, words): (Timestamp, Timestamp, &'static str, String)| {
            let x = place(begin).min(WIDTH - LEAST);
            let length = duration(end.since(begin));
            Stretch {
                tone,
                title: format!("{words}: {} to {} UTC, {length}", plain(begin), plain(end)),
                x,
                width: (place(end) - x).max(LEAST),
            }
        };
        Self {
            label: label.into(),
            stretches: intervals.into_iter().map(stretch).collect(),
        }
    }
}

/// The scale under strips: begin, middle and end of the period.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "web/parts/scale.html")]
pub(super) struct Scale {
    pub(super) marks: Vec<(String, String)>,
}

impl HtmlSafe for Scale {}

impl Scale {
    /// Over `[from, to)`; `now` is written as such.
    pub(super) fn of((from, to): (Timestamp, Timestamp), now: Timestamp) -> Self {
        let label = |at: Timestamp| {
            let text = plain(at);
            // A scale of more than two days needs no hours.
            let length = if to.since(from) > 2 * 86_400 { 10 } else { 16 };
            let short: String = text.chars().take(length).collect();
            if now.since(at) <= 1 && now.since(at) >= -1 {
                "now".to_owned()
            } else {
                short
            }
        };
        let middle = from.plus(to.since(from) / 2);
        let marks = [from, middle, to].map(|at| (at.to_string(), label(at)));
        Self { marks: marks.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_cut_to_the_period_and_short_ones_are_seen() {
        let from = Timestamp::from_unix(1_795_514_922).unwrap();
        let to = from.plus(86_400);
        let strip = Strip::of(
            "x",
            (from, to),
            [
                (from.plus(-50), from.plus(43_200), "good", "met".to_owned()),
                (from.plus(43_200), from.plus(43_201), "bad", "not met".to_owned()),
                (to.plus(-1), to.plus(9), "open", "unknown".to_owned()),
            ],
        );
        let places: Vec<_> = strip
            .stretches
            .iter()
            .map(|stretch| (stretch.x, stretch.width))
            .collect();
        assert_eq!(places, [(0, 500), (500, LEAST), (WIDTH - LEAST, LEAST)]);
        assert!(strip.to_string().contains("not met: 2026-11-24 22:08:42 to"));
    }
}
