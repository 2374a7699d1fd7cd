use proptest::prelude::*;

use super::*;
use crate::reading::captured::Captured;
use crate::reading::testing;

fn wanted() -> HashMap<&'static str, Vec<usize>> {
    HashMap::from([("a", vec![0]), ("b&c", vec![1])])
}

const PRIMARY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="3">
<package type="rpm">
  <name>a</name>
  <arch>x86_64</arch>
  <version epoch="1" ver="2.0" rel="3.el9"/>
  <packager>Somebody &lt;x@example.org&gt;</packager>
  <format><rpm:entry name="other" epoch="0" ver="9" rel="9"/></format>
</package>
<package type="rpm"><name>z</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/></package>
<package type="rpm"><name>a</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/></package>
</metadata>"#;

/// The same, packed by xz 5.4.
const XZ: &[u8] = include_bytes!("../../../../fixtures/package-updates/primary.xml.xz");

const UPDATEINFO: &str = r#"<?xml version="1.0"?><updates>
<update from="x" status="final" type="security" version="1"><id>X-2024-1</id><title>A &amp; B</title>
<severity>Important</severity><issued date="2024-01-02 03:04:05"/><updated date="2024-01-03"/>
<references><reference href="h" id="CVE-2024-2" type="cve" title="x"/><reference id="CVE-2024-1" type="cve"/><reference id="7" type="bugzilla"/></references>
<pkglist><collection short="c"><name>c</name>
<package name="a" version="2.0" release="3.el9" epoch="1" arch="x86_64" src="a.src.rpm"><filename>a.rpm</filename></package>
<package name="z" version="1" release="1" epoch="0" arch="noarch"/></collection></pkglist></update>
<update type="bugfix"><id>X-2024-2</id><pkglist><collection><package name="z" version="1" release="1" epoch="0" arch="noarch"/></collection></pkglist></update>
</updates>"#;

fn packages_in(path: &str, bytes: impl AsRef<[u8]>) -> Result<Vec<Offered>, ListError> {
    let host = Captured::default().file(path, bytes);
    packages(&testing(&host), path, &wanted())
}

#[test]
fn packages_that_are_wanted() {
    let offered = packages_in("/p.xml", PRIMARY).unwrap();
    let versions: Vec<_> = offered
        .iter()
        .map(|offered| (offered.architecture.as_str(), offered.version.as_str()))
        .collect();
    assert_eq!(versions, [("x86_64", "1:2.0-3.el9"), ("noarch", "1-1")]);
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, PRIMARY.as_bytes()).unwrap();
    assert_eq!(packages_in("/p.xml.gz", packed.finish().unwrap()).unwrap(), offered);
    let zstd = ruzstd::encoding::compress_to_vec(PRIMARY.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(packages_in("/p.xml.zst", zstd).unwrap(), offered);
    assert_eq!(packages_in("/p.xml.xz", XZ).unwrap(), offered);
}

#[test]
fn lists_that_cannot_be_used() {
    assert_eq!(packages_in("/p.xml.bz2", "").unwrap_err().state, ListState::Unsupported);
    for ending in ["xz", "zck"] {
        let path = format!("/p.xml.{ending}");
        for junk in ["", "junk"] {
            assert_eq!(
                packages_in(&path, junk).unwrap_err().state,
                ListState::Malformed,
                "{path}"
            );
        }
    }
    for length in 0..XZ.len() {
        assert_eq!(
            packages_in("/p.xml.xz", &XZ[..length]).unwrap_err().state,
            ListState::Malformed,
            "{length}"
        );
    }
    assert_eq!(
        packages_in("/p.xml.gz", "junk").unwrap_err().state,
        ListState::Malformed
    );
    assert_eq!(
        packages_in("/p.xml.zst", "junk").unwrap_err().state,
        ListState::Malformed
    );
    let cut = &PRIMARY[..PRIMARY.find("</package>").unwrap()];
    assert_eq!(
        packages_in("/p.xml", cut).unwrap_err().detail,
        "/p.xml: it ends within an entry"
    );
    let nameless = "<package ><arch>x</arch></package>";
    assert_eq!(
        packages_in("/p.xml", nameless).unwrap_err().detail,
        "/p.xml: a package has no name"
    );
}

