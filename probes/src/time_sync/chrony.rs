//! chrony.conf(5) and what `chronyc -c` prints (chronyc(1)).

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

use super::facts::{Authentication, Configured, Measured, Reference, SourceKind, TimeSource};
use super::{bands, run};
use crate::formats::{included, shell};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

pub(super) const CHRONYC: &str = "/usr/bin/chronyc";
/// Debian's and everybody else's.
const MAIN: [&str; 2] = ["/etc/chrony/chrony.conf", "/etc/chrony.conf"];
/// Options of the service.
const OPTIONS: [&str; 2] = ["/etc/default/chrony", "/etc/sysconfig/chronyd"];
/// Where chronyd writes the number of its process.
const PIDS: [&str; 2] = ["/run/chrony/chronyd.pid", "/run/chronyd.pid"];
/// Sources that DHCP clients write.
const FROM_DHCP: [&str; 2] = ["/run/chrony-dhcp", "/var/run/chrony-dhcp"];
/// `MAX_INCLUDE_LEVEL` of chrony.
const MAX_DEPTH: u8 = 10;
const MAX_FILES: usize = 500;
const MAX_SOURCES: usize = 1_000;
/// Settings that are told. `keyfile` and the like are paths; what is in them is not read.
const SETTINGS: [&str; 24] = [
    "allow",
    "authselectmode",
    "bindcmdaddress",
    "cmdallow",
    "cmdport",
    "combinelimit",
    "deny",
    "hwtimestamp",
    "keyfile",
    "leapsecmode",
    "leapsectz",
    "local",
    "log",
    "makestep",
    "manual",
    "maxchange",
    "maxdistance",
    "minsources",
    "ntsserverkey",
    "ntstrustedcerts",
    "port",
    "rtconutc",
    "rtcsync",
    "user",
];

/// What the configuration says; `None` if there is none.
pub(super) fn configured(reading: &Reading<'_>) -> Result<Option<Configured>, Unread> {
    let Some(main) = main_file(reading)? else {
        return Ok(None);
    };
    let mut reader = Reader {
        reading,
        configured: Configured {
            files: vec![],
            sources: vec![],
            built_in_sources: false,
            options: options(reading)?,
            settings: BTreeMap::new(),
        },
    };
    if !reader.file(&main, MAX_DEPTH)? {
        return Ok(None);
    }
    Ok(Some(reader.configured))
}

/// The options that the service is started with: `DAEMON_OPTS` of Debian, `OPTIONS` of others.
fn options(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let mut options = vec![];
    for path in OPTIONS {
        let variables = shell::assignments(&reading.text(path)?.unwrap_or_default());
        for name in ["DAEMON_OPTS", "OPTIONS"] {
            let value = shell::last(&variables, name).unwrap_or_default();
            options.extend(value.split_ascii_whitespace().map(str::to_owned));
        }
    }
    Ok(options)
}

/// The file that the service is told to read, else the one that is there.
fn main_file(reading: &Reading<'_>) -> Result<Option<String>, Unread> {
    let options = options(reading)?;
    let mut words = options.iter();
    if words.any(|word| word == "-f")
        && let Some(path) = words.next()
    {
        return Ok(Some(path.clone()));
    }
    for path in MAIN {
        if reading.stat(path)?.is_some() {
            return Ok(Some(path.to_owned()));
        }
    }
    Ok(None)
}

struct Reader<'a> {
    reading: &'a Reading<'a>,
    configured: Configured,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, depth: u8) -> Result<bool, Unread> {
        let too_much = |reason: String| Unread::Failed {
            place: path.to_owned(),
            reason,
        };
        if depth == 0 || self.configured.files.len() >= MAX_FILES {
            return Err(too_much("too many files include each other".to_owned()));
        }
        let Some(text) = self.reading.text(path)? else {
            return Ok(false);
        };
        self.configured.files.push(path.to_owned());
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with(['!', ';', '#', '%']) {
                continue;
            }
            let mut words = line.split_ascii_whitespace();
            let Some(directive) = words.next() else { continue };
            let arguments: Vec<&str> = words.collect();
            self.directive(path, &directive.to_ascii_lowercase(), &arguments, depth)?;
            if self.configured.sources.len() > MAX_SOURCES {
                return Err(too_much(format!("more than {MAX_SOURCES} sources")));
            }
        }
        Ok(true)
    }

    fn directive(&mut self, path: &str, directive: &str, arguments: &[&str], depth: u8) -> Result<(), Unread> {
        match directive {
            "server" | "pool" | "peer" | "refclock" => {
                self.configured.sources.extend(source(path, directive, arguments));
            }
            "include" => {
                for pattern in arguments {
                    for file in included::files(self.reading, pattern)? {
                        self.file(&file, depth - 1)?;
                    }
                }
            }
            "confdir" => self.folders(arguments, ".conf", depth)?,
            "sourcedir" => self.folders(arguments, ".sources", depth)?,
            _ if SETTINGS.contains(&directive) => {
                let values = self.configured.settings.entry(directive.to_owned()).or_default();
                values.push(arguments.join(" "));
            }
            _ => {}
        }
        Ok(())
    }

    /// Of files of the same name in several folders only the first is read; they are read sorted by name.
    fn folders(&mut self, folders: &[&str], suffix: &str, depth: u8) -> Result<(), Unread> {
        let mut seen = BTreeSet::new();
        let mut files = BTreeMap::new();
        for folder in folders {
            for entry in self.reading.list(folder)?.unwrap_or_default() {
                if entry.name.ends_with(suffix) && seen.insert(entry.name.clone()) {
                    files.insert(entry.name.clone(), format!("{folder}/{}", entry.name));
                }
            }
        }
        for file in files.into_values() {
            self.file(&file, depth - 1)?;
        }
        Ok(())
    }
}

