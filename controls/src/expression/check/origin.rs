//! Where a value comes from, as far as it tells how long a list is.

use crate::baseline::MAX_ITEMS;
use crate::expression::cost::Extent;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A place in facts or parameters, `[]` for every element: `facts.volumes[].layers`.
    Path(String),
    /// A list written in the rule or made by a comprehension.
    Made { extent: Extent, element: Box<Origin> },
    /// A value that was computed.
    Nowhere,
}

impl Origin {
    pub(super) fn written(length: usize, element: Self) -> Self {
        Self::Made {
            extent: Extent::Fixed(u64::try_from(length).unwrap_or(u64::MAX)),
            element: Box::new(element),
        }
    }

    pub(super) fn field(&self, name: &str) -> Self {
        match self {
            Self::Path(path) => Self::Path(format!("{path}.{name}")),
            _ => Self::Nowhere,
        }
    }

    pub(super) fn element(&self) -> Self {
        match self {
            Self::Path(path) => Self::Path(format!("{path}[]")),
            Self::Made { element, .. } => (**element).clone(),
            Self::Nowhere => Self::Nowhere,
        }
    }

    /// How many elements the list has at most, if that can be told.
    pub(super) fn extent(&self) -> Option<Extent> {
        match self {
            Self::Path(path) if path.starts_with("facts") => Some(Extent::Facts(path.clone())),
            Self::Path(_) => Some(Extent::Fixed(u64::try_from(MAX_ITEMS).unwrap_or(u64::MAX))),
            Self::Made { extent, .. } => Some(extent.clone()),
            Self::Nowhere => None,
        }
    }

    /// The name of the parameter that this is, or is an element of.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Path(path) => path.strip_prefix("param.").map(|name| name.trim_end_matches("[]")),
            _ => None,
        }
    }

    /// Of two branches: lists that are not from the same place are as long as both together.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (left, right) if left == right => left,
            (Self::Nowhere, one) | (one, Self::Nowhere) => one,
            (left, right) => match (left.extent(), right.extent()) {
                (Some(left_extent), Some(right_extent)) => Self::Made {
                    extent: Extent::Together(Box::new(left_extent), Box::new(right_extent)),
                    element: Box::new(match (&left, &right) {
                        // Elements that are lists from either place: going through those is refused.
                        (Self::Path(_), Self::Path(_)) => Self::Nowhere,
                        _ => left.element().or(right.element()),
                    }),
                },
                _ => Self::Nowhere,
            },
        }
    }
}
