//! Sixteen hours of three hosts, and the packs that were issued: what the tests of packs alter.
//!
//! | hour | |
//! | --- | --- |
//! | 0 | `web`, `db` and `old` are enrolled; from here on each states once an hour |
//! | 6 | the older pack, of the hours 0 to 6, is issued |
//! | 7 | `web` has a second account with uid 0 |
//! | 8 to 12 | `db` is silent; in the 13th hour it says that two statements were lost |
//! | 10 | the key of `old` is revoked |
//! | 16 | the pack of the hours 3 to 16 is issued; after it one of the hours 12 to 16, when `db` was silent |

use std::fs;

use affiant_verify::trust::Trust;
use evidence::Timestamp;
use evidence::aws_lc::Ed25519Signer;
use evidence::statement::HostId;

use super::host::Host;
use super::{Fleet, root};

/// What came of it.
pub struct Story {
    /// The pack.
    pub pack: Vec<u8>,
    /// The pack that was issued before it.
    pub older: Vec<u8>,
    /// A pack whose period begins while `db` is silent, issued last.
    pub late: Vec<u8>,
    /// The keys, from elsewhere.
    pub trust: Trust,
    /// The same, as the collector printed them.
    pub trust_file: String,
    /// The log after the pack was issued.
    pub entries: Vec<Vec<u8>>,
    /// The private keys of log and collector.
    pub keys: [Ed25519Signer; 2],
    /// The hosts, as they ended.
    pub hosts: Hosts,
}

/// The three hosts.
pub struct Hosts {
    /// Changes in the 7th hour.
    pub web: Host,
    /// Is silent from the 8th to the 13th.
    pub db: Host,
    /// Its key is revoked in the 10th.
    pub old: Host,
}

/// An instant of the story.
pub fn hour(hour: i64) -> Timestamp {
    Timestamp::from_date(2026, 11, 2).expect("a date").plus(hour * 3600)
}

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32]).expect("a key")
}

impl Story {
    /// Lives through it.
    pub fn tell() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [data, web_root, db_root] = ["data", "web", "db"].map(|name| folder.path().join(name));
        root::write(&web_root, "web");
        root::write(&db_root, "db");
        fs::remove_file(db_root.join("etc/os-release")).expect("a file less");
        let fleet = Fleet::open(&data, hour(0));
        let [mut web, mut db, mut old] =
            [("web", 1), ("db", 2), ("old", 3)].map(|(name, seed)| fleet.enrol(name, signer(seed)));
        let mut of_web = fleet.put(&root::collect(&web_root));
        let of_db = fleet.put(&root::collect(&db_root));
        let mut older = Vec::new();
        for at in 0..16 {
            fleet.set_time(hour(at));
            if at == 6 {
                older = written(&fleet, (0, 6), &folder.path().join("older.zip"));
            }
            if at == 7 {
                root::add_second_superuser(&web_root);
                of_web = fleet.put(&root::collect(&web_root));
            }
            if at == 10 {
                fleet.revoke(&old, "replaced");
            }
            fleet.state(&mut web, of_web);
            match at {
                8..=12 => {}
                13 => {
                    let statement = db.next_after_loss(hour(at), of_db, 2);
                    fleet.deliver(&mut db, &[statement]);
                }
                _ => {
                    fleet.state(&mut db, of_db);
                }
            }
            if at < 10 {
                // The same facts as db's: stored once, named by two hosts.
                fleet.state(&mut old, of_db);
            }
        }
        fleet.set_time(hour(16));
        let pack = written(&fleet, (3, 16), &folder.path().join("pack.zip"));
        let entries = fleet.entries();
        let late = written(&fleet, (12, 16), &folder.path().join("late.zip"));
        Self {
            pack,
            older,
            late,
            trust: fleet.trust(),
            trust_file: fleet.trust_file(),
            entries,
            keys: fleet.keys(),
            hosts: Hosts { web, db, old },
        }
    }

    /// The hosts' ids.
    pub fn ids(&self) -> [&HostId; 3] {
        let Hosts { web, db, old } = &self.hosts;
        [&web.id, &db.id, &old.id]
    }
}

fn written(fleet: &Fleet, (from, to): (i64, i64), path: &std::path::Path) -> Vec<u8> {
    fleet.pack((hour(from), hour(to)), path);
    fs::read(path).expect("the pack")
}