fn source(path: &str, directive: &str, arguments: &[&str]) -> Option<TimeSource> {
    let (name, options) = arguments.split_first()?;
    let has = |option: &str| options.iter().any(|one| one.eq_ignore_ascii_case(option));
    Some(TimeSource {
        kind: match directive {
            "pool" => SourceKind::Pool,
            "peer" => SourceKind::Peer,
            "refclock" => SourceKind::ReferenceClock,
            _ => SourceKind::Server,
        },
        name: (*name).to_owned(),
        authentication: match () {
            () if has("nts") => Authentication::Nts,
            () if has("key") => Authentication::Key,
            () => Authentication::None,
        },
        file: path.to_owned(),
        from_dhcp: FROM_DHCP.iter().any(|folder| path.starts_with(folder)),
        never_selected: has("noselect"),
    })
}

/// Asks chronyd; any user may, unless the command port is closed.
pub(super) fn measured(reading: &Reading<'_>) -> Known<Measured> {
    // -m: both in one process; each argument is a command. -N: names as they were given, which older ones do not know.
    let mut by_name = true;
    let said = run(reading, CHRONYC, &["-N", "-c", "-m", "tracking", "sources"]).or_else(|why| {
        if !why.detail.contains("invalid option") {
            return Err(why);
        }
        by_name = false;
        run(reading, CHRONYC, &["-n", "-c", "-m", "tracking", "sources"])
    });
    match said {
        Ok(text) => match parse(&text) {
            Some(mut measured) => {
                if !by_name {
                    measured.names = Known::not(Outcome::Unsupported, "this chronyc does not tell names");
                }
                measured.sets_clock = sets_clock(reading);
                Known::Observed(measured)
            }
            None => Known::unread(&Unread::Malformed {
                place: CHRONYC.to_owned(),
                reason: "no tracking line of 14 fields".to_owned(),
            }),
        },
        Err(why) => Known::Not(why),
    }
}

/// By the command line of the process: `-x`, alone or among other letters, leaves the clock alone.
fn sets_clock(reading: &Reading<'_>) -> Known<bool> {
    for path in PIDS {
        let number = match reading.attribute(path) {
            Ok(Some(text)) => text.trim().parse::<u32>().ok(),
            Ok(None) => None,
            Err(unread) => return Known::unread(&unread),
        };
        let Some(number) = number else { continue };
        // Its number is another after each start.
        return match reading.one_of_many(&format!("/proc/{number}/cmdline")) {
            Ok(Some(line)) if !line.is_empty() => {
                let mut words = line.split(|byte| *byte == 0).skip(1);
                let leaves = |word: &[u8]| word.strip_prefix(b"-").is_some_and(is_without_clock);
                Known::Observed(!words.any(leaves))
            }
            Ok(_) => Known::absent("the process of chronyd is not there"),
            Err(unread) => Known::unread(&unread),
        };
    }
    Known::absent(format!("neither {} is there", PIDS.join(" nor ")))
}

/// Letters of getopt(3) up to the first that takes a value: the rest of the word is that.
fn is_without_clock(letters: &[u8]) -> bool {
    let mut flags = letters.iter().take_while(|letter| !b"fFhLlPu-".contains(*letter));
    flags.any(|letter| *letter == b'x')
}

/// One line of `tracking` (reference id, its name, stratum, time, system offset, …, leap status) and one of each source
/// (mode, state, name, stratum, poll, reach, …).
pub(super) fn parse(text: &str) -> Option<Measured> {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let tracking = lines.iter().find(|fields| fields.len() == 14)?;
    let [id, _, stratum, _, offset, .., leap] = tracking.as_slice() else {
        return None;
    };
    let stratum: u8 = stratum.parse().ok()?;
    let synchronised = *leap != "Not synchronised" && stratum != 0;
    let reference = match *id {
        _ if !synchronised => Reference::None,
        // 127.127.1.1: chronyd serves its own time (`local`).
        "7F7F0101" => Reference::LocalClock,
        _ => Reference::Source,
    };
    let sources = lines
        .iter()
        .filter(|fields| fields.len() == 10 && matches!(fields.first().copied(), Some("^" | "=" | "#")));
    let (mut all, mut reachable) = (0, 0);
    let mut names = BTreeSet::new();
    for fields in sources {
        all += 1;
        names.extend(fields.get(2).map(|name| (*name).to_owned()));
        reachable += u64::from(fields.get(5).is_some_and(|reach| *reach != "0"));
    }
    Some(Measured {
        synchronised: reference == Reference::Source,
        reference,
        stratum: bands::stratum(if synchronised { stratum } else { 16 }),
        offset: bands::against(reference, || bands::offset(offset)),
        sources: Known::Observed(bands::count(all)),
        reachable_sources: Known::Observed(bands::count(reachable)),
        names: Known::Observed(names.into_iter().collect()),
        sets_clock: Known::absent("not looked at"),
    })
}
