//! Rules and controls in a fixed order, so that a host's verdicts are one short text.

use std::collections::BTreeSet;
use std::sync::Arc;

use controls::catalogue::{self, Catalogue, Control};
use controls::rule::{Rule, RuleSet};
use controls::status::{Standing, bearing_on};
use controls::verdict::Verdict;
use evidence::facts::ProbeId;

/// The rules, by id, and the controls that a rule bears on, by catalogue.
#[derive(Debug)]
pub struct Places {
    /// The rules.
    pub rules: Vec<Arc<Rule>>,
    /// The controls.
    pub controls: Vec<ControlPlace>,
    /// The documents that rules read.
    pub documents: BTreeSet<ProbeId>,
}

/// A control that rules bear on.
#[derive(Debug)]
pub struct ControlPlace {
    /// Its catalogue.
    pub catalogue: &'static Catalogue,
    /// It.
    pub control: &'static Control,
    /// Places of the rules, direct ones first.
    pub rules: Vec<usize>,
}

impl Places {
    /// The places of a rule set.
    pub fn of(set: &RuleSet) -> Self {
        let rules: Vec<_> = set.rules().cloned().collect();
        let place = |rule: &Rule| rules.iter().position(|other| other.id() == rule.id());
        let mut controls = Vec::new();
        for catalogue in catalogue::all() {
            for control in &catalogue.controls {
                let bearing = bearing_on(catalogue, control, set);
                if bearing.is_empty() {
                    continue;
                }
                controls.push(ControlPlace {
                    catalogue,
                    control,
                    rules: bearing.iter().filter_map(|(rule, _)| place(rule)).collect(),
                });
            }
        }
        Self {
            documents: rules.iter().map(|rule| rule.reads().clone()).collect(),
            rules,
            controls,
        }
    }

    /// The place of a rule.
    pub fn rule(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.id() == id)
    }

    /// The place of a control; `None` if no rule bears on it.
    pub fn control(&self, catalogue: &str, id: &str) -> Option<usize> {
        let same = |place: &ControlPlace| place.catalogue.id == catalogue && place.control.id.as_str() == id;
        self.controls.iter().position(same)
    }
}

impl ControlPlace {
    /// A host's standing on it by the host's verdicts, in the order of [`Places::rules`].
    pub fn standing(&self, verdicts: &[Verdict]) -> Standing {
        let of = |place: &usize| verdicts.get(*place).copied().map_or(Standing::Unknown, Standing::of);
        self.rules.iter().map(of).max().unwrap_or(Standing::Unknown)
    }
}

/// A verdict as it is kept.
pub(crate) const fn verdict_letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Met => 'm',
        Verdict::NotMet => 'n',
        Verdict::Unknown => 'u',
        Verdict::NotApplicable => 'a',
    }
}

/// A verdict that was kept; what cannot be read is not known.
pub(crate) const fn verdict_from_letter(letter: char) -> Verdict {
    match letter {
        'm' => Verdict::Met,
        'n' => Verdict::NotMet,
        'a' => Verdict::NotApplicable,
        _ => Verdict::Unknown,
    }
}

/// A standing as it is kept.
pub(crate) const fn standing_letter(standing: Standing) -> char {
    match standing {
        Standing::NotApplicable => 'a',
        Standing::Met => 'm',
        Standing::Excepted => 'e',
        Standing::Unknown => 'u',
        Standing::NotMet => 'n',
    }
}

/// A standing that was kept; what cannot be read is not known.
pub(crate) const fn standing_from_letter(letter: char) -> Standing {
    match letter {
        'a' => Standing::NotApplicable,
        'm' => Standing::Met,
        'e' => Standing::Excepted,
        'n' => Standing::NotMet,
        _ => Standing::Unknown,
    }
}
