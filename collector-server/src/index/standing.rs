//! Where one host stands at present.

use controls::coverage::Stage;
use controls::verdict::Verdict;
use rusqlite::Row;

use super::IndexError;
use super::database::Rows;
use super::places::{Places, standing_letter, verdict_letter};
use super::totals::worst;
use crate::query::HostReporting;

/// Where one host stands at present, as `standing` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostStanding {
    /// What it is to the scope: 0 in scope, 1 outside, 2 neither.
    pub(crate) part: i64,
    /// Whether it reports.
    pub(crate) reporting: HostReporting,
    /// How far it has come.
    pub(crate) stage: Stage,
    /// The worst of its verdicts.
    pub(crate) worst: Verdict,
    /// One letter per rule.
    pub(crate) rules: String,
    /// One letter per control.
    pub(crate) controls: String,
}

impl HostStanding {
    /// `part` of a host in scope.
    pub(crate) const IN_SCOPE: i64 = 0;
    /// `part` of a host that is not on the list.
    pub(crate) const OUTSIDE_SCOPE: i64 = 1;
    /// `part` of a host that has left.
    pub(crate) const NEITHER: i64 = 2;

    /// Out of the verdicts by all rules, in the order of the places.
    pub(super) fn of(part: i64, reporting: HostReporting, stage: Stage, verdicts: &[Verdict], places: &Places) -> Self {
        let controls = places
            .controls
            .iter()
            .map(|place| standing_letter(place.standing(verdicts)));
        Self {
            part,
            reporting,
            stage,
            worst: worst(verdicts),
            rules: verdicts.iter().copied().map(verdict_letter).collect(),
            controls: controls.collect(),
        }
    }

    /// For sorting: the more that is not met, then unknown, the higher.
    fn rank(&self) -> i64 {
        let count = |letter| i64::try_from(self.rules.chars().filter(|found| *found == letter).count()).unwrap_or(0);
        count('n') * 1_000_000 + count('u')
    }

    /// Columns in the order that [`Self::read`] takes them, from `first` on.
    pub(crate) const COLUMNS: &'static str = "part, reporting, stage, worst, rules, controls";

    pub(crate) fn read(row: &Row<'_>, first: usize) -> Result<Self, rusqlite::Error> {
        let letter: String = row.get(first + 3)?;
        let stage: String = row.get(first + 2)?;
        let reporting: String = row.get(first + 1)?;
        Ok(Self {
            part: row.get(first)?,
            reporting: reporting_from_str(&reporting),
            stage: stage_from_str(&stage),
            worst: letter
                .chars()
                .next()
                .map_or(Verdict::Unknown, super::verdict_from_letter),
            rules: row.get(first + 4)?,
            controls: row.get(first + 5)?,
        })
    }

    pub(super) fn find(rows: Rows<'_>, name: &str, host: i64) -> Result<Option<Self>, IndexError> {
        let sql = "SELECT part, reporting, stage, worst, rules, controls FROM standing WHERE name = ?1 AND host = ?2";
        rows.one("reading where a host stands", sql, (name, host), |row| {
            Self::read(row, 0)
        })
    }

    pub(super) fn write(&self, rows: Rows<'_>, name: &str, host: i64, id: &str) -> Result<(), IndexError> {
        let sql = "INSERT OR REPLACE INTO standing
            (name, host, id, part, reporting, stage, worst, rank, rules, controls)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        rows.run(
            "writing where a host stands",
            sql,
            rusqlite::params![
                name,
                host,
                id,
                self.part,
                self.reporting.as_str(),
                stage_str(self.stage),
                verdict_letter(self.worst).to_string(),
                self.rank(),
                self.rules,
                self.controls,
            ],
        )?;
        Ok(())
    }
}

const fn stage_str(stage: Stage) -> &'static str {
    match stage {
        Stage::Missing => "missing",
        Stage::Enrolled => "enrolled",
        Stage::Reporting => "reporting",
        Stage::Fresh => "fresh",
        Stage::Measured => "measured",
    }
}

fn stage_from_str(text: &str) -> Stage {
    match text {
        "measured" => Stage::Measured,
        "fresh" => Stage::Fresh,
        "reporting" => Stage::Reporting,
        "enrolled" => Stage::Enrolled,
        _ => Stage::Missing,
    }
}

fn reporting_from_str(text: &str) -> HostReporting {
    match text {
        "fresh" => HostReporting::Fresh,
        "revoked" => HostReporting::Revoked,
        "never_stated" => HostReporting::NeverStated,
        _ => HostReporting::Silent,
    }
}
