use proptest::prelude::*;

use super::super::super::rpm_header::tag;
use super::super::super::rpm_header::tests::Made;
use super::super::{Database, locate};
use super::*;
use crate::reading::captured::Captured;
use crate::reading::testing;

const PATH: &str = "/var/lib/rpm/Packages";
const PAGE: usize = 512;
const BUCKETS: usize = 4;

/// A database of four buckets, as `db_page.h` describes it. Each bucket has as many pages as it needs.
struct Made4 {
    big_endian: bool,
    pages: Vec<Vec<u8>>,
}

impl Made4 {
    fn word(&self, number: usize) -> [u8; 4] {
        let number = u32::try_from(number).unwrap();
        if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    fn half(&self, number: usize) -> [u8; 2] {
        let number = u16::try_from(number).unwrap();
        if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    /// A page with its items, the first of which ends where the page does.
    fn page(&self, number: usize, next: usize, kind: u8, items: &[Vec<u8>]) -> Vec<u8> {
        let mut page = [
            &[0; 8][..],
            &self.word(number),
            &[0; 4],
            &self.word(next),
            &self.half(items.len()),
        ]
        .concat();
        page.extend([&self.half(0)[..], &[0, kind]].concat());
        let mut end = PAGE;
        for item in items {
            end -= item.len();
            page.extend(self.half(end));
        }
        page.resize(end, 0);
        page.extend(items.iter().rev().flatten());
        page
    }

    fn database(big_endian: bool, packages: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let mut made = Self {
            big_endian,
            pages: vec![vec![]; BUCKETS + 1],
        };
        let mut buckets: Vec<Vec<[Vec<u8>; 2]>> = vec![vec![]; BUCKETS];
        let last = made.word(packages.len());
        buckets[0].push([[&[1][..], &[0; 4]].concat(), [&[1][..], &last].concat()]);
        for (number, blob) in packages {
            let key = [&[1][..], &made.word(*number)].concat();
            let value = if blob.len() < PAGE / 4 {
                [&[1][..], blob].concat()
            } else {
                let first = made.pages.len();
                made.long(blob);
                [&[3, 0, 0, 0][..], &made.word(first), &made.word(blob.len())].concat()
            };
            buckets[number % BUCKETS].push([key, value]);
        }
        for (bucket, items) in buckets.iter().enumerate() {
            let parts: Vec<_> = items.chunks(2).collect();
            let mut number = bucket + 1;
            for (at, part) in parts.iter().enumerate() {
                let next = if at + 1 < parts.len() { made.pages.len() } else { 0 };
                made.pages[number] = made.page(number, next, SORTED, &part.concat());
                if next > 0 {
                    made.pages.push(vec![]);
                    number = next;
                }
            }
            // A bucket that nobody used is a page that was never written.
            made.pages[number].resize(PAGE, 0);
        }
        made.meta()
    }

    fn long(&mut self, blob: &[u8]) {
        let parts: Vec<_> = blob.chunks(PAGE - HEAD).collect();
        for (at, part) in parts.iter().enumerate() {
            let number = self.pages.len();
            let next = if at + 1 < parts.len() { number + 1 } else { 0 };
            let mut page = self.page(number, next, OVERFLOW, &[]);
            page[22..24].copy_from_slice(&self.half(part.len()));
            page[HEAD..HEAD + part.len()].copy_from_slice(part);
            self.pages.push(page);
        }
    }

    fn meta(mut self) -> Vec<u8> {
        let mut meta = vec![0; PAGE];
        let words = [
            (12, 0x0006_1561),
            (16, 9),
            (20, PAGE),
            (32, self.pages.len() - 1),
            (72, BUCKETS - 1),
        ];
        let spares = (0..4).map(|spare| (96 + 4 * spare, 1));
        for (at, value) in words.into_iter().chain(spares) {
            meta[at..at + 4].copy_from_slice(&self.word(value));
        }
        self.pages[0] = meta;
        self.pages.concat()
    }
}

fn header(name: &str, vendor: usize) -> Vec<u8> {
    let made = Made::default()
        .text(tag::NAME, name)
        .text(tag::VERSION, "1")
        .text(tag::RELEASE, "2")
        .text(tag::ARCH, "noarch")
        .text(tag::VENDOR, &"v".repeat(vendor));
    made.blob()
}

fn packages() -> Vec<(usize, Vec<u8>)> {
    let long = [0, 20, 400, 3_000];
    let package = |number: usize| (number, header(&format!("p{number}"), long[number % 4]));
    // None in bucket 3.
    (1..20).filter(|number| number % BUCKETS != 3).map(package).collect()
}

fn read(file: impl AsRef<[u8]>) -> Database {
    let host = Captured::default().file(PATH, file);
    let reading = testing(&host);
    let location = locate(&reading).unwrap().expect("there is a database");
    Database::read(&reading, &location).unwrap()
}

#[test]
fn both_byte_orders() {
    for big_endian in [false, true] {
        let database = read(Made4::database(big_endian, &packages()));
        assert_eq!(database.unparsed, [""; 0]);
        let mut found: Vec<_> = database.packages.iter().map(|package| package.name.clone()).collect();
        found.sort();
        let mut expected: Vec<_> = packages().iter().map(|(number, _)| format!("p{number}")).collect();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn damage_is_said() {
    let whole = Made4::database(false, &packages());
    let with = |at: usize, value: u8| {
        let mut file = whole.clone();
        file[at] = value;
        read(file).unparsed
    };
    let said = |why: &str| vec![format!("{PATH}: {why}")];
    assert_eq!(read("").unparsed, said("shorter than the header of a database"));
    assert_eq!(with(12, 0), said("no database of the form that is known"));
    assert_eq!(with(16, 7), said("no database of the form that is known"));
    assert_eq!(
        with(26, 1),
        said("it has encryption, checksums or parts, which rpm does not use")
    );
    assert_eq!(with(20, 1), said("a page size of 513 bytes is none"));
    assert_eq!(with(73, 1), said("it has more buckets than pages"));
    assert_eq!(with(PAGE + 8, 9), said("page 1 is none of a bucket"));
    assert_eq!(with(PAGE + 25, 9), said("page 1 is none of a bucket"));
    assert_eq!(with(PAGE + 20, 3), said("page 1 is damaged"));
    // The page that follows is its own.
    let mut circle = Made4::database(false, &[(4, header("a", 0))]);
    circle[PAGE + 16] = 1;
    let database = read(circle);
    assert_eq!(database.unparsed, said("its pages lead in a circle"));
    // What there was before stays, and that there is more is said.
    let cut = read(&whole[..whole.len() / 2]);
    assert!(
        !cut.packages.is_empty() && cut.unparsed.len() == 1,
        "{:?}",
        cut.unparsed
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn altered_and_cut(
        big_endian: bool,
        changes in prop::collection::vec((0_usize..6_000, any::<u8>()), 0..12),
        cut in prop::option::of(0_usize..6_000),
    ) {
        let whole = Made4::database(big_endian, &packages());
        let mut file = whole.clone();
        for (at, value) in changes {
            if let Some(byte) = file.get_mut(at) {
                *byte = value;
            }
        }
        file.truncate(cut.unwrap_or(usize::MAX));
        let database = read(&file);
        prop_assert!(database.packages.len() < 1_000 && database.unparsed.len() <= 101);
        if file.len() < whole.len() {
            prop_assert!(!database.unparsed.is_empty());
        }
    }

    #[test]
    fn any_bytes_behind_a_header(pages in prop::collection::vec(any::<u8>(), 0..4_000)) {
        let mut file = Made4::database(false, &packages());
        file.truncate(PAGE);
        file.extend(pages);
        prop_assert!(read(&file).unparsed.len() <= 101);
    }
}
