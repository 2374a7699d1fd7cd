use std::io::Read;

use proptest::prelude::*;

use super::super::file_owners::Wanted;
use super::super::rpm_header::tag;
use super::super::rpm_header::tests::Made;
use super::*;
use crate::reading::captured::Captured;
use crate::reading::testing;

const SQLITE_PATH: &str = "/usr/lib/sysimage/rpm/rpmdb.sqlite";
const NDB_PATH: &str = "/usr/lib/sysimage/rpm/Packages.db";

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = vec![];
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

fn read(host: &Captured) -> Result<Database, ProbeError> {
    let reading = testing(host);
    let location = locate(&reading)?.expect("there is a database");
    Database::read(&reading, &location)
}

fn fixture() -> Captured {
    Captured::default()
        .file(
            SQLITE_PATH,
            unpacked(include_bytes!("../../../fixtures/packages/rpm/rpmdb.sqlite.gz")),
        )
        .file(
            &format!("{SQLITE_PATH}-wal"),
            unpacked(include_bytes!("../../../fixtures/packages/rpm/rpmdb.sqlite-wal.gz")),
        )
}

#[test]
fn a_database_of_rpm() {
    let database = read(&fixture()).unwrap();
    assert_eq!(database.unparsed, [""; 0]);
    assert_eq!(database.native_architecture(), Some("x86_64"));
    assert_eq!(
        database.trusted_keys,
        [TrustedKey {
            id: "f746656bfa51b231".into()
        }]
    );
    let mut names: Vec<_> = database
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "glibc 2.41-3.fc42",
            "kernel-core 6.14.0-63.fc42",
            "kernel-core 6.14.4-300.fc42",
            "libsub 4-1",
            "many 1-1",
            "nodejs 1:18.19.0-1.module+el9",
            "sub 3-1",
            "zero 0:1^git1-1"
        ]
    );
    let of = |name: &str| database.packages.iter().rfind(|package| package.name == name).unwrap();
    assert_eq!(
        of("libsub"),
        &Package {
            name: "libsub".into(),
            version: "4-1".into(),
            architecture: "noarch".into(),
            source: Some("sub".into()),
            source_version: Some("3-1".into()),
            vendor: "Another".into(),
            installed_at: Some(1_795_700_814),
            signature: Signature::Key("f746656bfa51b231".into()),
            module: String::new(),
            kernel_release: None,
            reboot_hint: false,
        }
    );
    assert_eq!(
        of("kernel-core").kernel_release.as_deref(),
        Some("6.14.4-300.fc42.x86_64")
    );
    assert_eq!(of("zero").signature, Signature::Unsigned);
    assert_eq!(of("nodejs").module, "nodejs:18:90020240101:rhel9");
}

#[test]
fn what_is_not_known_is_said() {
    let empty = read(&Captured::default().file(SQLITE_PATH, "")).unwrap();
    assert_eq!(empty.unparsed, [format!("{SQLITE_PATH}: there is no package in it")]);
    let other = read(&Captured::default().file(SQLITE_PATH, [7; 300])).unwrap();
    assert_eq!(other.unparsed, [format!("{SQLITE_PATH}: no SQLite database")]);
    let denied = read(&fixture().denied(SQLITE_PATH));
    assert!(denied.is_err());
    let journal = fixture().file(&format!("{SQLITE_PATH}-journal"), "x");
    // SQLite plays a journal back even if the database is of the kind that has none.
    let why = format!("{SQLITE_PATH}: a transaction is under way or broke off");
    assert_eq!(read(&journal).unwrap().unparsed, [why]);
}

fn header(name: &str) -> Made {
    Made::default()
        .text(tag::NAME, name)
        .text(tag::VERSION, "1")
        .text(tag::RELEASE, "2")
        .text(tag::ARCH, "noarch")
}

