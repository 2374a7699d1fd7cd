//! How many of what: a bar of segments, in SVG.

use askama::Template;
use askama::filters::HtmlSafe;
use controls::status::HostCounts;

use crate::query::{HostTotals, StandingCounts, StatusCounts};

/// The width of a bar in its own units.
const WIDTH: u64 = 1000;
/// What is not nothing is seen, however little it is.
const LEAST: u64 = 14;

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
    pub(super) count: u64,
    pub(super) x: u64,
    pub(super) width: u64,
}

/// A bar.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "web/parts/bar.html")]
pub(super) struct Bar {
    pub(super) segments: Vec<Segment>,
    pub(super) total: u64,
}

impl HtmlSafe for Bar {}

impl Bar {
    /// Of counts in the order in which they are drawn: tone, word, count.
    pub(super) fn of(counts: impl IntoIterator<Item = (&'static str, &'static str, u64)>) -> Self {
        let counts: Vec<_> = counts.into_iter().filter(|(_, _, count)| *count > 0).collect();
        let total: u64 = counts.iter().map(|(_, _, count)| count).sum();
        let widths: Vec<u64> = counts
            .iter()
            .map(|(_, _, count)| (count.saturating_mul(WIDTH) / total.max(1)).max(LEAST))
            .collect();
        let sum: u64 = widths.iter().sum();
        let mut x = 0;
        let segments = counts.into_iter().zip(widths).map(|((tone, word, count), width)| {
            let width = width * WIDTH / sum.max(1);
            let segment = Segment {
                tone,
                word,
                count,
                x,
                width,
            };
            x += width;
            segment
        });
        Self {
            segments: segments.collect(),
            total,
        }
    }

    /// What it shows, for who does not see it.
    pub(super) fn words(&self) -> String {
        let words: Vec<_> = self
            .segments
            .iter()
            .map(|segment| format!("{} {}", segment.count, segment.word))
            .collect();
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    }
}

impl From<HostCounts> for Bar {
    fn from(counts: HostCounts) -> Self {
        Self::of([
            ("bad", "not met", counts.not_met),
            ("open", "unknown", counts.unknown),
            ("excepted", "excepted", counts.excepted),
            ("good", "met", counts.met),
            ("none", "not applicable", counts.not_applicable),
        ])
    }
}

impl From<StandingCounts> for Bar {
    fn from(counts: StandingCounts) -> Self {
        Self::of([
            ("bad", "not met", counts.not_met),
            ("open", "unknown", counts.unknown),
            ("good", "met", counts.met),
            ("none", "not applicable", counts.not_applicable),
        ])
    }
}

impl From<StatusCounts> for Bar {
    fn from(counts: StatusCounts) -> Self {
        Self::of([
            ("bad", "contradicted", counts.contradicted),
            ("open", "unknown", counts.unknown),
            ("good", "supported", counts.supported),
            ("none", "not evidenced", counts.not_evidenced),
        ])
    }
}

impl From<HostTotals> for Bar {
    fn from(totals: HostTotals) -> Self {
        Self::of([
            ("open", "silent", totals.silent),
            ("open", "never stated", totals.never_stated),
            ("good", "fresh", totals.fresh),
            ("none", "revoked", totals.revoked),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_seen_and_the_whole_is_kept() {
        let bar = Bar::of([("bad", "not met", 1), ("open", "unknown", 0), ("good", "met", 99_999)]);
        assert_eq!(bar.total, 100_000);
        assert_eq!(bar.segments.len(), 2);
        assert!(bar.segments[0].width >= LEAST - 1);
        let end = bar.segments.last().unwrap();
        assert!(end.x + end.width <= WIDTH);
        assert_eq!(bar.words(), "1 not met, 99999 met");
        assert_eq!(Bar::of([]).words(), "none");
    }
}