#[test]
fn collections_of_modules_apply_where_their_stream_is_on() {
    let package = |name: &str, version: u8| {
        format!("<package name=\"{name}\" epoch=\"0\" version=\"{version}\" release=\"1\" arch=\"noarch\"/>")
    };
    let module =
        |stream: &str| format!("<module name=\"m\" stream=\"{stream}\" version=\"1\" context=\"c\" arch=\"x86_64\"/>");
    let collection = |parts: &[String]| format!("<collection><name>x</name>{}</collection>", parts.concat());
    let list = format!(
        "<update type=\"security\"><id>X-1</id><pkglist>{}{}{}{}</pkglist></update>",
        collection(&[module("1"), package("a", 1)]),
        collection(&[package("a", 2)]),
        collection(&[module("2"), package("a", 3), package("a", 4)]),
        collection(&[module("1"), module("2"), package("a", 5)]),
    );
    let host = Captured::default().file("/u.xml", list);
    let versions = |on: &str| {
        let found = advisories(&testing(&host), "/u.xml", &wanted(), &|[name, stream, _]| {
            name == "m" && stream == on
        });
        let packages = found.unwrap().remove(0).packages;
        packages
            .into_iter()
            .map(|package| package.version)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(versions("1"), "1-1 2-1 5-1");
    assert_eq!(versions("2"), "2-1 3-1 4-1 5-1");
    assert_eq!(versions(""), "2-1");
}

#[test]
fn documents_one_after_the_other() {
    let read = |text: &str| {
        let host = Captured::default().file("/m.yaml", text);
        let mut found = vec![];
        documents(&testing(&host), "/m.yaml", &mut |text| {
            found.push(text.to_owned());
            Ok(())
        })
        .unwrap();
        found.retain(|text| !text.is_empty());
        found
    };
    assert_eq!(
        read("---\na: 1\n...\n---\nb: |\n  ---\n  x\n...\n"),
        ["a: 1\n", "b: |\n  ---\n  x\n"]
    );
    assert_eq!(read("a: 1\n--- \nb: 2"), ["a: 1\n", "b: 2"]);
    assert!(read("").is_empty());
}

#[test]
fn advisories_that_speak_of_what_is_wanted() {
    let host = Captured::default().file("/u.xml", UPDATEINFO);
    let found = advisories(&testing(&host), "/u.xml", &wanted(), &|_| false).unwrap();
    assert_eq!(
        found,
        [Advisory {
            id: "X-2024-1".into(),
            kind: "security".into(),
            severity: "Important".into(),
            issued: "2024-01-02 03:04:05".into(),
            cves: vec!["CVE-2024-1".into(), "CVE-2024-2".into()],
            packages: vec![Offered {
                name: "a".into(),
                architecture: "x86_64".into(),
                version: "1:2.0-3.el9".into()
            }],
        }]
    );
}

#[test]
fn contents_of_a_repository() {
    let text = r#"<repomd><revision>1700000000</revision><data type="primary"><checksum>x</checksum><location href="repodata/1-primary.xml.gz"/></data></repomd>"#;
    let read = contents(text).unwrap();
    assert_eq!(read.revision, "1700000000");
    assert_eq!(
        read.data,
        [("primary".to_owned(), "repodata/1-primary.xml.gz".to_owned())]
    );
    assert!(contents("<repomd/>").is_err() && contents("").is_err() && contents("<a></b>").is_err());
}

/// A stream that gives few bytes at a time, so that everything is cut somewhere.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        let (now, rest) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = rest;
        Ok(length)
    }
}

proptest! {
    #[test]
    fn cut_anywhere(step in 1_usize..300) {
        let mut found = vec![];
        cut(&mut Slow(PRIMARY.as_bytes(), step), "package", &mut |entry| {
            found.push(String::from_utf8(entry.to_vec()).unwrap());
            Ok(())
        }).unwrap();
        prop_assert_eq!(found.len(), 3);
        prop_assert!(found.iter().all(|entry| entry.starts_with("<package ") && entry.ends_with("</package>")));
    }

    #[test]
    fn any_text(text in "(<package >|<name>a</name>|</package>|<update>|</update>| name=\"a\"|<id>|\\PC|&|<!--|<!\\[CDATA\\[){0,30}", bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let host = Captured::default().file("/p.xml", &text).file("/p.xml.gz", &bytes).file("/p.xml.zst", &bytes);
        let reading = testing(&host);
        for path in ["/p.xml", "/p.xml.gz", "/p.xml.zst"] {
            let _ = packages(&reading, path, &wanted());
            let _ = advisories(&reading, path, &wanted(), &|_| false);
            let _ = documents(&reading, path, &mut |_| Ok(()));
        }
        let _ = contents(&text);
    }
}
