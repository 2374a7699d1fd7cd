//! Until when releases are supported that say it nowhere on the host: `SUPPORT_END` of os-release(5), else a table that
//! the agent is built with.
//!
//! Source of the table: the vendors' lifecycle pages as endoflife.date has collected them. The last
//! day with support, for Fedora as planned; `extended` is ELS of Red Hat and LTSS of SUSE. A release that is not in it is
//! not known, never unsupported.

use super::facts::{Support, SupportSource};
use crate::formats::archive_date::parse_day;
use crate::formats::os_release::OsRelease;

/// The day up to which the table was kept.
const TABLE_DAY: &str = "2026-01-27";
const TABLE: &str = include_str!("releases.csv");
const DAY: i64 = 86_400;

/// What os-release itself says. `Err` is what is wrong.
pub(super) fn by_os_release(release: &OsRelease) -> Option<Result<Support, &'static str>> {
    let end = release.get("SUPPORT_END");
    if end.is_empty() {
        return None;
    }
    let end = parse_day(end).ok_or("SUPPORT_END of os-release is no date");
    Some(end.map(|end| Support {
        standard_until: Some(end.plus(DAY)),
        ..support(release.get("VERSION_ID"), SupportSource::OsRelease)
    }))
}

/// What the table says about this release; `None`: it is not in it.
pub(super) fn by_table(release: &OsRelease) -> Option<Support> {
    let id = match release.id() {
        // One `ID` for two products with other lifetimes.
        "centos" if release.get("NAME").contains("Stream") => "centos-stream",
        "sles_sap" => "sles",
        id => id,
    };
    let version = release.get("VERSION_ID");
    let row = TABLE.lines().skip(1).find_map(|line| {
        let mut cells = line.split(',');
        let found = cells.next() == Some(id) && is_release(cells.next()?, version);
        found.then_some(cells)
    });
    let mut cells = row?;
    let (standard, extended) = (cells.next()?, cells.next()?);
    let end = |cell: &str| parse_day(cell).map(|day| day.plus(DAY));
    Some(Support {
        rolling: standard == "rolling",
        standard_until: end(standard),
        extended_until: end(extended),
        table_version: TABLE_DAY.to_owned(),
        ..support(version, SupportSource::BuiltIn)
    })
}

/// `9` is the release of `9.4`, `3.20` that of `3.20.3`; a rolling release has any version.
fn is_release(row: &str, version: &str) -> bool {
    let rest = version.strip_prefix(row);
    row.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn support(series: &str, told_by: SupportSource) -> Support {
    Support {
        series: series.to_owned(),
        told_by,
        rolling: false,
        released: None,
        standard_until: None,
        long_term_until: None,
        extended_until: None,
        legacy_until: None,
        table_version: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> OsRelease {
        OsRelease::parse(text).unwrap()
    }

    #[test]
    fn the_table_is_whole() {
        let rows: Vec<Vec<&str>> = TABLE.lines().map(|line| line.split(',').collect()).collect();
        assert!(rows.len() > 30 && rows.iter().all(|row| row.len() == 4));
        for row in &rows[1..] {
            assert!(row[2] == "rolling" || parse_day(row[2]).is_some(), "{row:?}");
            assert!(row[3].is_empty() || parse_day(row[3]) > parse_day(row[2]), "{row:?}");
        }
        let mut keys: Vec<_> = rows[1..].iter().map(|row| (row[0], row[1])).collect();
        keys.dedup();
        assert_eq!(keys.len(), rows.len() - 1);
    }

    #[test]
    fn releases() {
        let end = |text: &str| {
            by_table(&release(text))
                .and_then(|support| support.standard_until)
                .map(|end| end.to_string())
        };
        assert_eq!(
            end("ID=rhel\nVERSION_ID=\"9.4\"").as_deref(),
            Some("2032-06-01T00:00:00Z")
        );
        assert_eq!(
            end("ID=alpine\nVERSION_ID=3.20.3").as_deref(),
            Some("2026-04-02T00:00:00Z")
        );
        assert_eq!(
            end("ID=centos\nNAME=\"CentOS Stream\"\nVERSION_ID=8").as_deref(),
            Some("2024-06-01T00:00:00Z")
        );
        assert_eq!(
            end("ID=centos\nNAME=\"CentOS Linux\"\nVERSION_ID=8").as_deref(),
            Some("2022-01-01T00:00:00Z")
        );
        assert_eq!(end("ID=alpine\nVERSION_ID=3.2"), None);
        assert_eq!(end("ID=gentoo"), None);
        let arch = by_table(&release("ID=arch")).unwrap();
        assert!(arch.rolling && arch.standard_until.is_none());
        let sles = by_table(&release("ID=sles\nVERSION_ID=15.5")).unwrap();
        assert_eq!(sles.extended_until.unwrap().to_string(), "2028-01-01T00:00:00Z");
    }

    #[test]
    fn what_the_release_says_itself() {
        let told = by_os_release(&release("ID=fedora\nVERSION_ID=42\nSUPPORT_END=2026-05-13"))
            .unwrap()
            .unwrap();
        assert_eq!(told.standard_until.unwrap().to_string(), "2026-05-14T00:00:00Z");
        assert!(by_os_release(&release("SUPPORT_END=soon")).unwrap().is_err());
        assert!(by_os_release(&release("ID=rhel")).is_none());
    }
}
