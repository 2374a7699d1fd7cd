//! Catalogues: the editions of a standard, pinned, and what hosts can show about each control.
//!
//! Identifiers and names are facts about a standard; summaries and everything about host evidence are this project's
//! own words (`catalogues/SOURCES.md`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data;
use crate::rule::Weight;

/// The catalogue that is used unless another is asked for.
pub const DEFAULT: &str = "iso27001-2022";

/// A control's id in its catalogue, such as `A.8.24`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ControlId(String);

impl ControlId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One edition of a standard.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Its id, such as `iso27001-2022`: the name of its file.
    pub id: String,
    /// The controls, in the standard's order.
    pub controls: Vec<Control>,
    places: BTreeMap<String, usize>,
    bytes: &'static [u8],
}

/// One control.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its id.
    pub id: ControlId,
    /// Its name in the standard.
    pub name: String,
    /// What it asks for, in our words.
    pub summary: String,
    /// The part of the standard that it belongs to, if its catalogue says: a theme or a domain.
    pub group: Option<String>,
    /// What hosts can show about it, if that has been assessed.
    pub host_evidence: Option<HostEvidence>,
}

/// What hosts can show about a control.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HostEvidence {
    /// How far it reaches.
    #[serde(rename = "automatable")]
    pub reach: Reach,
    /// What hosts show; empty for [`Reach::None`].
    #[serde(rename = "host_evidence")]
    pub shows: String,
    /// Facts that show it; empty for [`Reach::None`].
    pub example_facts: String,
    /// What no host can show.
    pub remains_for_human: String,
    /// What an auditor usually asks for.
    pub auditor_typically_asks: String,
}

/// How far host evidence reaches for a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Hosts show all that the control asks for.
    Full,
    /// Hosts show a part.
    Partial,
    /// Hosts show something that helps.
    Supporting,
    /// Hosts show nothing.
    None,
}

impl Catalogue {
    /// A control by id.
    pub fn control(&self, id: &str) -> Option<&Control> {
        self.places.get(id).and_then(|place| self.controls.get(*place))
    }

    /// The file, as it goes into a pack.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }
}

impl Control {
    /// Why a rule may not bear on this control in this way, if it may not.
    pub(crate) fn refuses(&self, weight: Weight) -> Option<&'static str> {
        match (self.host_evidence.as_ref()?.reach, weight) {
            (Reach::None, _) => Some("hosts show nothing about this control"),
            (Reach::Supporting, Weight::Direct) => Some("hosts only support this control: bearing must be supporting"),
            _ => None,
        }
    }
}

/// A catalogue file that cannot be read.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// Not CSV (RFC 4180), or not with the columns that are needed.
    #[error("catalogue {name}: {source}")]
    Csv {
        /// The file.
        name: String,
        /// What is wrong.
        source: csv::Error,
    },
    /// The same id twice.
    #[error("catalogue {name}: {id} is there twice")]
    Twice {
        /// The file.
        name: String,
        /// The control.
        id: String,
    },
}

static ALL: LazyLock<Vec<Catalogue>> = LazyLock::new(|| load().unwrap_or_default());

/// All catalogues, sorted by id.
pub fn all() -> &'static [Catalogue] {
    &ALL
}

/// A catalogue by id.
pub fn find(id: &str) -> Option<&'static Catalogue> {
    all().iter().find(|catalogue| catalogue.id == id)
}

/// A row of a catalogue; other columns are for people.
#[derive(Deserialize)]
struct ControlRow {
    id: String,
    name: String,
    summary: String,
    theme: Option<String>,
    domain: Option<String>,
}

/// A row of `host-evidence.csv`, which is about [`DEFAULT`].
#[derive(Deserialize)]
struct EvidenceRow {
    id_2022: String,
    #[serde(flatten)]
    evidence: HostEvidence,
}

fn load() -> Result<Vec<Catalogue>, CatalogueError> {
    let mut evidence = BTreeMap::new();
    for (name, bytes) in data::CATALOGUES.iter().filter(|(name, _)| *name == "host-evidence") {
        for row in csv::Reader::from_reader(*bytes).deserialize::<EvidenceRow>() {
            let row = row.map_err(|source| wrong(name, source))?;
            evidence.insert(row.id_2022, row.evidence);
        }
    }
    let mut catalogues = Vec::new();
    for (name, bytes) in data::CATALOGUES {
        let mut reader = csv::Reader::from_reader(*bytes);
        let headers = reader.headers().map_err(|source| wrong(name, source))?;
        // The other files relate controls to something else.
        if headers.get(0) != Some("id") {
            continue;
        }
        let mut catalogue = Catalogue {
            id: (*name).to_owned(),
            controls: Vec::new(),
            places: BTreeMap::new(),
            bytes,
        };
        for row in reader.deserialize::<ControlRow>() {
            let row = row.map_err(|source| wrong(name, source))?;
            let place = catalogue.controls.len();
            if catalogue.places.insert(row.id.clone(), place).is_some() {
                return Err(CatalogueError::Twice {
                    name: (*name).to_owned(),
                    id: row.id,
                });
            }
            catalogue.controls.push(Control {
                host_evidence: evidence.get(&row.id).filter(|_| *name == DEFAULT).cloned(),
                id: ControlId(row.id),
                name: row.name,
                summary: row.summary,
                group: row.theme.or(row.domain),
            });
        }
        catalogues.push(catalogue);
    }
    Ok(catalogues)
}

fn wrong(name: &str, source: csv::Error) -> CatalogueError {
    CatalogueError::Csv {
        name: name.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_are_whole() {
        let catalogues = load().unwrap();
        let count = |id: &str| {
            catalogues
                .iter()
                .find(|catalogue| catalogue.id == id)
                .unwrap()
                .controls
                .len()
        };
        assert_eq!(count("iso27001-2022"), 93);
        assert_eq!(count("iso27001-2022-clauses"), 34);
        assert_eq!(count("iso27001-2013"), 114);
        assert_eq!(catalogues.len(), 3);
    }

    #[test]
    fn every_control_of_2022_says_what_hosts_show() {
        let mut reaches = BTreeMap::new();
        for control in &find(DEFAULT).unwrap().controls {
            let evidence = control.host_evidence.as_ref().unwrap();
            assert_eq!(
                evidence.shows.is_empty(),
                evidence.reach == Reach::None,
                "{}",
                control.id
            );
            *reaches.entry(format!("{:?}", evidence.reach)).or_insert(0) += 1;
        }
        let expected = [("Full", 1), ("None", 42), ("Partial", 22), ("Supporting", 28)];
        assert_eq!(reaches, expected.map(|(reach, count)| (reach.to_owned(), count)).into());
    }
}
