use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::formats::dpkg::State;
use crate::package_updates::PackageUpdatesProbe;
use crate::probe::Probe;
use crate::reading::captured::Captured;

const PATH: &str = "/list";

fn entry(name: &'static str, architecture: &'static str) -> Entry<'static> {
    Entry {
        name,
        architecture,
        version: "1",
        source: None,
        source_version: None,
        state: State::Installed,
        held: false,
        reinstall_required: false,
    }
}

fn read_with(host: &Captured, packed: Packed) -> Result<(Vec<Offered>, u64), ListError> {
    let packages = [entry("a", "amd64"), entry("a", "i386"), entry("b", "all")];
    let reading = Reading::new(host, &PackageUpdatesProbe::SPEC);
    read(&reading, PATH, packed, &Wanted::new(&packages, "amd64"))
}

fn read_bytes(bytes: &[u8], packed: Packed) -> Result<(Vec<Offered>, u64), ListError> {
    read_with(&Captured::default().file(PATH, bytes), packed)
}

/// A list longer than several windows in which the last packages are wanted.
fn long_list() -> String {
    let mut list = String::new();
    for number in 0..20_000 {
        list += &format!("Package: other{number}\nVersion: 1\nArchitecture: amd64\nDescription: x\n y\n\n");
    }
    list + "Package: a\nSource: src (1.5)\nVersion: 2\nArchitecture: i386\n\n\
            Package: b\nArchitecture: amd64\nVersion: 3\nPhased-Update-Percentage: 20\n"
}

fn check(read: Result<(Vec<Offered>, u64), ListError>) {
    let (offered, bytes) = read.unwrap();
    let brief: Vec<_> = offered
        .iter()
        .map(|offered| {
            (
                offered.package,
                offered.version.as_str(),
                offered.source.as_str(),
                offered.phased,
            )
        })
        .collect();
    assert_eq!(brief, [(1, "2", "src", 100), (2, "3", "b", 20)]);
    assert_eq!(bytes, long_list().len() as u64);
}

#[test]
fn plain_and_packed_lists() {
    let list = long_list();
    check(read_bytes(list.as_bytes(), Packed::Plain));
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gzip.write_all(list.as_bytes()).unwrap();
    check(read_bytes(&gzip.finish().unwrap(), Packed::Gzip));
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(vec![]);
    lz4.write_all(list.as_bytes()).unwrap();
    let lz4 = lz4.finish().unwrap();
    check(read_bytes(&lz4, Packed::Lz4));
    // Cut short, and not what its name says.
    let error = read_bytes(&lz4[..lz4.len() / 2], Packed::Lz4).unwrap_err();
    assert_eq!(error.state, ListState::Malformed);
    assert!(
        error.detail.starts_with("/list: cannot be unpacked: "),
        "{}",
        error.detail
    );
    assert_eq!(
        read_bytes(b"Package: a\n", Packed::Gzip).unwrap_err().state,
        ListState::Malformed
    );
    assert_eq!(
        read_bytes(b"", Packed::Unknown).unwrap_err().state,
        ListState::Unsupported
    );
}

#[test]
fn all_architectures_are_the_hosts_own() {
    let (offered, _) = read_bytes(b"Package: a\nVersion: 2\nArchitecture: all\n", Packed::Plain).unwrap();
    assert_eq!(offered.iter().map(|offered| offered.package).collect::<Vec<_>>(), [0]);
}

#[test]
fn what_is_no_list() {
    for (list, detail) in [
        (
            "<html>\n<body>\n",
            "/list: a stanza without a package that begins \"<html>\"",
        ),
        (
            "Package: a\nVersion: 2\n",
            "/list: the stanza of a: no Version or no Architecture",
        ),
        (
            "Package: a\nVersion: 2 3\nArchitecture: amd64\n",
            "/list: the stanza of a: no valid Version or no valid Architecture",
        ),
        (
            "Package: a\nVersion: 2\nArchitecture: amd64\nSource: x (\n",
            "/list: the stanza of a: no valid Source",
        ),
        (
            "Package: a\nVersion: 2\nArchitecture: amd64\nPhased-Update-Percentage: many\n",
            "/list: the stanza of a: no valid Phased-Update-Percentage",
        ),
    ] {
        let error = read_bytes(list.as_bytes(), Packed::Plain).unwrap_err();
        assert_eq!((error.state, error.detail.as_str()), (ListState::Malformed, detail));
    }
    let endless = vec![b'x'; MAX_STANZA + 1];
    let error = read_bytes(&endless, Packed::Plain).unwrap_err();
    assert_eq!(error.detail, "/list: a stanza of more than 2097152 bytes");
    assert_eq!(read_bytes(b"", Packed::Plain), Ok((vec![], 0)));
}

#[test]
fn what_cannot_be_read() {
    let denied = Captured::default().denied(PATH);
    assert_eq!(read_with(&denied, Packed::Lz4).unwrap_err().state, ListState::Denied);
    assert_eq!(
        read_with(&Captured::default().link(PATH, "/nowhere"), Packed::Plain)
            .unwrap_err()
            .detail,
        "/list: a link to a file that is not there"
    );
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), near in "(Package: a\n|Version: 2\n|Architecture: all\n|\n|x)*") {
        for packed in [Packed::Plain, Packed::Lz4, Packed::Gzip] {
            let _ = read_bytes(&bytes, packed);
        }
        let _ = read_bytes(near.as_bytes(), Packed::Plain);
    }
}
