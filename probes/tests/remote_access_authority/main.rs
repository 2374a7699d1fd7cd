//! The probe of remote access beside the packages of Debian and Net-SNMP's agent. Side by side: both wait for most of their time.

#![cfg(test)]

#[path = "../machine/mod.rs"]
mod machine;
mod packages;
mod snmp;
