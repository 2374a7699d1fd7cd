//! File formats that several probes read. No probe is in here: these modules take bytes and give what is written in
//! them.

pub mod archive_date;
pub mod debian_version;
pub mod dpkg;
pub mod included;
pub mod installed;
pub mod os_release;
pub mod stanza;
pub mod systemd;
