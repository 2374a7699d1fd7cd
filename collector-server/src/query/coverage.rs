//! Coverage at present, for any number of hosts. `controls::Coverage` has it host by host.

use controls::coverage::{CoverageCounts, ScopeSource};
use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::asking::Asking;
use super::{AsOf, HostReporting, Page, Paged, Query, QueryError, Span};
use crate::index::{HostStanding, IndexError, database};

/// Coverage at present: totals, and the hosts that are missed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoverageNow {
    /// What it is about.
    pub as_of: AsOf,
    /// Where the scope comes from.
    pub scope: ScopeSource,
    /// Whether every host in scope has a statement that speaks.
    pub complete: bool,
    /// How many hosts in scope have come how far.
    pub counts: CoverageCounts,
    /// Hosts in scope for which no statement speaks, by name.
    pub missing: Paged<MissingHost>,
    /// Names of hosts that enrolled and are not in scope.
    pub outside_scope: Paged<String>,
}

/// A host in scope for which no statement speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingHost {
    /// Its name.
    pub name: String,
    /// Its id; absent if it never enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// The last instant at which it stated something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
    /// Since when no statement speaks for it; absent if none ever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Timestamp>,
    /// When its keys were revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Query {
    /// Coverage at present. Hosts that enrolled come first in `missing`, then names that never did.
    pub fn coverage_now(&self, missing: Page, outside_scope: Page) -> Result<CoverageNow, QueryError> {
        self.ask(Span::Now, |asking| {
            let totals = &asking.snapshot.head().totals;
            Ok(CoverageNow {
                as_of: asking.as_of,
                scope: asking.scope_source(),
                complete: totals.with_gaps() == 0,
                counts: totals.coverage(),
                missing: asking.missing(missing)?,
                outside_scope: asking.outside_scope(outside_scope)?,
            })
        })
    }
}

impl Asking<'_> {
    fn missing(&self, page: Page) -> Result<Paged<MissingHost>, QueryError> {
        let totals = &self.snapshot.head().totals;
        let enrolled = totals.with_gaps().saturating_sub(totals.never_enrolled);
        let sql = "SELECT name, host FROM standing WHERE part = ?1 AND stage IN ('missing', 'enrolled', 'reporting')
            ORDER BY name, host LIMIT ?2 OFFSET ?3";
        let parameters = (
            HostStanding::IN_SCOPE,
            database::signed(page.limit),
            database::signed(page.offset),
        );
        let rows = self.snapshot.rows();
        let found = rows.many("listing hosts", sql, parameters, |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        let mut items = Vec::new();
        for (name, host) in found {
            let (host, _) = self.summary(&name, host)?;
            items.push(MissingHost {
                name: host.name,
                host: Some(host.host),
                last_statement: host.last_statement,
                silent_since: host.silent_since,
                revoked_at: host.revoked_at.filter(|_| host.reporting == HostReporting::Revoked),
            });
        }
        let shown = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if shown < page.limit {
            let rest = Page {
                offset: page.offset.saturating_sub(enrolled),
                limit: page.limit - shown,
            };
            items.extend(self.snapshot.never_enrolled(rest)?.into_iter().map(|name| MissingHost {
                name,
                host: None,
                last_statement: None,
                silent_since: None,
                revoked_at: None,
            }));
        }
        Ok(Paged {
            total: totals.with_gaps(),
            offset: page.offset,
            items,
        })
    }

    fn outside_scope(&self, page: Page) -> Result<Paged<String>, IndexError> {
        let sql = "SELECT name FROM standing WHERE part = ?1 ORDER BY name, host LIMIT ?2 OFFSET ?3";
        let parameters = (
            HostStanding::OUTSIDE_SCOPE,
            database::signed(page.limit),
            database::signed(page.offset),
        );
        Ok(Paged {
            total: self.snapshot.head().totals.outside_scope,
            offset: page.offset,
            items: self
                .snapshot
                .rows()
                .many("listing hosts", sql, parameters, |row| row.get(0))?,
        })
    }
}
