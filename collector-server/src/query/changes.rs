//! What changed lately.

use evidence::Timestamp;
use evidence::statement::HostId;

use super::past::Past;
use super::{Change, Query, QueryError, Span};
use crate::index::{IndexError, database};

impl Query {
    /// Verdicts that changed in `[from, now]`, the newest first, at most `limit`. Looks at the hosts that stated something
    /// else than before, or fell silent, most lately; at most `hosts` of them.
    pub fn changes(&self, from: Timestamp, hosts: u64, limit: usize) -> Result<Vec<Change>, QueryError> {
        let now = self.ask(Span::Now, |asking| Ok(asking.as_of))?;
        if from >= now.to {
            return Ok(Vec::new());
        }
        let span = Span::Over { from, to: now.to };
        self.ask(span, |asking| {
            // A stretch begins where something changes: those that ended lately, and hosts whose newest one began lately.
            let sql = "SELECT h.host FROM state t JOIN host h ON h.id = t.host
                WHERE t.turned >= ?1 ORDER BY t.turned DESC LIMIT ?2";
            let parameters = (from.unix(), database::signed(hosts));
            let rows = asking.snapshot.rows();
            let mut changes = Vec::new();
            let mut past = Past::new(asking);
            for id in rows.many("reading what changed", sql, parameters, |row| row.get::<_, String>(0))? {
                let host = asking.host(&HostId::new(id).map_err(IndexError::damaged)?)?;
                let timeline = past.timeline(&host)?;
                for (place, rule) in asking.judging.places.rules.iter().enumerate() {
                    let findings = past.findings_of(&host, &timeline, place)?;
                    for (before, after) in findings.iter().zip(findings.iter().skip(1)) {
                        if before.verdict != after.verdict && after.from >= host.tenure.enrolled_at {
                            changes.push(Change {
                                at: after.from,
                                host: host.host.clone(),
                                name: host.name.clone(),
                                rule: rule.id().to_owned(),
                                title: rule.title().to_owned(),
                                before: before.verdict,
                                after: after.verdict,
                                reason: after.reason.clone(),
                            });
                        }
                    }
                }
            }
            changes.sort_by(|left, right| {
                let key = |change: &Change| (change.name.clone(), change.rule.clone());
                right.at.cmp(&left.at).then_with(|| key(left).cmp(&key(right)))
            });
            changes.truncate(limit);
            Ok(changes)
        })
    }
}
