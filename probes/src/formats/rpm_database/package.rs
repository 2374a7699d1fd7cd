//! What the header of a package tells.

use super::super::openpgp_signature;
use super::super::rpm_header::{Header, tag};
use super::super::rpm_version;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest name of a package or architecture.
const MAX_NAME: usize = 300;
/// Longest vendor that is told whole.
const MAX_VENDOR: usize = 200;
/// Provided names that are looked at; kernels of SUSE provide over ten thousand.
const MAX_PROVIDED: usize = 200_000;
/// What a kernel provides, with the release that `uname -r` shows.
const KERNEL_RELEASE: &[u8] = b"kernel-uname-r";
/// What asks for a reboot after an installation (SUSE).
const REBOOT_HINT: &[u8] = b"installhint(reboot-needed)";

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: String,
    /// `[epoch:]version-release`, as `%{EVR}` of rpm.
    pub version: String,
    /// Architecture, `noarch` for all.
    pub architecture: String,
    /// Name of the source package; `None` if the header does not tell.
    pub source: Option<String>,
    /// `version-release` of the source package.
    pub source_version: Option<String>,
    /// Who distributes it, as the package says; empty if it does not.
    pub vendor: String,
    /// When it was installed, seconds since 1970.
    pub installed_at: Option<u32>,
    /// Who signed it.
    pub signature: Signature,
    /// `module:stream:version:context` that it was built for; empty for most.
    pub module: String,
    /// If it is a kernel: its release, as `uname -r` shows.
    pub kernel_release: Option<String>,
    /// Whether the package says that its installation needs a reboot.
    pub reboot_hint: bool,
}

/// The signature of a package, as rpm kept it when it installed the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// None.
    Unsigned,
    /// By the key with this id, 16 hexadecimal digits.
    Key(String),
    /// One that does not tell its key, or not in a form that is known.
    Unclear,
}

/// A key that rpm trusts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustedKey {
    /// Its id: hexadecimal digits, as many as rpm tells.
    pub id: String,
}

/// What a header is that of.
pub(super) enum Found {
    Package(Box<Package>),
    Key(TrustedKey),
}

impl Found {
    pub(super) fn of(header: &Header<'_>) -> Result<Self, &'static str> {
        let name = name_of(header)?;
        let part = |tag| {
            word(header.text(tag), rpm_version::MAX_LENGTH)
                .filter(|part| !part.contains(':'))
                .ok_or("no valid version or release")
        };
        let (version, release) = (part(tag::VERSION)?, part(tag::RELEASE)?);
        if name == "gpg-pubkey" {
            let id = key_of(header).unwrap_or(version);
            return Ok(Self::Key(TrustedKey { id }));
        }
        let version = match header.number(tag::EPOCH) {
            Some(epoch) => format!("{epoch}:{version}-{release}"),
            None => format!("{version}-{release}"),
        };
        let architecture = word(header.text(tag::ARCH), MAX_NAME).ok_or("no valid architecture")?;
        let source = word(header.text(tag::SOURCERPM), 3 * MAX_NAME).and_then(|file| source_of(&file));
        let (source, source_version) = source.unzip();
        let provided = Provided::of(header);
        Ok(Self::Package(Box::new(Package {
            name,
            version,
            architecture,
            source,
            source_version,
            vendor: text(header.text(tag::VENDOR), MAX_VENDOR),
            installed_at: header.number(tag::INSTALLTIME),
            signature: signature_of(header),
            module: text(header.text(tag::MODULARITYLABEL), MAX_VENDOR),
            kernel_release: provided.kernel_release,
            reboot_hint: provided.reboot_hint,
        })))
    }
}

/// The name of the package.
pub(super) fn name_of(header: &Header<'_>) -> Result<String, &'static str> {
    word(header.text(tag::NAME), MAX_NAME).ok_or("no valid name")
}

/// What matters here of the names that a package provides.
#[derive(Default)]
struct Provided {
    kernel_release: Option<String>,
    reboot_hint: bool,
}

impl Provided {
    fn of(header: &Header<'_>) -> Self {
        let mut provided = Self::default();
        let names = header.texts(tag::PROVIDENAME).into_iter().flatten().take(MAX_PROVIDED);
        for (at, name) in names.enumerate() {
            if name == KERNEL_RELEASE {
                let version = header
                    .texts(tag::PROVIDEVERSION)
                    .and_then(|mut versions| versions.nth(at));
                provided.kernel_release = word(version, MAX_NAME);
            }
            provided.reboot_hint |= name == REBOOT_HINT;
        }
        provided
    }
}

/// The longest id that a trusted key provides as `gpg(…)`.
fn key_of(header: &Header<'_>) -> Option<String> {
    let names = header.texts(tag::PROVIDENAME)?.take(MAX_PROVIDED);
    let ids = names.filter_map(|name| {
        let id = name.strip_prefix(b"gpg(")?.strip_suffix(b")")?;
        let is_id = matches!(id.len(), 8..=64) && id.iter().all(u8::is_ascii_hexdigit);
        std::str::from_utf8(id).ok().filter(|_| is_id).map(str::to_owned)
    });
    ids.max_by_key(String::len)
}

fn signature_of(header: &Header<'_>) -> Signature {
    let mut found = Signature::Unsigned;
    if let Some(packed) = header.text(tag::OPENPGP) {
        let id = STANDARD
            .decode(packed)
            .ok()
            .and_then(|bytes| openpgp_signature::key_id(&bytes));
        found = id.map_or(Signature::Unclear, Signature::Key);
    }
    for tag in [tag::RSAHEADER, tag::DSAHEADER, tag::SIGPGP, tag::SIGGPG] {
        if matches!(found, Signature::Key(_)) {
            break;
        }
        if let Some(bytes) = header.bytes(tag) {
            found = openpgp_signature::key_id(bytes).map_or(Signature::Unclear, Signature::Key);
        }
    }
    found
}

/// Name and `version-release` in the file name of a source package.
fn source_of(file: &str) -> Option<(String, String)> {
    let rest = file.strip_suffix(".rpm")?;
    let (rest, _) = rest.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    (!name.is_empty()).then(|| (name.to_owned(), format!("{version}-{release}")))
}

/// Printable ASCII without white space.
fn word(bytes: Option<&[u8]>, longest: usize) -> Option<String> {
    let bytes = bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= longest)?;
    let text = std::str::from_utf8(bytes).ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then(|| text.to_owned())
}

/// A text for people; what is not UTF-8 is replaced, and the rest of a long one left out.
fn text(bytes: Option<&[u8]>, longest: usize) -> String {
    let text = String::from_utf8_lossy(bytes.unwrap_or_default());
    let printable = text.chars().filter(|character| !character.is_control());
    printable.take(longest).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let of = |file| source_of(file).unwrap();
        assert_eq!(
            of("openssl-3.0.7-1.el9.src.rpm"),
            ("openssl".into(), "3.0.7-1.el9".into())
        );
        assert_eq!(of("a-b-1^x~y-2.nosrc.rpm"), ("a-b".into(), "1^x~y-2".into()));
        for file in ["", "x", "x.rpm", "x-1.src.rpm", "-1-2.src.rpm", "x-1-2.src"] {
            assert_eq!(source_of(file), None, "{file}");
        }
    }

    #[test]
    fn words_and_texts() {
        assert_eq!(word(Some(b"a b"), 10), None);
        assert_eq!(word(Some(b"abc"), 2), None);
        assert_eq!(word(Some(&[0xff]), 2), None);
        assert_eq!(text(Some(b" A\xff\nB "), 10), "A\u{fffd}B");
        assert_eq!(text(None, 10), "");
    }
}
