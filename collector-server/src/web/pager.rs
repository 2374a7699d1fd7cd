//! Moving through a long list.

use askama::Template;
use askama::filters::HtmlSafe;

use super::link;
use crate::query::{Page, Paged};

/// Items on one page of a list.
pub(super) const LENGTH: u64 = 50;

/// Links to the pages before and after.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "web/parts/pager.html")]
pub(super) struct Pager {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) total: u64,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl HtmlSafe for Pager {}

/// The page with a number, from 1.
pub(super) fn page(number: Option<u64>) -> Page {
    Page {
        offset: number.unwrap_or(1).clamp(1, 1_000_000).saturating_sub(1) * LENGTH,
        limit: LENGTH,
    }
}

impl Pager {
    /// Around a part of a list at `path`, with the other parts of its question.
    pub(super) fn of<T>(list: &Paged<T>, path: &str, question: &[(&str, &str)]) -> Self {
        let shown = u64::try_from(list.items.len()).unwrap_or(u64::MAX);
        let number = list.offset / LENGTH + 1;
        let address = |number: u64| {
            let number = if number > 1 { number.to_string() } else { String::new() };
            let pairs = question.iter().copied().chain([("page", number.as_str())]);
            format!("{path}{}", link::question(pairs))
        };
        Self {
            first: list.offset + u64::from(shown > 0),
            last: list.offset + shown,
            total: list.total,
            before: (number > 1).then(|| address(number - 1)),
            after: (list.offset + shown < list.total && shown > 0).then(|| address(number + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_their_neighbours() {
        let list = |offset, shown| Paged {
            total: 120,
            offset,
            items: vec![(); shown],
        };
        let first = Pager::of(&list(0, 50), "/hosts", &[("text", "a&b")]);
        assert_eq!((first.first, first.last, first.before), (1, 50, None));
        assert_eq!(first.after.as_deref(), Some("/hosts?text=a%26b&page=2"));
        let last = Pager::of(&list(100, 20), "/hosts", &[]);
        assert_eq!((last.before.as_deref(), last.after), (Some("/hosts?page=2"), None));
        assert_eq!(page(None).offset, 0);
        assert_eq!(page(Some(3)).offset, 100);
        assert_eq!(page(Some(u64::MAX)).limit, LENGTH);
    }
}
