//! What can be done to a zip archive so that two programs see different files in it, or one of them falls over.

use std::io::{Cursor, Write as _};

use affiant_verify::Failure;
use zip::{CompressionMethod, ZipWriter};

use super::expect;
use super::pack::{Pack, open, options};

type Writer = ZipWriter<Cursor<Vec<u8>>>;

/// A small archive of one good file and what `more` adds.
fn archive(more: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    file(&mut zip, "README.txt", b"read me");
    more(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn file(zip: &mut Writer, name: &str, bytes: &[u8]) {
    zip.start_file(name, options(CompressionMethod::Deflated)).unwrap();
    zip.write_all(bytes).unwrap();
}

/// Positions at which `bytes` has `found`.
fn positions(bytes: &[u8], found: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(found.len()).enumerate();
    windows
        .filter(|(_, window)| *window == found)
        .map(|(at, _)| at)
        .collect()
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..at + new.len()].copy_from_slice(new);
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

fn refused(name: &str, bytes: Vec<u8>, what: &str, place: &str) {
    expect(name, open(bytes).map(drop), what, place).unwrap();
}

#[test]
fn a_plain_archive_is_read_stored_deflated_and_with_large_fields() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        for large in [false, true] {
            let bytes = archive(|zip| {
                zip.start_file("index.html", options(method).large_file(large)).unwrap();
                zip.write_all(&vec![b'x'; 100_000]).unwrap();
                file(zip, "SHA256SUMS", b"");
            });
            let mut archive = open(bytes).unwrap();
            assert_eq!(
                archive.bytes("index.html").unwrap().0,
                vec![b'x'; 100_000],
                "{method:?} {large}"
            );
            assert_eq!(archive.bytes("README.txt").unwrap().0, b"read me");
            assert_eq!(archive.bytes("SHA256SUMS").unwrap().0, b"");
        }
    }
}

#[test]
fn names_that_no_pack_has() {
    for name in [
        "../README.txt",
        "facts/../../etc/passwd",
        "/etc/passwd",
        "C:/x",
        "facts\\x.json",
        "results/findings.json\0.txt",
        "more.txt",
        "rules/A.yaml",
        "statements/",
        "facts/",
        "readme.txt",
    ] {
        refused(
            name,
            archive(|zip| file(zip, name, b"x")),
            "a pack has no such file",
            "",
        );
    }
    let folder = archive(|zip| zip.add_directory("facts", options(CompressionMethod::Stored)).unwrap());
    refused("a folder", folder, "a pack has no such file", "facts/");
}

#[test]
fn files_that_are_none() {
    let link = archive(|zip| {
        zip.add_symlink("index.html", "/etc/passwd", options(CompressionMethod::Stored))
            .unwrap();
    });
    refused("a link", link, "central header is not as a pack has it", "index.html");
    let program = archive(|zip| {
        let options = options(CompressionMethod::Stored).unix_permissions(0o4755);
        zip.start_file("index.html", options).unwrap();
    });
    refused(
        "a program",
        program,
        "central header is not as a pack has it",
        "index.html",
    );
    let commented = {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        file(&mut zip, "README.txt", b"read me");
        zip.set_comment("hello").unwrap();
        zip.finish().unwrap().into_inner()
    };
    refused("a comment", commented, "end record", "the archive");
    refused("nothing", Vec::new(), "not a zip archive", "the archive");
    refused("noise", vec![b'P'; 5000], "not a zip archive", "the archive");
}

#[test]
fn headers_that_lie() {
    let good = archive(|zip| file(zip, "index.html", &[b'x'; 1000]));
    let [local, central] = [LOCAL, CENTRAL].map(|mark| positions(&good, mark)[1]);
    let end = positions(&good, END)[0];
    let cases: [(&str, usize, &[u8], &str); 14] = [
        ("encrypted", central + 8, &[1], "central header is not as"),
        ("encrypted in front only", local + 6, &[1], "local header is not as"),
        ("another method", central + 10, &[12], "no central header"),
        ("another method in front", local + 8, &[0], "local header is not as"),
        ("another name in front", local + 30, b"README", "local header is not as"),
        ("another size", central + 24, &[9, 9, 9, 0], "local header is not as"),
        (
            "a size that no such file has",
            central + 24,
            &[0, 0, 0, 0x7f],
            "such a file may have",
        ),
        (
            "packed beyond the end",
            central + 20,
            &[0xff, 0xff, 0xff, 0x7f],
            "reaches beyond",
        ),
        (
            "it begins in the other",
            central + 42,
            &[1, 0, 0, 0],
            "begins at byte 1 ",
        ),
        (
            "both begin at the front",
            central + 42,
            &[0, 0, 0, 0],
            "begins at byte 0 ",
        ),
        ("a date", central + 12, &[9], "central header is not as"),
        ("another disk", central + 34, &[1], "central header is not as"),
        ("an extra field that is none", central + 30, &[4], "no central header"),
        ("an extra field in front", local + 28, &[4], "local header is not as"),
    ];
    for (name, at, new, what) in cases {
        let mut bytes = good.clone();
        put(&mut bytes, at, new);
        refused(name, bytes, what, "");
    }
    let ends: [(&str, usize, &[u8], &str); 7] = [
        (
            "another number of files",
            end + 10,
            &[1],
            "too many in its central directory",
        ),
        ("more files", end + 10, &[3], "no central header of file 3"),
        ("files on this disk", end + 8, &[1], "does not end as a pack does"),
        (
            "a longer directory",
            end + 12,
            &[0xff, 0xff],
            "not where its end record says",
        ),
        (
            "a directory elsewhere",
            end + 16,
            &[0xff, 0xff, 0xff, 0x7f],
            "not where its end record says",
        ),
        ("a comment without one", end + 20, &[1], "does not end as a pack does"),
        (
            "large without the record",
            end + 12,
            &[0xff; 4],
            "files, at most 4000000 are read",
        ),
    ];
    for (name, at, new, what) in ends {
        let mut bytes = good.clone();
        put(&mut bytes, at, new);
        refused(name, bytes, what, "the archive");
    }
}

