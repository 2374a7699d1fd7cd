//! A real server on loopback, real TLS, statements that are really signed.

mod agent;
mod enrolment;
mod ingest;
mod limits;
mod server;
