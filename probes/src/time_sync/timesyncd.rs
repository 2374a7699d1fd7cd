//! timesyncd.conf(5), and what systemd-timesyncd keeps in `/run`.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{Authentication, Configured, Measured, Reference, SourceKind, TimeSource};
use super::{bands, run};
use crate::formats::systemd::Settings;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

pub(super) const TIMEDATECTL: &str = "/usr/bin/timedatectl";
/// Written when the clock was set for the first time since the service's start (systemd-timesyncd.service(8)).
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// What systemd-networkd knows of links, NTP servers by DHCP among it.
const LINKS: &str = "/run/systemd/netif/links";
const MAX_LINKS: usize = 100;

pub(super) fn configured(reading: &Reading<'_>) -> Result<Configured, Unread> {
    let settings = Settings::read(reading, "timesyncd")?;
    let file = settings.files.last().cloned().unwrap_or_default();
    let of = |name: &str, kind: SourceKind| {
        let words = settings.words("Time", name);
        let sources = words.into_iter().map(|word| source(word, kind, &file, false));
        sources.collect::<Vec<_>>()
    };
    let mut sources = of("NTP", SourceKind::Server);
    let by_dhcp = from_links(reading)?;
    sources.extend(by_dhcp);
    let fallbacks = of("FallbackNTP", SourceKind::Fallback);
    // An empty assignment switches the built-in ones off; `get` cannot tell it from none.
    let built_in_sources = sources.is_empty() && fallbacks.is_empty() && !settings.assigned("Time", "FallbackNTP");
    sources.extend(fallbacks);
    let mut others = BTreeMap::new();
    for name in ["RootDistanceMaxSec", "PollIntervalMinSec", "PollIntervalMaxSec"] {
        if let Some(value) = settings.get("Time", name) {
            others.insert(name.to_owned(), vec![value.to_owned()]);
        }
    }
    Ok(Configured {
        files: settings.files,
        sources,
        built_in_sources,
        options: vec![],
        settings: others,
    })
}

fn source(name: &str, kind: SourceKind, file: &str, from_dhcp: bool) -> TimeSource {
    TimeSource {
        kind,
        name: name.to_owned(),
        authentication: Authentication::None,
        file: file.to_owned(),
        from_dhcp,
        never_selected: false,
    }
}

fn from_links(reading: &Reading<'_>) -> Result<Vec<TimeSource>, Unread> {
    let mut sources: Vec<TimeSource> = vec![];
    for entry in reading.list(LINKS)?.unwrap_or_default().into_iter().take(MAX_LINKS) {
        let text = reading
            .attribute(&format!("{LINKS}/{}", entry.name))?
            .unwrap_or_default();
        let servers = text.lines().filter_map(|line| line.strip_prefix("NTP="));
        for server in servers.flat_map(str::split_ascii_whitespace) {
            if !sources.iter().any(|known| known.name == server) {
                sources.push(source(server, SourceKind::Server, LINKS, true));
            }
        }
    }
    Ok(sources)
}

/// What the service says over D-Bus. The file `synchronized` alone is older than a loss of all servers.
pub(super) fn measured(reading: &Reading<'_>) -> Known<Measured> {
    let synchronised = match reading.stat(SYNCHRONISED) {
        Ok(stat) => stat.is_some(),
        Err(unread) => return Known::unread(&unread),
    };
    match run(reading, TIMEDATECTL, &["timesync-status", "--no-pager"]) {
        Ok(text) => Known::Observed(parse(&text, synchronised)),
        Err(why) => Known::Not(why),
    }
}

/// Lines of `Name: value`. Without a packet received there are neither stratum nor offset.
pub(super) fn parse(text: &str, synchronised: bool) -> Measured {
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value.trim())
    };
    let stratum = value("Stratum").and_then(|stratum| stratum.parse().ok());
    let in_leap = value("Leap").is_some_and(|leap| leap != "not synchronized");
    let synchronised = synchronised && stratum.is_some() && in_leap;
    Measured {
        synchronised,
        reference: if synchronised {
            Reference::Source
        } else {
            Reference::None
        },
        stratum: bands::stratum(stratum.unwrap_or(16)),
        offset: value("Offset").map_or_else(|| Known::not(Outcome::Absent, "no answer of a server yet"), bands::span),
        names: Known::not(Outcome::Unsupported, "systemd-timesyncd asks one server at a time"),
        sets_clock: Known::Observed(true),
        sources: Known::not(Outcome::Unsupported, "systemd-timesyncd asks one server at a time"),
        reachable_sources: Known::Observed(bands::count(u64::from(stratum.is_some()))),
    }
}
