//! Which of many products are installed.

use schemars::JsonSchema;
use serde::Serialize;

use super::LazyUnits;
use crate::formats::systemd::UnitState;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// More names that a `*` stands for are not told.
const MAX_MATCHES: usize = 100;

/// A product that may be there.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// Its name in the facts.
    pub id: &'static str,
    /// Files and folders of which each one shows that it is installed; the last component may end in `*`.
    pub files: &'static [&'static str],
    /// Units that run it; `name@.service` stands for the template's instances.
    pub units: &'static [&'static str],
}

/// A product that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Installed {
    /// Which product.
    pub product: String,
    /// The files and folders that show it, sorted.
    pub shown_by: Vec<String>,
    /// Its units, as far as there are any, sorted; `absent` on a host without systemd.
    pub units: Known<Vec<UnitState>>,
}

/// A product of which it is not known whether it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Undetermined {
    /// Which product.
    pub product: String,
    /// Why it is not known.
    pub detail: String,
}

/// What was found of a table of products.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Sorted by product.
    pub installed: Vec<Installed>,
    /// Sorted by product.
    pub undetermined: Vec<Undetermined>,
}

impl Survey {
    /// Looks for each product of `table`.
    pub fn of(table: &[Product], units: &LazyUnits<'_, '_>) -> Self {
        let mut survey = Self::default();
        for product in table {
            match shown_by(units.reading, product.files) {
                Ok(found) if found.is_empty() => {}
                Ok(shown_by) => survey.installed.push(Installed {
                    product: product.id.to_owned(),
                    shown_by,
                    units: units.states(product.units),
                }),
                Err(unread) => survey.undetermined.push(Undetermined {
                    product: product.id.to_owned(),
                    detail: unread.to_string(),
                }),
            }
        }
        survey.installed.order_by(|a, b| a.product.cmp(&b.product));
        survey.undetermined.order_by(|a, b| a.product.cmp(&b.product));
        survey
    }

    /// Whether one of `ids` is installed.
    pub fn has(&self, ids: &[&str]) -> bool {
        let mut installed = self.installed.iter();
        installed.any(|one| ids.contains(&one.product.as_str()))
    }

    /// Why it is not known whether `id` is installed, if that is so.
    pub fn doubt(&self, id: &str) -> Option<&str> {
        let mut undetermined = self.undetermined.iter();
        undetermined
            .find(|one| one.product == id)
            .map(|one| one.detail.as_str())
    }
}

/// What one file shows is shown, whatever could not be looked at.
fn shown_by(reading: &Reading<'_>, files: &[&str]) -> Result<Vec<String>, Unread> {
    let mut found = vec![];
    let mut unread = None;
    for file in files {
        let looked = match file.strip_suffix('*').and_then(|start| start.rsplit_once('/')) {
            Some((folder, start)) => reading.list(folder).map(|entries| {
                let entries = entries.unwrap_or_default().into_iter();
                let matching = entries.filter(|entry| entry.name.starts_with(start));
                let paths = matching.map(|entry| format!("{folder}/{}", entry.name));
                paths.take(MAX_MATCHES).collect()
            }),
            None => reading
                .stat(file)
                .map(|stat| stat.map(|_| (*file).to_owned()).into_iter().collect::<Vec<_>>()),
        };
        match looked {
            Ok(paths) => found.extend(paths),
            Err(error) => unread = Some(error),
        }
    }
    found.order();
    match unread {
        Some(unread) if found.is_empty() => Err(unread),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    const TABLE: [Product; 3] = [
        Product {
            id: "a",
            files: &["/usr/bin/a", "/opt/a-*"],
            units: &["a.service", "a@.service"],
        },
        Product {
            id: "b",
            files: &["/etc/b/b.conf"],
            units: &[],
        },
        Product {
            id: "c",
            files: &["/usr/bin/c"],
            units: &[],
        },
    ];

    #[test]
    fn there_not_there_and_not_known() {
        let host = Captured::default()
            .file("/opt/a-17/x", "")
            .denied("/etc/b")
            .file("/usr/lib/systemd/system/a@.service", "[Service]\nExecStart=/opt/a\n")
            .link(
                "/etc/systemd/system/default.target.wants/a@one.service",
                "/usr/lib/systemd/system/a@.service",
            );
        let reading = testing(&host);
        let survey = Survey::of(&TABLE, &LazyUnits::new(&reading));
        assert_eq!(survey.installed.len(), 1);
        assert_eq!(survey.installed[0].shown_by, ["/opt/a-17"]);
        let units = survey.installed[0].units.value().unwrap();
        assert_eq!(units.len(), 1);
        assert_eq!(units[0].unit, "a@one.service");
        assert_eq!(survey.undetermined[0].product, "b");
        assert_eq!(survey.doubt("b"), Some("/etc/b: permission denied"));
        assert!(survey.has(&["a"]) && !survey.has(&["c"]));
    }

    #[test]
    fn units_are_read_only_for_what_is_there() {
        let host = Captured::default().denied("/etc/systemd/system");
        let reading = testing(&host);
        let units = LazyUnits::new(&reading);
        assert_eq!(Survey::of(&TABLE, &units), Survey::default());
        assert!(
            reading
                .into_sources()
                .iter()
                .all(|source| source.outcome.as_str() != "denied")
        );
    }
}
