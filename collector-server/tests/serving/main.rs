//! A real server on loopback, real TLS, statements that are really signed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "these are tests"
)]

mod agent;
mod commands;
mod enrolment;
mod ingest;
mod limits;
mod pages;
mod server;
