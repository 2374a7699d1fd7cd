//! How sshd is started: the units of systemd, and the options that they give to it.

use evidence::facts::Outcome;

use super::SSHD;
use super::options::{self, Options};
use crate::formats::systemd::{AtBoot, UnitState, Units, syntax};
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};
use crate::software::command::CommandLine;

/// Debian's name and that of everybody else.
const NAMES: [&str; 2] = ["ssh", "sshd"];
/// Where sshd is under the names of merged folders.
const PATHS: [&str; 4] = [SSHD, "/usr/bin/sshd", "/sbin/sshd", "/bin/sshd"];

/// How sshd is started.
pub(super) struct Service {
    /// The units that there are.
    pub(super) units: Known<Vec<UnitState>>,
    /// The options; `None` if neither a unit nor a file says anything.
    pub(super) options: Result<Option<Options>, NotKnown>,
    /// The command with its options, if a unit has it.
    pub(super) command: Option<Vec<String>>,
    /// systemd listens, and starts one sshd for each connection.
    pub(super) each_connection: bool,
}

impl Service {
    pub(super) fn read(reading: &Reading<'_>) -> Self {
        let units = match Units::read(reading) {
            Ok(Some(units)) => units,
            Ok(None) => {
                return Self {
                    units: Known::absent("this host has no systemd"),
                    options: from_files(reading),
                    command: None,
                    each_connection: false,
                };
            }
            Err(unread) => {
                return Self {
                    units: Known::unread(&unread),
                    options: Err(not_known(&unread)),
                    command: None,
                    each_connection: false,
                };
            }
        };
        let (starter, each_connection) = starter(reading, &units);
        let mut service = Self {
            units: Known::Observed(states(&units)),
            options: Ok(None),
            command: None,
            each_connection,
        };
        match starter.map(|unit| CommandLine::of_unit(reading, &units, &unit)) {
            None | Some(Ok(None)) => service.options = from_files(reading),
            Some(Err(unread)) => service.options = Err(not_known(&unread)),
            Some(Ok(Some(line))) => {
                service.options = from_command(&line.words);
                service.command = Some(line.words);
            }
        }
        service
    }
}

/// Those of sshd that there are, an alias under the name of the unit that it means.
fn states(units: &Units) -> Vec<UnitState> {
    let names = NAMES.iter().flat_map(|name| {
        let kinds = [".service", ".socket"];
        kinds.map(|kind| format!("{name}{kind}"))
    });
    let own = names.filter(|name| units.canonical(name) == name);
    own.filter_map(|name| units.state(&name)).collect()
}

/// The unit that starts sshd, and whether it does so for each connection: of several the first that is in use.
fn starter(reading: &Reading<'_>, units: &Units) -> (Option<String>, bool) {
    let in_use = |unit: &str| {
        let used = |state: UnitState| state.at_boot == AtBoot::Pulled || state.active.value() == Some(&true);
        units.state(unit).is_some_and(used)
    };
    let template = |name: &&&str| {
        units.path(&format!("{name}@.service")).is_some()
            && in_use(&format!("{name}.socket"))
            && !in_use(&format!("{name}.service"))
            && accepts(reading, units, &format!("{name}.socket"))
    };
    if let Some(name) = NAMES.iter().find(template) {
        return (Some(format!("{name}@.service")), true);
    }
    let services = || NAMES.iter().map(|name| format!("{name}.service"));
    let used = services().find(|name| in_use(name));
    (
        used.or_else(|| services().find(|name| units.path(name).is_some())),
        false,
    )
}

/// Whether systemd takes the connections of a socket itself (`Accept`, systemd.socket(5)) and does not leave that to sshd.
fn accepts(reading: &Reading<'_>, units: &Units, socket: &str) -> bool {
    let assignments = units.assignments(reading, socket).ok().flatten().unwrap_or_default();
    let mut accept = assignments
        .iter()
        .filter(|one| one.section == "Socket" && one.name == "Accept");
    let last = accept.next_back();
    last.is_some_and(|one| syntax::boolean(&one.value) == Some(true))
}

fn from_command(words: &[String]) -> Result<Option<Options>, NotKnown> {
    let unsupported = |reason| NotKnown {
        outcome: Outcome::Unsupported,
        detail: reason,
    };
    let mut words = words.iter().map(String::as_str);
    let program = words.next().unwrap_or_default();
    if !PATHS.contains(&program) {
        let shown: String = program.chars().take(100).collect();
        return Err(unsupported(format!(
            "the service starts {shown:?}, which is not {SSHD}"
        )));
    }
    options::parse(words).map(Some).map_err(unsupported)
}

fn from_files(reading: &Reading<'_>) -> Result<Option<Options>, NotKnown> {
    for (path, variable) in options::FILES {
        if let Some(text) = reading.text(path).map_err(|unread| not_known(&unread))? {
            let value = options::variable(&text, variable).unwrap_or_default();
            return options::parse(value.split_ascii_whitespace())
                .map(Some)
                .map_err(|reason| NotKnown {
                    outcome: Outcome::Unsupported,
                    detail: format!("{path}: {reason}"),
                });
        }
    }
    Ok(None)
}

fn not_known(unread: &Unread) -> NotKnown {
    NotKnown {
        outcome: unread.outcome(),
        detail: unread.to_string(),
    }
}
