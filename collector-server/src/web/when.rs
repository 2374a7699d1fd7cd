//! Instants and durations as people read them.

use askama::Template;
use askama::filters::HtmlSafe;
use evidence::Timestamp;

/// An instant: how long ago, with the exact time beside it for who points at it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "web/parts/when.html")]
pub(super) struct When {
    pub(super) exact: String,
    pub(super) ago: String,
}

impl HtmlSafe for When {}

impl When {
    /// Seen from `now`.
    pub(super) fn of(at: Timestamp, now: Timestamp) -> Self {
        let seconds = now.since(at);
        let ago = match seconds {
            -1..=4 => "just now".to_owned(),
            5.. => format!("{} ago", duration(seconds)),
            _ => format!("in {}", duration(-seconds)),
        };
        Self {
            exact: at.to_string(),
            ago,
        }
    }
}

/// `2026-11-24 10:08:42` of an instant; the pages say that all times are UTC.
pub(super) fn plain(at: Timestamp) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// One unit, rounded down, so that an age is never shown older than it is.
pub(super) fn duration(seconds: i64) -> String {
    let (number, unit) = match seconds.max(0) {
        seconds @ 0..=119 => (seconds, "s"),
        seconds @ 120..=7199 => (seconds / 60, "min"),
        seconds @ 7200..=172_799 => (seconds / 3600, "h"),
        seconds => (seconds / 86_400, "days"),
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_one_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7199, "119 min"),
            (7200, "2 h"),
            (172_800, "2 days"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn instants_may_lie_ahead() {
        let now = Timestamp::from_unix(1_795_514_922).unwrap();
        assert_eq!(When::of(now, now).ago, "just now");
        assert_eq!(When::of(now.plus(-3600), now).ago, "60 min ago");
        assert_eq!(When::of(now.plus(300), now).ago, "in 5 min");
        let html = When::of(now, now).to_string();
        assert_eq!(
            html,
            "<time datetime=\"2026-11-24T10:08:42Z\" title=\"2026-11-24T10:08:42Z\">just now</time>"
        );
        assert_eq!(plain(now), "2026-11-24 10:08:42");
    }
}