/// `Packages.db` as `rpmpkg.c` describes it; rpm of Debian cannot write it.
fn ndb(packages: &[Vec<u8>]) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut file = [&b"RpmP"[..], &word(0), &word(7), &word(1), &word(9), &[0; 12]].concat();
    let mut blobs = vec![];
    for (at, blob) in packages.iter().enumerate() {
        let blocks = (16 + blob.len() + 12).div_ceil(16);
        let begin = (4_096 + blobs.len()) / 16;
        file.extend([&b"Slot"[..], &word(at + 1), &word(begin), &word(blocks)].concat());
        let end = blobs.len() + blocks * 16;
        blobs.extend([&b"BlbS"[..], &word(at + 1), &word(7), &word(blob.len()), blob].concat());
        blobs.resize(end - 12, 0);
        blobs.extend([&word(0)[..], &word(blob.len()), b"BlbE"].concat());
    }
    while file.len() < 4_096 {
        file.extend([&b"Slot"[..], &[0; 12]].concat());
    }
    [file, blobs].concat()
}

#[test]
fn a_database_in_the_form_of_ndb() {
    let packages = [header("a").blob(), header("b").text(tag::VENDOR, "V").blob()];
    let file = ndb(&packages);
    let database = read(&Captured::default().file(NDB_PATH, &file)).unwrap();
    assert_eq!(database.unparsed, [""; 0]);
    let names: Vec<_> = database.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(database.packages[1].vendor, "V");
    // A damaged package is told, the next one is read.
    let mut damaged = file.clone();
    damaged[4_096 + 4] ^= 1;
    let database = read(&Captured::default().file(NDB_PATH, damaged)).unwrap();
    assert_eq!(database.packages.len(), 1);
    assert_eq!(
        database.unparsed,
        [format!("{NDB_PATH}: package 1: its place in the database is damaged")]
    );
    for cut in [10, 40, 5_000.min(file.len() - 1)] {
        let database = read(&Captured::default().file(NDB_PATH, &file[..cut])).unwrap();
        assert!(!database.unparsed.is_empty(), "{cut}");
    }
}

#[test]
fn headers_that_are_none_of_packages() {
    for (made, why) in [
        (Made::default().text(tag::VERSION, "1"), "no valid name"),
        (header("a b"), "no valid name"),
        (
            Made::default().text(tag::NAME, "a").text(tag::VERSION, "1"),
            "no valid version or release",
        ),
    ] {
        let file = ndb(&[made.blob()]);
        let database = read(&Captured::default().file(NDB_PATH, file)).unwrap();
        assert_eq!(database.unparsed, [format!("{NDB_PATH}: package 1: {why}")]);
    }
    let key = header("gpg-pubkey").texts(tag::PROVIDENAME, &["gpg(x)", "gpg(01234567)", "gpg(0123456789abcdef)"]);
    let database = read(&Captured::default().file(NDB_PATH, ndb(&[key.blob()]))).unwrap();
    assert_eq!(database.trusted_keys[0].id, "0123456789abcdef");
    let unclear = header("a").bytes(tag::RSAHEADER, b"junk").number(tag::INSTALLTIME, 5);
    let database = read(&Captured::default().file(NDB_PATH, ndb(&[unclear.blob()]))).unwrap();
    assert_eq!(database.packages[0].signature, Signature::Unclear);
    assert_eq!(database.packages[0].installed_at, Some(5));
}

/// A package with files in `/usr/bin/` and `/sbin/`.
fn with_files(name: &str, names: &[&str], folders: &[u32], states: &[u8]) -> Vec<u8> {
    let made = header(name)
        .texts(tag::BASENAMES, names)
        .texts(tag::DIRNAMES, &["/usr/bin/", "/sbin/"])
        .numbers(tag::DIRINDEXES, folders)
        .characters(tag::FILESTATES, states);
    made.blob()
}

