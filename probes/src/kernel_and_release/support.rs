//! The tables of package distro-info-data: until when a release is supported.

use evidence::Timestamp;

use super::facts::{Support, SupportSource};
use crate::formats::archive_date::parse_day;

/// Lines that are looked at. Ubuntu's table has under 60.
const MAX_LINES: usize = 2_000;
const DAY: i64 = 86_400;

/// What a table says about a release. `Ok(None)`: it is not in the table. `Err` is the line, from 1, and what is wrong.
pub(super) fn find(table: &str, series: &str, table_version: &str) -> Result<Option<Support>, (usize, &'static str)> {
    let mut lines = table.lines().enumerate().take(MAX_LINES);
    let header = lines.next().ok_or((1, "there is nothing in it"))?.1;
    let columns: Vec<_> = header.split(',').map(str::trim).collect();
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let series_column = column("series").ok_or((1, "no column series"))?;
    for needed in ["release", "eol"] {
        column(needed).ok_or((1, "no column release or no column eol"))?;
    }
    for (number, line) in lines {
        let cells: Vec<_> = line.split(',').map(str::trim).collect();
        if cells.get(series_column) != Some(&series) {
            continue;
        }
        let day = |name: &str| -> Result<Option<Timestamp>, (usize, &'static str)> {
            let cell = column(name).and_then(|at| cells.get(at)).copied().unwrap_or_default();
            if cell.is_empty() {
                return Ok(None);
            }
            parse_day(cell).map(Some).ok_or((number + 1, "a cell is no date"))
        };
        // Supported through the day that is named.
        let end = |name: &str| Ok(day(name)?.map(|day| day.plus(DAY)));
        let first = |names: [&str; 2]| Ok(end(names[0])?.or(end(names[1])?));
        return Ok(Some(Support {
            series: series.to_owned(),
            told_by: SupportSource::DistroInfo,
            rolling: false,
            released: day("release")?,
            standard_until: first(["eol-server", "eol"])?,
            long_term_until: end("eol-lts")?,
            extended_until: first(["eol-elts", "eol-esm"])?,
            legacy_until: end("eol-legacy")?,
            table_version: table_version.to_owned(),
        }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Lines of distro-info-data 0.58+deb12u6.
    const DEBIAN: &str = "version,codename,series,created,release,eol,eol-lts,eol-elts\n\
        10,Buster,buster,2017-06-17,2019-07-06,2022-09-10,2024-06-30,2029-06-30\n\
        12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30\n\
        14,Forky,forky,2025-08-09\n,Sid,sid,1993-08-16\n";
    const UBUNTU: &str = "version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy\n\
        8.04 LTS,Hardy Heron,hardy,2007-10-18,2008-04-24,2011-05-12,2013-05-09\n\
        24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31,2034-04-25,2036-04-29\n";

    #[expect(clippy::unnecessary_wraps, reason = "compared with optional instants")]
    fn instant(text: &str) -> Option<Timestamp> {
        Some(format!("{text}T00:00:00Z").parse().unwrap())
    }

    #[test]
    fn releases() {
        let bookworm = find(DEBIAN, "bookworm", "0.58").unwrap().unwrap();
        assert_eq!(bookworm.released, instant("2023-06-10"));
        assert_eq!(bookworm.standard_until, instant("2026-07-12"));
        assert_eq!(bookworm.long_term_until, instant("2028-07-01"));
        assert_eq!(bookworm.extended_until, instant("2033-07-01"));
        assert_eq!(bookworm.legacy_until, None);
        let forky = find(DEBIAN, "forky", "").unwrap().unwrap();
        assert_eq!((forky.released, forky.standard_until), (None, None));
        assert_eq!(find(DEBIAN, "zurg", ""), Ok(None));
        let noble = find(UBUNTU, "noble", "").unwrap().unwrap();
        assert_eq!(noble.extended_until, instant("2034-04-26"));
        assert_eq!(noble.legacy_until, instant("2036-04-30"));
        // Servers were supported for longer than desktops.
        let hardy = find(UBUNTU, "hardy", "").unwrap().unwrap();
        assert_eq!(hardy.standard_until, instant("2013-05-10"));
    }

    #[test]
    fn malformed_tables() {
        assert_eq!(find("", "x", ""), Err((1, "there is nothing in it")));
        assert_eq!(find("a,b\n", "x", ""), Err((1, "no column series")));
        assert_eq!(
            find("series,eol\n", "x", ""),
            Err((1, "no column release or no column eol"))
        );
        assert_eq!(
            find("series,release,eol\nx,soon,\n", "x", ""),
            Err((2, "a cell is no date"))
        );
    }

    proptest! {
        #[test]
        fn any_text(text in "[\\PC\n]{0,80}", rows in "(x|,|2026-01-01|\n)*") {
            let _ = find(&text, "x", "");
            let _ = find(&format!("series,release,eol\n{rows}"), "x", "");
        }
    }
}
