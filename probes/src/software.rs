//! Software that files tell of: which products are installed, the units that run them, the jobs that start them by the
//! clock, and processes. No probe is in here; probes that look for one of many products bring a table of them.

pub mod command;
pub mod jobs;
pub mod processes;
pub mod products;

use std::cell::OnceCell;

use evidence::Timestamp;
use evidence::facts::Outcome;

use crate::formats::systemd::{UnitState, Units};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Units, read when the first product asks for them: on most hosts none does.
pub struct LazyUnits<'r, 'h> {
    /// Where they are read.
    pub reading: &'r Reading<'h>,
    units: OnceCell<Result<Option<Units>, Unread>>,
}

impl<'r, 'h> LazyUnits<'r, 'h> {
    /// Nothing is read yet.
    pub const fn new(reading: &'r Reading<'h>) -> Self {
        Self {
            reading,
            units: OnceCell::new(),
        }
    }

    /// The units.
    pub fn get(&self) -> &Result<Option<Units>, Unread> {
        self.units.get_or_init(|| Units::read(self.reading))
    }

    /// The units if they could be read and there are any.
    pub fn value(&self) -> Option<&Units> {
        self.get().as_ref().ok().and_then(Option::as_ref)
    }

    /// The states of those among `names` that there are, each once, sorted. `name@.service` stands for its instances.
    pub fn states(&self, names: &[&str]) -> Known<Vec<UnitState>> {
        let units = match self.get() {
            Ok(Some(units)) => units,
            Ok(None) => return Known::not(Outcome::Absent, "this host has no systemd"),
            Err(unread) => return Known::unread(unread),
        };
        let mut states: Vec<UnitState> = vec![];
        let mut add = |name: &str| {
            let name = units.canonical(name);
            if !states.iter().any(|state| state.unit == name) {
                states.extend(units.state(name));
            }
        };
        for name in names {
            let instances = name.split_once("@.");
            let Some((prefix, kind)) = instances else {
                add(name);
                continue;
            };
            for instance in units.names() {
                let of_template = instance.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('@'));
                if of_template.is_some_and(|rest| !rest.starts_with('.') && rest.ends_with(&format!(".{kind}"))) {
                    add(instance);
                }
            }
        }
        states.order_by(|a, b| a.unit.cmp(&b.unit));
        Known::Observed(states)
    }
}

/// Midnight (UTC) of the day of an instant, seconds since 1970: finer times change with each run. `None` beyond year 9999.
pub fn day(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_unix(seconds.div_euclid(86_400) * 86_400).ok()
}

/// The day on which what is in a file last changed.
pub fn day_of(reading: &Reading<'_>, path: &str) -> Known<Timestamp> {
    match reading.stat(path) {
        Ok(Some(stat)) => day(stat.mtime).map_or_else(
            || Known::not(Outcome::Malformed, format!("{path}: its time is out of range")),
            Known::Observed,
        ),
        Ok(None) => Known::not(Outcome::Absent, format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}