#[test]
fn packages_of_files() {
    let file = ndb(&[
        with_files("replaced", &["su"], &[0], &[1]),
        with_files("own", &["su", "mount", "other"], &[0, 0, 0], &[0, 0, 0]),
        with_files("admin", &["tool", "mount"], &[1, 1], &[0, 0]),
        with_files("gone", &["alone"], &[0], &[2]),
        header("empty").blob(),
    ]);
    let look_up = |host: &Captured| {
        let reading = testing(host);
        let location = locate(&reading)?.expect("there is a database");
        let paths = [
            "/usr/bin/su",
            "/usr/bin/mount",
            "/usr/sbin/tool",
            "/usr/bin/alone",
            "/usr/bin/of-nobody",
        ];
        let mut wanted = Wanted::new(&reading, paths.into())?;
        owners(&reading, &location, &mut wanted)?;
        Ok::<_, ProbeError>(
            wanted
                .owners()
                .into_iter()
                .map(|(path, package)| format!("{path} {package}"))
                .collect::<Vec<_>>(),
        )
    };
    let host = Captured::default().file(NDB_PATH, &file).link("/sbin", "usr/sbin");
    let expected = [
        "/usr/bin/alone gone",
        "/usr/bin/mount own",
        "/usr/bin/su own",
        "/usr/sbin/tool admin",
    ];
    assert_eq!(look_up(&host).unwrap(), expected);
    // Where one package is not understood, none is told: it may be the owner.
    let mut damaged = file;
    damaged[4_096 + 4] ^= 1;
    let error = look_up(&Captured::default().file(NDB_PATH, damaged)).unwrap_err();
    assert_eq!(
        error,
        ProbeError::malformed(NDB_PATH, "package 1: its place in the database is damaged")
    );
    let no_folder = ndb(&[with_files("a", &["su"], &[7], &[])]);
    let error = look_up(&Captured::default().file(NDB_PATH, no_folder)).unwrap_err();
    assert_eq!(
        error,
        ProbeError::malformed(NDB_PATH, "package 1: a file has no folder")
    );
}

#[test]
fn files_that_rpm_compares() {
    const REGULAR: u16 = 0o100_644;
    let made = header("a")
        .texts(
            tag::BASENAMES,
            &["run", "conf", "link", "ghost", "replaced", "excepted", "unwanted"],
        )
        .texts(tag::DIRNAMES, &["/usr/bin/"])
        .numbers(tag::DIRINDEXES, &[0; 7])
        .characters(tag::FILESTATES, &[0, 0, 0, 0, 1, 0, 0])
        .numbers(tag::FILEFLAGS, &[0, 9, 0, 64, 0, 0, 0])
        .numbers(tag::FILEVERIFYFLAGS, &[u32::MAX, 1, 1, 1, 1, 0xfe, 1])
        .texts(tag::FILEDIGESTS, &["aa", "bb", "", "dd", "ee", "ff", "00"]);
    let modes = |modes: &[u16]| {
        made.clone()
            .short_numbers(tag::FILEMODES, modes)
            .number(tag::FILEDIGESTALGO, 8)
    };
    let look_up = |blob: Vec<u8>| {
        let host = Captured::default().file(NDB_PATH, ndb(&[header("empty").blob(), blob]));
        let reading = testing(&host);
        let location = locate(&reading)?.expect("there is a database");
        files(&reading, &location, &|package, path, _| {
            assert_eq!(package, "a");
            path != b"/usr/bin/unwanted"
        })
    };
    let whole = modes(&[REGULAR, REGULAR, 0o120_777, REGULAR, REGULAR, REGULAR, REGULAR]).blob();
    let file = |name: &str, digest: &str, is_configuration| File {
        path: format!("/usr/bin/{name}"),
        is_configuration,
        may_be_missing: is_configuration,
        digest: digest.to_owned(),
        algorithm: 8,
    };
    let expected = vec![file("run", "aa", false), file("conf", "bb", true)];
    assert_eq!(look_up(whole).unwrap(), [("a".to_owned(), expected)]);
    let error = look_up(modes(&[REGULAR]).blob()).unwrap_err();
    assert_eq!(error, ProbeError::malformed(NDB_PATH, "package 2: a file has no mode"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_ndb(changes in prop::collection::vec((0_usize..4_600, any::<u8>()), 0..30), cut in 0_usize..5_000) {
        let mut file = ndb(&[header("a").blob(), header("b").blob(), header("c").blob()]);
        for (at, value) in changes {
            if let Some(byte) = file.get_mut(at) {
                *byte = value;
            }
        }
        file.truncate(cut);
        let database = read(&Captured::default().file(NDB_PATH, file)).unwrap();
        prop_assert!(database.packages.len() <= 256 && database.unparsed.len() <= 101);
    }
}
