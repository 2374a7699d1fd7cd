//! How many steps an expression takes, as a function of the lengths of the lists that it goes through. Known before
//! anything is evaluated, so that a document made to be slow costs nothing.

use std::collections::BTreeMap;

/// Steps; an upper bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cost {
    fixed: u64,
    loops: Vec<(Extent, Cost)>,
}

/// How many elements a list has at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As many as the longest list at this path of the facts.
    Facts(String),
    /// As many as are written in the rule or its parameters.
    Fixed(u64),
    /// As many as two lists together.
    Together(Box<Extent>, Box<Extent>),
}

impl Extent {
    fn length(&self, longest: &BTreeMap<String, usize>) -> u64 {
        match self {
            Self::Facts(path) => longest
                .get(path)
                .map_or(0, |length| u64::try_from(*length).unwrap_or(u64::MAX)),
            Self::Fixed(length) => *length,
            Self::Together(left, right) => left.length(longest).saturating_add(right.length(longest)),
        }
    }
}

impl Cost {
    pub(crate) fn fixed(fixed: u64) -> Self {
        Self {
            fixed,
            loops: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.fixed = self.fixed.saturating_add(other.fixed);
        self.loops.extend(other.loops);
        self
    }

    pub(crate) fn each(extent: Extent, body: Self) -> Self {
        Self {
            fixed: 1,
            loops: vec![(extent, body)],
        }
    }

    pub(crate) fn steps(&self, longest: &BTreeMap<String, usize>) -> u64 {
        self.loops.iter().fold(self.fixed, |steps, (extent, body)| {
            let times = extent.length(longest);
            steps.saturating_add(times.saturating_mul(body.steps(longest)))
        })
    }
}