#[test]
fn something_more_than_the_files() {
    let good = archive(|zip| file(zip, "index.html", b"page"));
    let [second, directory] = [positions(&good, LOCAL)[1], positions(&good, CENTRAL)[0]];
    let end = positions(&good, END)[0];
    refused("before", [b"x", good.as_slice()].concat(), "", "");
    refused(
        "after",
        [good.as_slice(), b"x"].concat(),
        "not a zip archive",
        "the archive",
    );
    refused("twice", [good.as_slice(), &good].concat(), "", "");
    for (name, at) in [
        ("between", second),
        ("before the directory", directory),
        ("after the directory", end),
    ] {
        let mut bytes = good.clone();
        bytes.splice(at..at, *b"xxxx");
        // With offsets that fit again.
        let moved = 4;
        if at <= directory {
            let begin = u32::try_from(directory + moved).unwrap().to_le_bytes();
            put(&mut bytes, end + moved + 16, &begin);
        }
        if at == second {
            let central = positions(&bytes, CENTRAL)[1];
            put(
                &mut bytes,
                central + 42,
                &u32::try_from(second + moved).unwrap().to_le_bytes(),
            );
        }
        let what = match name {
            "between" => "something is between or overlaps",
            "before the directory" => "bytes that belong to no file",
            _ => "does not end as a pack does",
        };
        refused(name, bytes, what, "");
    }
    for cut in [1, 10, 22, 23, 60, good.len() / 2, good.len() - 4] {
        refused("cut off", good[..good.len() - cut].to_vec(), "", "");
    }
}

/// Bytes behind the end of a deflate stream, inside the file's part of the archive, are seen by nobody who unpacks it.
#[test]
fn something_behind_a_deflate_stream() {
    let mut bytes = archive(|zip| file(zip, "index.html", b"page"));
    let [local, central] = [LOCAL, CENTRAL].map(|mark| positions(&bytes, mark)[1]);
    let directory = positions(&bytes, CENTRAL)[0];
    let end = positions(&bytes, END)[0];
    let packed = u32::from_le_bytes(bytes[local + 18..local + 22].try_into().unwrap()) + 4;
    put(&mut bytes, local + 18, &packed.to_le_bytes());
    put(&mut bytes, central + 20, &packed.to_le_bytes());
    put(
        &mut bytes,
        end + 16,
        &u32::try_from(directory + 4).unwrap().to_le_bytes(),
    );
    bytes.splice(directory..directory, *b"more");
    let mut archive = open(bytes).expect("the structure is right");
    let ended = archive.bytes("index.html").map(drop);
    expect("behind", ended, "does not end where it must", "index.html").unwrap();
}

#[test]
fn a_name_twice() {
    let mut bytes = archive(|zip| {
        file(zip, "rules/a.yaml", b"one");
        file(zip, "rules/b.yaml", b"two");
    });
    for at in positions(&bytes, b"rules/b.yaml") {
        put(&mut bytes, at, b"rules/a.yaml");
    }
    refused("twice", bytes, "is in the archive twice", "rules/a.yaml");
}

/// Little that unpacks to much: refused by what the headers announce, and stopped where they lie.
#[test]
fn bombs() {
    let bomb = archive(|zip| {
        file(zip, "index.html", &vec![0; 200 << 20]);
    });
    assert!(bomb.len() < 1 << 21, "{}", bomb.len());
    refused("announced", bomb.clone(), "times as much", "the archive");
    let mut lying = bomb;
    let [local, central] = [LOCAL, CENTRAL].map(|mark| positions(&lying, mark)[1]);
    put(&mut lying, local + 22, &[9, 0, 0, 0]);
    put(&mut lying, central + 24, &[9, 0, 0, 0]);
    let mut archive = open(lying).expect("the structure is right");
    let ended = archive.bytes("index.html").map(drop);
    expect(
        "lying",
        ended,
        "unpacks to more than its header announces",
        "index.html",
    )
    .unwrap();
    let large = self::archive(|zip| file(zip, "log/checkpoint", &vec![b'x'; 1 << 20]));
    refused(
        "larger than its role",
        large,
        "such a file may have 65536",
        "log/checkpoint",
    );
}

/// A file that ends before its time is no pack, and no reason to fall over.
#[test]
fn the_pack_cut_off_anywhere() {
    let bytes = Pack::good().to_zip();
    for length in (0..bytes.len()).step_by(997) {
        match open(bytes[..length].to_vec()).map(drop) {
            Err(Failure::NotVerified { .. }) => {}
            other => panic!("{length}: {other:?}"),
        }
    }
}
