//! Names that more than one host has: a host that was enrolled again, and whose identity before was not revoked, counts
//! twice, and the older identity is silent for ever. Two machines may also have one name. The log alone does not tell which
//! of the two it is, so nothing is dropped: it is shown, for somebody to decide.

use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::{Query, QueryError, Span};
use crate::index::{IndexError, database};

/// Hosts of one name whose keys count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Namesakes {
    /// The name.
    pub name: String,
    /// The hosts, as they enrolled; more than one.
    pub hosts: Vec<Namesake>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Namesake {
    /// Its id.
    pub host: HostId,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// The last instant at which it stated something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
}

impl Namesakes {
    /// All but the one that enrolled last: if it is the same machine, these are to be revoked.
    pub fn older(&self) -> &[Namesake] {
        self.hosts.split_last().map_or(&[], |(_, older)| older)
    }
}

impl Query {
    /// Names that more than one host has at present, at most `limit`.
    pub fn namesakes(&self, limit: u64) -> Result<Vec<Namesakes>, QueryError> {
        const DOING: &str = "reading hosts of one name";
        self.ask(Span::Now, |asking| {
            let rows = asking.snapshot.rows();
            let sql = "SELECT name FROM host WHERE revoked_idx IS NULL GROUP BY name HAVING COUNT(*) > 1
                ORDER BY name LIMIT ?1";
            let names = rows.many(DOING, sql, [database::signed(limit)], |row| row.get::<_, String>(0))?;
            let mut all = Vec::new();
            for name in names {
                let sql = "SELECT h.host, h.enrolled_at, t.seen FROM host h JOIN state t ON t.host = h.id
                    WHERE h.name = ?1 AND h.revoked_idx IS NULL ORDER BY h.id";
                let found = rows.many(DOING, sql, [&name], |row| {
                    let times = (row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?);
                    Ok((row.get::<_, String>(0)?, times))
                })?;
                let host = |(id, (enrolled, seen)): (String, (i64, Option<i64>))| {
                    Ok(Namesake {
                        host: HostId::new(id).map_err(IndexError::damaged)?,
                        enrolled_at: database::timestamp(enrolled)?,
                        last_statement: seen.map(database::timestamp).transpose()?,
                    })
                };
                let hosts = found.into_iter().map(host).collect::<Result<_, IndexError>>()?;
                all.push(Namesakes { name, hosts });
            }
            Ok(all)
        })
    }
}
