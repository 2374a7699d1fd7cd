//! The probe of access to databases beside the servers' own reading of the same generated files.
//!
//! Needs postgresql, mariadb-server-core and redis-tools. Servers listen on sockets in a temporary folder alone.

#![cfg(test)]

mod hba;
#[path = "../machine/mod.rs"]
mod machine;
mod mariadb;
mod postgresql;
mod redis;
mod settings;
