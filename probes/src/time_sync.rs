//! # What
//! Which service keeps the host's clock, where it takes time from, and whether the clock is synchronised.
//!
//! # Source
//! chrony.conf(5) and `chronyc -c`; timesyncd.conf(5), `timedatectl timesync-status` and `/run/systemd/timesync`;
//! `ntp.conf` and `ntpq`; ntpd.conf(5) of `OpenNTPD`; unit files; localtime(5); hwclock(8) for `/etc/adjtime`.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` where a service's configuration is closed to others. The services answer any user.
//!
//! # Bears on
//! A.8.17 (clock synchronization), A.8.15 (logging).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod bands;
mod chrony;
mod facts;
mod ntpd;
mod timesyncd;

use evidence::facts::Outcome;

pub use facts::*;

use crate::formats::systemd::{AtBoot, UnitState, Units};
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Command, Output, Reading, Unread};

/// The probe.
pub struct TimeSyncProbe;

impl Probe for TimeSyncProbe {
    const SPEC: Spec = Spec {
        id: "time-sync",
        version: 3,
        title: "Which service keeps the clock, where it takes time from, and whether the clock is synchronised",
        reads: &[
            "/etc/chrony/chrony.conf or /etc/chrony.conf and what it includes",
            "/etc/systemd/timesyncd.conf and its drop-ins",
            "/run/systemd/timesync/",
            "/run/systemd/netif/links/",
            "/etc/ntp.conf, /etc/ntpsec/ntp.conf, /etc/openntpd/ntpd.conf",
            "unit files",
            "/etc/localtime",
            "/etc/adjtime",
            "/run/chrony/chronyd.pid and the command line of that process",
            "chronyc, timedatectl or ntpq, whichever service runs",
        ],
        runs: &[chrony::CHRONYC, timesyncd::TIMEDATECTL, ntpd::NTPQ],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/chrony/",
            "/etc/chrony/conf.d/",
            "/etc/chrony/sources.d/",
            "/etc/systemd/",
            "/etc/adjtime",
            "/etc/localtime",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether the servers themselves have the right time.",
            "The offset in figures: it is told in bands, since it changes all the time.",
            "Time set by a hypervisor or by a tool of a virtual machine, and PTP.",
            "Whether OpenNTPD is synchronised.",
        ],
    };

    type Facts = TimeSync;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<TimeSync, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let mut services = vec![];
        for known in &KNOWN {
            if let Some(program) = installed(reading, known)? {
                services.push(service(reading, known, program, &units));
            }
        }
        let facts = TimeSync {
            running: those(&services, |state| state.active.clone()),
            at_boot: those(&services, |state| Known::Observed(state.at_boot == AtBoot::Pulled)),
            services,
            time_zone: time_zone(reading),
            hardware_clock: hardware_clock(reading),
        };
        Ok(Collected::facts(facts))
    }
}

/// A service that may be there.
struct Candidate {
    implementation: Implementation,
    programs: &'static [&'static str],
    /// One of these must be there too, since several services call their program ntpd.
    with: &'static [&'static str],
    units: &'static [&'static str],
}

const KNOWN: [Candidate; 5] = [
    Candidate {
        implementation: Implementation::Chrony,
        programs: &["/usr/sbin/chronyd", "/usr/bin/chronyd"],
        with: &[],
        units: &["chrony.service", "chronyd.service"],
    },
    Candidate {
        implementation: Implementation::Ntp,
        programs: &["/usr/sbin/ntpd", "/usr/bin/ntpd"],
        with: &["/etc/ntp.conf"],
        units: &["ntp.service", "ntpd.service"],
    },
    Candidate {
        implementation: Implementation::Ntpsec,
        programs: &["/usr/sbin/ntpd", "/usr/bin/ntpd"],
        with: &["/etc/ntpsec/ntp.conf", "/usr/lib/systemd/system/ntpsec.service"],
        units: &["ntpsec.service", "ntpd.service"],
    },
    Candidate {
        implementation: Implementation::Openntpd,
        programs: &["/usr/sbin/ntpd", "/usr/bin/ntpd"],
        with: &["/usr/sbin/ntpctl", "/usr/bin/ntpctl"],
        units: &["openntpd.service", "ntpd.service"],
    },
    Candidate {
        implementation: Implementation::SystemdTimesyncd,
        programs: &["/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd"],
        with: &[],
        units: &["systemd-timesyncd.service"],
    },
];

fn installed(reading: &Reading<'_>, known: &Candidate) -> Result<Option<&'static str>, Unread> {
    let first = |paths: &'static [&'static str]| {
        for path in paths {
            if reading.stat(path)?.is_some() {
                return Ok(Some(*path));
            }
        }
        Ok(None)
    };
    let found = first(known.programs)?;
    if found.is_some() && !known.with.is_empty() && first(known.with)?.is_none() {
        return Ok(None);
    }
    Ok(found)
}

