//! Which files a pack may have, and how large each may be.

use evidence::Digest;
use evidence::facts;
use evidence::manifest;
use evidence::note;
use evidence::pack;
use evidence::statement::HostId;
use evidence::tile::{Resource, Tile};

/// What a file in a pack is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// `SHA256SUMS`.
    Sums,
    /// `pack.dsse.json`.
    Statement,
    /// `pack.tlog-proof`.
    Receipt,
    /// `README.txt` or `index.html`: for people; its digest counts, its content does not.
    Text,
    /// `log/checkpoint`.
    Checkpoint,
    /// `log/tile/…`.
    Tile(Tile),
    /// `statements/collector.jsonl`.
    Collector,
    /// `statements/<host>.jsonl`.
    Host(HostId),
    /// `manifests/<sha256>`.
    Manifest(Digest),
    /// `facts/<sha256>.json`.
    Facts(Digest),
    /// `keys/<keyid>.pem`.
    Key(Digest),
    /// `rules/<name>.yaml`.
    Rule,
    /// `catalogues/<name>.csv`.
    Catalogue,
    /// `scope.txt`.
    Scope,
    /// `results/…`.
    Result,
}

const MIB: u64 = 1 << 20;

impl Role {
    /// The role of a name; `None` if no file of a pack is called so.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            pack::SUMS => return Some(Self::Sums),
            pack::STATEMENT => return Some(Self::Statement),
            pack::RECEIPT => return Some(Self::Receipt),
            pack::README | pack::INDEX => return Some(Self::Text),
            pack::CHECKPOINT => return Some(Self::Checkpoint),
            pack::COLLECTOR => return Some(Self::Collector),
            pack::SCOPE => return Some(Self::Scope),
            pack::FINDINGS
            | pack::FINDINGS_TABLE
            | pack::CONTROLS
            | pack::CONTROLS_TABLE
            | pack::COVERAGE
            | pack::COVERAGE_TABLE => return Some(Self::Result),
            _ => {}
        }
        let (folder, file) = name.split_once('/')?;
        let plain = |stem: &str| {
            let form = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            (1..=64).contains(&stem.len()) && stem.bytes().all(form)
        };
        match folder {
            "log" => match file.parse() {
                Ok(Resource::Hashes(tile)) => Some(Self::Tile(tile)),
                _ => None,
            },
            "statements" => HostId::new(file.strip_suffix(".jsonl")?).ok().map(Self::Host),
            "manifests" => file.parse().ok().map(Self::Manifest),
            "facts" => file.strip_suffix(".json")?.parse().ok().map(Self::Facts),
            "keys" => file.strip_suffix(".pem")?.parse().ok().map(Self::Key),
            "rules" => file
                .strip_suffix(".yaml")
                .filter(|stem| plain(stem))
                .map(|_| Self::Rule),
            "catalogues" => file
                .strip_suffix(".csv")
                .filter(|stem| plain(stem))
                .map(|_| Self::Catalogue),
            _ => None,
        }
    }

    /// How many bytes such a file may unpack to. Those that grow with the log are streamed, so their limit is only there
    /// to end an endless one.
    pub fn max_bytes(&self) -> u64 {
        match self {
            Self::Statement => 65_535,
            Self::Receipt => evidence::proof::MAX_BYTES as u64,
            Self::Sums | Self::Text => 256 * MIB,
            Self::Checkpoint => note::MAX_BYTES as u64,
            Self::Tile(tile) => tile.byte_length() as u64,
            Self::Collector | Self::Host(_) => 64 * 1024 * MIB,
            Self::Manifest(_) => manifest::MAX_BYTES as u64,
            Self::Facts(_) => facts::MAX_BYTES as u64,
            Self::Key(_) => 1024,
            Self::Rule => MIB,
            Self::Catalogue | Self::Scope => 16 * MIB,
            Self::Result => 16 * 1024 * MIB,
        }
    }

    /// Whether `SHA256SUMS` lists it: all but itself and what signs it.
    pub fn is_summed(&self) -> bool {
        !matches!(self, Self::Sums | Self::Statement | Self::Receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_the_layout_have_a_role() {
        let digest = Digest::of(b"x");
        for name in [
            "SHA256SUMS".to_owned(),
            pack::facts(&digest),
            pack::manifest(&digest),
            pack::statements("web-1"),
            pack::COLLECTOR.to_owned(),
            "log/tile/0/x001/002.p/7".to_owned(),
            "results/findings.csv".to_owned(),
            pack::rule("swap-encrypted"),
        ] {
            assert!(Role::of(&name).is_some(), "{name}");
        }
        for name in [
            "",
            "/",
            "/etc/passwd",
            "../SHA256SUMS",
            "facts/../SHA256SUMS",
            "facts/x.json",
            "log/tile/entries/000",
            "log/tile/0/1",
            "rules/../x.yaml",
            "rules/.yaml",
            "statements/A.jsonl",
            "sha256sums",
            "facts\\x",
            "log/",
            "results/x.csv",
        ] {
            assert_eq!(Role::of(name), None, "{name}");
        }
    }
}
