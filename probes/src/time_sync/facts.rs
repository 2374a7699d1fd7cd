//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// How the host keeps its clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimeSync {
    /// The time services that are installed; none means that nothing that this probe knows sets the clock.
    pub services: Vec<TimeService>,
    /// Those that run now; more than one means that they fight over the clock.
    pub running: Known<Vec<Implementation>>,
    /// Those that start with the machine.
    pub at_boot: Known<Vec<Implementation>>,
    /// The time zone, for instance `Europe/Vienna`, from the link `/etc/localtime`.
    pub time_zone: Known<String>,
    /// In which time the battery-backed clock runs (`/etc/adjtime`).
    pub hardware_clock: Known<HardwareClock>,
}

/// A time service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimeService {
    /// Which.
    pub implementation: Implementation,
    /// Its program.
    pub program: String,
    /// Its units; absent without systemd.
    pub units: Known<Vec<UnitState>>,
    /// What its configuration files say.
    pub configured: Known<Configured>,
    /// Files of its configuration that were changed since it was started, outside of `/run`, sorted. Absent if it does not run
    /// or systemd did not start it.
    pub changed_since_start: Known<Vec<String>>,
    /// How it is doing, in its own words: bands, since the numbers change all the time.
    pub measured: Known<Measured>,
}

/// A program that sets the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Implementation {
    /// chronyd.
    Chrony,
    /// ntpd of the NTP project.
    Ntp,
    /// ntpd of `NTPsec`.
    Ntpsec,
    /// ntpd of `OpenNTPD`.
    Openntpd,
    /// systemd-timesyncd, which asks one server at a time and takes part in no authentication.
    SystemdTimesyncd,
}

/// A service's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Configured {
    /// The files, in the order in which they were read.
    pub files: Vec<String>,
    /// Where time is taken from, in the order in which it is written.
    pub sources: Vec<TimeSource>,
    /// Whether servers that the program was built with are used, since no others are configured.
    pub built_in_sources: bool,
    /// Options that chronyd is started with, as its file of variables has them, for instance `-F 1`; empty for others.
    pub options: Vec<String>,
    /// Other settings that matter to an audit, by directive, each with its values as written: for chrony `makestep`,
    /// `rtcsync`, `local`, `allow`, `authselectmode`, `minsources` and the like.
    pub settings: BTreeMap<String, Vec<String>>,
}

/// A source of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimeSource {
    /// What kind of source.
    pub kind: SourceKind,
    /// Host name, address or, for clocks, the driver.
    pub name: String,
    /// How answers are authenticated.
    pub authentication: Authentication,
    /// Where it is written.
    pub file: String,
    /// Whether it came by DHCP.
    pub from_dhcp: bool,
    /// Whether it is never used to set the clock (`noselect`).
    pub never_selected: bool,
}

/// The kind of a source of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// One server.
    Server,
    /// A name behind which there are several servers.
    Pool,
    /// A server that also takes time from here.
    Peer,
    /// A server that is asked if no other is configured.
    Fallback,
    /// A clock attached to the host.
    ReferenceClock,
    /// The host's own clock, given out as if it were a source.
    LocalClock,
}

/// How a server's answers are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// Not at all.
    None,
    /// Network Time Security (RFC 8915).
    Nts,
    /// A shared key.
    Key,
}

/// The state of synchronisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Measured {
    /// Whether the service says that the clock is synchronised with a source.
    pub synchronised: bool,
    /// What the clock is synchronised with.
    pub reference: Reference,
    /// How far from a reference clock the host is, in steps.
    pub stratum: StratumBand,
    /// How far the clock is from the source's time; absent without such a source.
    pub offset: Known<OffsetBand>,
    /// How many sources the service has; not known if it does not tell.
    pub sources: Known<CountBand>,
    /// How many of them have answered lately.
    pub reachable_sources: Known<CountBand>,
    /// The sources that it has now, by the names that it was given, each once, sorted; without those for whose names it has
    /// found no address. Told by chronyd alone, from version 4.0 on.
    pub names: Known<Vec<String>>,
    /// Whether it sets the clock: chronyd with `-x` measures alone. Told of chronyd, by the command line of its process, and
    /// of systemd-timesyncd, which always does.
    pub sets_clock: Known<bool>,
}

/// What a clock is synchronised with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// Nothing.
    None,
    /// The host's own clock.
    LocalClock,
    /// Another host or a reference clock.
    Source,
}

/// The stratum (RFC 5905), in bands, since it changes with the server that happens to be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StratumBand {
    /// Stratum 1: a reference clock is attached.
    #[serde(rename = "1")]
    First,
    /// Stratum 2 to 5, as it is with servers on the Internet.
    #[serde(rename = "2_to_5")]
    Usual,
    /// Stratum 6 to 15: many steps, or an island without a reference.
    #[serde(rename = "6_to_15")]
    Far,
    /// None: not synchronised.
    None,
}

/// How many, up to the number from which a majority can outvote one that is wrong: servers of pools come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum CountBand {
    /// None.
    #[serde(rename = "0")]
    None,
    /// One.
    #[serde(rename = "1")]
    One,
    /// Two.
    #[serde(rename = "2")]
    Two,
    /// Three or more.
    #[serde(rename = "3_or_more")]
    Several,
}

/// The difference between the clock and its source, without its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OffsetBand {
    /// Less than a millisecond.
    #[serde(rename = "under_1ms")]
    Under1Ms,
    /// Less than 10 ms.
    #[serde(rename = "under_10ms")]
    Under10Ms,
    /// Less than 100 ms.
    #[serde(rename = "under_100ms")]
    Under100Ms,
    /// Less than a second.
    #[serde(rename = "under_1s")]
    Under1S,
    /// A second or more.
    #[serde(rename = "over_1s")]
    Over1S,
}

/// In which time the battery-backed clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HardwareClock {
    /// UTC, which is so too if nothing is written.
    Utc,
    /// Local time, which is ambiguous once a year.
    Local,
}
