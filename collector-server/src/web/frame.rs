//! What is around every page.

use evidence::Timestamp;

use super::assets::{ASSETS, Assets};
use super::people::Reader;
use super::when::When;

/// The parts of the site, for the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Hosts,
    Coverage,
    Rules,
    Log,
    /// None of them.
    Elsewhere,
}

impl Section {
    /// In the order of the navigation: address, name, icon.
    const ALL: [(Self, &'static str, &'static str, &'static str); 5] = [
        (Self::Overview, "/", "Overview", "overview"),
        (Self::Hosts, "/hosts", "Hosts", "hosts"),
        (Self::Coverage, "/coverage", "Coverage", "coverage"),
        (Self::Rules, "/rules", "Rules", "rules"),
        (Self::Log, "/entries", "Log", "log"),
    ];
}

/// An item of the navigation.
#[derive(Debug)]
pub(super) struct NavItem {
    pub(super) address: String,
    pub(super) name: &'static str,
    pub(super) icon: &'static str,
    pub(super) here: bool,
}

/// What is around a page.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) assets: &'static Assets,
    pub(super) reader: Option<Reader>,
    pub(super) nav: Vec<NavItem>,
    /// What the page is about; absent where there is no such instant.
    pub(super) as_of: Option<When>,
    /// Whether that is not the present.
    pub(super) past: bool,
    /// Where the page is, without the instant.
    pub(super) path: String,
    /// `?at=…` if the page is about a past instant: links carry it on.
    pub(super) keep: String,
}

impl Frame {
    /// Around a page for somebody who is logged in.
    pub(super) fn new(title: &str, section: Section, reader: &Reader, path: &str, at: Option<Timestamp>) -> Self {
        let keep = at.map(|at| format!("?at={at}")).unwrap_or_default();
        let nav = Section::ALL.into_iter().map(|(item, address, name, icon)| NavItem {
            address: match item {
                Section::Overview | Section::Hosts => format!("{address}{keep}"),
                _ => address.to_owned(),
            },
            name,
            icon,
            here: item == section,
        });
        Self {
            title: title.to_owned(),
            assets: &ASSETS,
            reader: Some(reader.clone()),
            nav: nav.collect(),
            as_of: None,
            past: at.is_some(),
            path: path.to_owned(),
            keep,
        }
    }

    /// Around a page for anybody.
    pub(super) fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            assets: &ASSETS,
            reader: None,
            nav: Vec::new(),
            as_of: None,
            past: false,
            path: String::new(),
            keep: String::new(),
        }
    }

    /// Says what instant the page is about.
    #[must_use]
    pub(super) fn about(mut self, at: Timestamp, now: Timestamp) -> Self {
        self.as_of = Some(When::of(at, now));
        self
    }
}
