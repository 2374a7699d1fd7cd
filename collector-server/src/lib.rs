//! The collector: log, index, web, API, packs.

pub mod acts;
pub mod agents;
pub mod app;
pub mod ca;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contacts;
pub mod control;
pub mod data_dir;
pub mod enrol;
pub mod fsck;
pub mod index;
pub mod ingest;
pub mod keys;
pub mod log;
pub mod net;
pub mod opening;
pub mod pack;
pub mod query;
pub mod rules;
pub mod serve;
pub mod store;
pub mod token;
pub mod web;