fn service(
    reading: &Reading<'_>,
    known: &Candidate,
    program: &str,
    units: &Result<Option<Units>, Unread>,
) -> TimeService {
    let states = match units {
        Ok(Some(units)) => Known::Observed(once(units, known.units)),
        Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
        Err(unread) => Known::unread(unread),
    };
    let configured = match known.implementation {
        Implementation::Chrony => Known::of(chrony::configured(reading), "/etc/chrony/chrony.conf"),
        Implementation::Ntp => Known::of(ntpd::configured(reading, &["/etc/ntp.conf"]), "/etc/ntp.conf"),
        Implementation::Ntpsec => {
            let path = "/etc/ntpsec/ntp.conf";
            Known::of(ntpd::configured(reading, &[path]), path)
        }
        Implementation::Openntpd => {
            let paths = ["/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"];
            Known::of(ntpd::configured(reading, &paths), paths[0])
        }
        Implementation::SystemdTimesyncd => Known::of(timesyncd::configured(reading).map(Some), "timesyncd.conf"),
    };
    // A service that is known not to run is not asked; without systemd it is.
    let stopped = states
        .value()
        .is_some_and(|states| states.iter().all(|state| state.active == Known::Observed(false)));
    let measured = match known.implementation {
        _ if stopped => Known::not(Outcome::Absent, "the service does not run"),
        Implementation::Chrony => chrony::measured(reading),
        Implementation::Ntp | Implementation::Ntpsec => ntpd::measured(reading),
        Implementation::Openntpd => Known::not(Outcome::Unsupported, "this probe does not ask OpenNTPD"),
        Implementation::SystemdTimesyncd => timesyncd::measured(reading),
    };
    TimeService {
        implementation: known.implementation,
        program: program.to_owned(),
        changed_since_start: changed(reading, units, &states, &configured),
        units: states,
        configured,
        measured,
    }
}

/// Of the unit that runs.
fn changed(
    reading: &Reading<'_>,
    units: &Result<Option<Units>, Unread>,
    states: &Known<Vec<UnitState>>,
    configured: &Known<Configured>,
) -> Known<Vec<String>> {
    let states = match states {
        Known::Observed(states) => states,
        Known::Not(why) => return Known::Not(why.clone()),
    };
    let running = states.iter().find(|state| state.active == Known::Observed(true));
    match (running, configured) {
        (Some(state), Known::Observed(configured)) => {
            Units::changed_since_start(units, reading, &state.unit, &configured.files)
        }
        (Some(_), Known::Not(why)) => Known::Not(why.clone()),
        (None, _) => Known::absent("none of its units runs"),
    }
}

/// The states of the units that there are; two names of one unit are one.
fn once(units: &Units, names: &[&str]) -> Vec<UnitState> {
    let mut states: Vec<UnitState> = vec![];
    for name in names {
        let name = units.canonical(name);
        if !states.iter().any(|state| state.unit == name) {
            states.extend(units.state(name));
        }
    }
    states
}

/// The implementations of which `is` holds for any unit; not known if it is not known for one.
fn those(services: &[TimeService], is: impl Fn(&UnitState) -> Known<bool>) -> Known<Vec<Implementation>> {
    let mut found = vec![];
    for service in services {
        let states = match &service.units {
            Known::Observed(states) => states,
            Known::Not(why) => return Known::Not(why.clone()),
        };
        let mut any = false;
        for state in states {
            match is(state) {
                Known::Observed(is) => any |= is,
                Known::Not(why) => return Known::Not(why),
            }
        }
        if any {
            found.push(service.implementation);
        }
    }
    found.order();
    Known::Observed(found)
}

/// Standard output of a program that ended well.
fn run(reading: &Reading<'_>, program: &str, args: &[&str]) -> Result<String, NotKnown> {
    let command = Command { program, args };
    let not = |outcome, detail| NotKnown { outcome, detail };
    match reading.run(&command) {
        Ok(Some(Output { status: 0, stdout, .. })) => {
            String::from_utf8(stdout).map_err(|_| not(Outcome::Malformed, format!("{command}: not UTF-8")))
        }
        Ok(Some(output)) => {
            let said = [output.stderr, output.stdout].concat();
            let said: String = String::from_utf8_lossy(&said).trim().chars().take(200).collect();
            Err(not(
                Outcome::Failed,
                format!("{command}: status {}: {said}", output.status),
            ))
        }
        Ok(None) => Err(not(Outcome::Absent, format!("{program} is not there"))),
        Err(unread) => Err(not(unread.outcome(), unread.to_string())),
    }
}

fn time_zone(reading: &Reading<'_>) -> Known<String> {
    const LOCALTIME: &str = "/etc/localtime";
    match reading.link(LOCALTIME) {
        Ok(Some(target)) => match target.split_once("zoneinfo/") {
            Some((_, zone)) => Known::Observed(zone.to_owned()),
            None => Known::not(Outcome::Unsupported, format!("{LOCALTIME} leads to {target}")),
        },
        // localtime(5): without the link it is UTC.
        Ok(None) => Known::Observed("UTC".to_owned()),
        Err(Unread::Failed { .. }) => Known::not(Outcome::Unsupported, format!("{LOCALTIME} is no link")),
        Err(unread) => Known::unread(&unread),
    }
}

/// The third line; without the file it is UTC.
fn hardware_clock(reading: &Reading<'_>) -> Known<HardwareClock> {
    match reading.text("/etc/adjtime") {
        Ok(text) => match text.unwrap_or_default().lines().nth(2).map(str::trim) {
            Some("LOCAL") => Known::Observed(HardwareClock::Local),
            None | Some("UTC" | "") => Known::Observed(HardwareClock::Utc),
            Some(_) => Known::not(Outcome::Malformed, "/etc/adjtime:3: neither UTC nor LOCAL"),
        },
        Err(unread) => Known::unread(&unread),
    }
}

#[cfg(test)]
mod tests;
