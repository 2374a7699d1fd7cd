//! `ntp.conf` of ntpd and of `NTPsec`, and ntpd.conf(5) of `OpenNTPD`.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{Authentication, Configured, Measured, Reference, SourceKind, TimeSource};
use super::{bands, run};
use crate::formats::included;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

pub(super) const NTPQ: &str = "/usr/bin/ntpq";
const MAX_FILES: usize = 200;
const MAX_SOURCES: usize = 1_000;
const SETTINGS: [&str; 11] = [
    "constraint",
    "constraints",
    "crypto",
    "disable",
    "enable",
    "keys",
    "listen",
    "nts",
    "restrict",
    "tinker",
    "tos",
];

/// The first of `mains` that is there, and what it includes. `None` if none is.
pub(super) fn configured(reading: &Reading<'_>, mains: &[&str]) -> Result<Option<Configured>, Unread> {
    for main in mains {
        if reading.stat(main)?.is_none() {
            continue;
        }
        let mut configured = Configured {
            files: vec![],
            sources: vec![],
            built_in_sources: false,
            options: vec![],
            settings: BTreeMap::new(),
        };
        let mut waiting = vec![(*main).to_owned()];
        while let Some(path) = waiting.pop() {
            if configured.files.len() >= MAX_FILES || configured.sources.len() > MAX_SOURCES {
                return Err(Unread::Failed {
                    place: path,
                    reason: "too many files or sources".to_owned(),
                });
            }
            if let Some(text) = reading.text(&path)? {
                let included = add(reading, &mut configured, &path, &text)?;
                configured.files.push(path);
                waiting.extend(included.into_iter().rev());
            }
        }
        return Ok(Some(configured));
    }
    Ok(None)
}

/// Adds a file's lines; gives the files that it includes.
fn add(reading: &Reading<'_>, configured: &mut Configured, path: &str, text: &str) -> Result<Vec<String>, Unread> {
    let mut waiting = vec![];
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let Some((directive, arguments)) = words.split_first() else {
            continue;
        };
        match *directive {
            "server" | "servers" | "pool" | "peer" | "refclock" | "sensor" => {
                configured.sources.extend(source(path, directive, arguments));
            }
            "includefile" => {
                for pattern in arguments {
                    let pattern = included::below(folder, pattern.trim_matches('"'));
                    // A folder is meant as all of its *.conf (NTPsec).
                    match reading.list(&pattern) {
                        Ok(Some(_)) => waiting.extend(included::files(reading, &format!("{pattern}/*.conf"))?),
                        _ => waiting.push(pattern),
                    }
                }
            }
            _ if SETTINGS.contains(directive) => {
                let values = configured.settings.entry((*directive).to_owned()).or_default();
                // A password of NTPsec's key database could stand behind `crypto pw`.
                let shown = if *directive == "crypto" {
                    String::new()
                } else {
                    arguments.join(" ")
                };
                values.push(shown);
            }
            _ => {}
        }
    }
    Ok(waiting)
}

fn source(path: &str, directive: &str, arguments: &[&str]) -> Option<TimeSource> {
    // `server -4 NAME`; OpenNTPD has `server NAME weight 5`.
    let (name, options) = match arguments {
        ["-4" | "-6", name, options @ ..] | [name, options @ ..] => (*name, options),
        [] => return None,
    };
    let has = |option: &str| options.contains(&option);
    Some(TimeSource {
        kind: match directive {
            _ if name.starts_with("127.127.1.") => SourceKind::LocalClock,
            _ if name.starts_with("127.127.") => SourceKind::ReferenceClock,
            "refclock" | "sensor" => SourceKind::ReferenceClock,
            "pool" | "servers" => SourceKind::Pool,
            "peer" => SourceKind::Peer,
            _ => SourceKind::Server,
        },
        name: name.to_owned(),
        authentication: match () {
            () if has("nts") => Authentication::Nts,
            () if has("key") || has("autokey") => Authentication::Key,
            () => Authentication::None,
        },
        file: path.to_owned(),
        from_dhcp: path.starts_with("/run/ntp"),
        never_selected: has("noselect"),
    })
}

/// Asks ntpd, in one process: system variables and the table of peers.
pub(super) fn measured(reading: &Reading<'_>) -> Known<Measured> {
    match run(
        reading,
        NTPQ,
        &["-n", "-c", "rv 0 leap,stratum,refid,offset", "-c", "peers"],
    ) {
        Ok(text) => parse(&text).map_or_else(
            // It ends well when nothing answers.
            || Known::not(Outcome::Failed, format!("{NTPQ}: ntpd gave no answer")),
            Known::Observed,
        ),
        Err(why) => Known::Not(why),
    }
}

/// `None`: no answer. Else `leap=00, stratum=2, refid=192.0.2.1, offset=0.123`, then a table whose seventh column is the reach register.
pub(super) fn parse(text: &str) -> Option<Measured> {
    let mut variables: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut all, mut reachable, mut in_table) = (0, 0, false);
    for line in text.lines() {
        if line.starts_with("====") {
            in_table = true;
        } else if in_table {
            let reach = line.split_ascii_whitespace().nth(6);
            // A pool's own line is no server.
            if let Some(reach) = reach.filter(|_| !line.contains(".POOL.")) {
                all += 1;
                reachable += u64::from(reach != "0");
            }
        } else {
            let parts = line.split(',').filter_map(|part| part.trim().split_once('='));
            variables.extend(parts);
        }
    }
    let stratum: u8 = variables.get("stratum")?.parse().ok()?;
    // 11: not synchronised.
    let leap = matches!(*variables.get("leap")?, "00" | "01" | "10" | "0" | "1" | "2");
    let local = variables
        .get("refid")
        .is_some_and(|id| id.starts_with("127.127.1.") || id.contains("LOCL"));
    let in_sync = leap && stratum < 16;
    let reference = match (in_sync, local) {
        (false, _) => Reference::None,
        (true, true) => Reference::LocalClock,
        (true, false) => Reference::Source,
    };
    Some(Measured {
        synchronised: reference == Reference::Source,
        reference,
        stratum: bands::stratum(if in_sync { stratum } else { 16 }),
        offset: bands::against(reference, || match variables.get("offset") {
            Some(offset) => bands::milliseconds(offset),
            None => Known::not(Outcome::Malformed, format!("{NTPQ} gave no offset")),
        }),
        sources: Known::Observed(bands::count(all)),
        reachable_sources: Known::Observed(bands::count(reachable)),
        names: Known::not(Outcome::Unsupported, "ntpq tells addresses alone"),
        sets_clock: Known::not(Outcome::Unsupported, "this probe does not ask ntpd"),
    })
}
