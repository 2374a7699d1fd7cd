//! File formats that several probes read. No probe is in here: these modules take bytes and give what is written in
//! them.

pub mod apk;
pub mod archive_date;
pub mod debian_version;
pub mod dpkg;
pub mod included;
pub mod openpgp_signature;
pub mod os_release;
pub mod package_family;
pub mod pacman;
pub mod rpm_database;
pub mod rpm_header;
pub mod rpm_version;
pub mod sqlite;
pub mod stanza;
pub mod systemd;
pub mod toml;
pub mod windows;
pub mod yaml_outline;
