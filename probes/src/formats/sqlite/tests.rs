use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::reading::captured::Captured;
use crate::reading::testing;

// What rpm wrote; see the README beside them.
const DATABASE: &[u8] = include_bytes!("../../../fixtures/packages/rpm/rpmdb.sqlite.gz");
const LOG: &[u8] = include_bytes!("../../../fixtures/packages/rpm/rpmdb.sqlite-wal.gz");
const PATH: &str = "/db";

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = vec![];
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// Row ids and lengths of the blobs of table Packages; `None` for a row that cannot be read.
fn packages(database: &[u8], log: &[u8]) -> Result<Vec<Option<(i64, usize)>>, SqliteError> {
    let host = Captured::default().file(PATH, database).file("/db-wal", log);
    let reading = testing(&host);
    let mut found = vec![];
    if let Some(mut database) = Database::open(&reading, PATH)? {
        database.rows("Packages", &mut |row| {
            found.push(row.ok().map(|row| (row.id, row.blob(1).map_or(0, <[u8]>::len))));
            true
        })?;
    }
    Ok(found)
}

fn ids(rows: &[Option<(i64, usize)>]) -> Vec<i64> {
    rows.iter().map(|row| row.unwrap().0).collect()
}

#[test]
fn a_database_with_and_without_its_log() {
    let (database, log) = (unpacked(DATABASE), unpacked(LOG));
    let whole = packages(&database, &log).unwrap();
    let alone = packages(&database, &[]).unwrap();
    assert_eq!((whole.len(), alone.len()), (9, 7));
    // The header of 900 files goes on over many pages.
    assert!(whole.iter().flatten().any(|(_, length)| *length > 50_000));
    assert!(
        !ids(&alone).iter().all(|id| ids(&whole).contains(id)),
        "one was removed"
    );
}

#[test]
fn a_log_counts_up_to_its_last_whole_transaction() {
    let (database, log) = (unpacked(DATABASE), unpacked(LOG));
    let mut sizes = vec![];
    for cut in (0..log.len()).step_by(4_120) {
        let rows = packages(&database, &log[..cut]).unwrap();
        sizes.push(rows.len());
        ids(&rows);
    }
    sizes.dedup();
    // Each package was a transaction of its own, and the removal too.
    assert_eq!(sizes, [7, 8, 9, 10, 9]);
    // A frame whose sum is wrong ends the log, as does a header whose sum is.
    let mut damaged = log.clone();
    damaged[32 + 24 + 100] ^= 1;
    assert_eq!(packages(&database, &damaged).unwrap().len(), 7);
    damaged = log;
    damaged[13] ^= 1;
    assert_eq!(packages(&database, &damaged).unwrap().len(), 7);
}

#[test]
fn no_databases() {
    assert_eq!(packages(b"", b"").unwrap(), []);
    for bytes in [&b"SQLite format 3\0"[..], &[0; 200]] {
        assert!(packages(bytes, b"").is_err());
    }
    let database = unpacked(DATABASE);
    for (at, value) in [(16, 3), (17, 1), (20, 255), (59, 2)] {
        let mut other = database.clone();
        other[16] = if at == 20 { 2 } else { other[16] };
        other[at] = value;
        assert!(packages(&other, b"").is_err(), "{at}");
    }
    assert!(packages(&database[..8_192], b"").is_err());
    let host = Captured::default().file(PATH, &database).denied("/db-wal");
    assert!(matches!(
        Database::open(&testing(&host), PATH),
        Err(SqliteError::Unread(Unread::Denied { .. }))
    ));
}

#[test]
fn no_table() {
    let host = Captured::default().file(PATH, unpacked(DATABASE));
    let reading = testing(&host);
    let mut database = Database::open(&reading, PATH).unwrap().unwrap();
    assert!(!database.rows("Nothing", &mut |_| true).unwrap());
    assert!(database.unchanged().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Bytes changed anywhere, pointers between pages among them: it ends, and gives no more rows than there is room for.
    #[test]
    fn a_damaged_database(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        heads in prop::collection::vec((0_usize..57, 0_usize..16, any::<u8>()), 0..40),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut database = unpacked(DATABASE);
        for (at, value) in changes {
            let at = at.index(database.len());
            database[at] = value;
        }
        for (page, at, value) in heads {
            database[page * 4_096 + 100 + at - if page == 0 { 0 } else { 100 }] = value;
        }
        if let Some(cut) = cut {
            database.truncate(cut.index(database.len()));
        }
        if let Ok(rows) = packages(&database, b"") {
            prop_assert!(rows.len() <= 250_000);
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..1_200)) {
        let mut database = b"SQLite format 3\0\x02\x00\x01\x01\x00".to_vec();
        database.extend_from_slice(&bytes);
        let _ = packages(&database, &bytes);
        let _ = packages(&bytes, b"");
    }
}
