//! What can be known about a host: one file per probe. Pure.
