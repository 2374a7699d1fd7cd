//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::{AtBoot, UnitState};
use crate::probe::Known;

/// What systemd starts and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Services {
    /// Services that run or start with the machine, sorted by name.
    pub services: Vec<Service>,
    /// Sockets and paths that start services when they are needed, those that start with the machine or are active, sorted.
    pub sockets: Vec<UnitState>,
    /// Units that cannot be started, sorted.
    pub masked: Vec<String>,
    /// Units that failed, sorted.
    pub failed: Known<Vec<String>>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Service {
    /// The unit's name.
    pub unit: String,
    /// Whether it starts with the machine.
    pub at_boot: AtBoot,
    /// Whether it runs.
    pub active: Known<bool>,
    /// Where its file lies; left out if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its file and drop-ins that were changed since it was started, outside of `/run`, sorted: not empty, and what runs need
    /// not be what `settings` tell. Absent if it does not run.
    pub changed_since_start: Known<Vec<String>>,
    /// What its file and drop-ins say.
    pub settings: Known<ServiceSettings>,
}

/// Settings of a service (systemd.service(5), systemd.exec(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceSettings {
    /// As whom it is started: a service started as root may change to another user by itself.
    pub runs_as: RunsAs,
    /// The program that it starts, without arguments, of several the last; empty if none.
    pub program: String,
    /// Settings that confine it, those that are set, each with the last value that systemd takes, as written: `NoNewPrivileges`,
    /// `ProtectSystem`, `ProtectHome`, `PrivateTmp`, `PrivateDevices`, `PrivateNetwork`, `CapabilityBoundingSet`,
    /// `AmbientCapabilities`, `SystemCallFilter`, `RestrictAddressFamilies`, `MemoryDenyWriteExecute` and the like.
    pub confinement: BTreeMap<String, String>,
}

/// As whom a service is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunsAs {
    /// root.
    Root,
    /// Another user (`User=`); see the document with names.
    User,
    /// A user made for the time that it runs (`DynamicUser=`).
    DynamicUser,
}

/// Names that may be those of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServicesNames {
    /// The user that each service is started as, by unit, as written; those of root are left out.
    pub users: BTreeMap<String, String>,
}
