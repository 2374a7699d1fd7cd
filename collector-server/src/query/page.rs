//! Long lists, a page at a time.

use serde::Serialize;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Items left out before.
    pub offset: u64,
    /// Items at most.
    pub limit: u64,
}

impl Page {
    /// The first items.
    pub const fn first(limit: u64) -> Self {
        Self { offset: 0, limit }
    }

    /// Everything.
    pub const ALL: Self = Self::first(u64::MAX);
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paged<T> {
    /// How many there are in the whole list.
    pub total: u64,
    /// Which are left out before.
    pub offset: u64,
    /// The items.
    pub items: Vec<T>,
}
