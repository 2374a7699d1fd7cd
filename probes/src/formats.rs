//! File formats that several probes read. No probe is in here: these modules take bytes and give what is written in
//! them.

pub mod apk;
pub mod archive_date;
pub mod debian_version;
pub mod dpkg;
pub mod file_owners;
pub mod included;
pub mod ini;
pub mod installed;
pub mod limits;
pub mod modprobe;
pub mod openpgp_signature;
pub mod openssh_key;
pub mod os_release;
pub mod package_family;
pub mod pacman;
pub mod pem;
pub mod repo_file;
pub mod rpm_database;
pub mod rpm_header;
pub mod rpm_version;
pub mod shell;
pub mod sqlite;
pub mod stanza;
pub mod sysctl;
pub mod systemd;
pub mod toml;
pub mod windows;
pub mod yaml_outline;
