//! Lists of hosts: at present by the rows that the index keeps ready, else host by host.

use std::cmp::Reverse;

use controls::assessment::Tenure;
use controls::assessment::scope::Part;
use controls::status::Standing;
use controls::verdict::Verdict;
use evidence::statement::HostId;
use rusqlite::ToSql;
use rusqlite::types::Value;

use super::asking::Asking;
use super::fleet::FleetHost;
use super::{HostFilter, HostSort, HostSummary, Hosts, Page, Paged, Query, QueryError, Span, StandingCounts};
use crate::index::{
    HostStanding, IndexError, database, standing_from_letter, standing_letter, verdict_from_letter, verdict_letter,
};

/// Conditions of a list as SQL over `standing`.
struct Conditions {
    sql: String,
    parameters: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, condition: &str, parameters: impl IntoIterator<Item = Value>) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(condition);
        self.parameters.extend(parameters);
    }

    fn parameters(&self) -> Vec<&dyn ToSql> {
        self.parameters.iter().map(|value| value as &dyn ToSql).collect()
    }
}

/// The place of a letter as SQLite counts: from 1.
fn letter_place(place: usize) -> Value {
    Value::Integer(i64::try_from(place + 1).unwrap_or(i64::MAX))
}

impl Query {
    /// Hosts that fulfil every condition.
    pub fn hosts(&self, span: Span, filter: &HostFilter, page: Page) -> Result<Hosts, QueryError> {
        self.ask(span, |asking| {
            let hosts = if asking.present {
                asking.present_hosts(filter, page)?
            } else {
                asking.past_hosts(filter, page)?
            };
            Ok(Hosts {
                as_of: asking.as_of,
                hosts,
            })
        })
    }
}

impl Asking<'_> {
    /// Places of the rule and the control that a filter asks about.
    fn asked_places(&self, filter: &HostFilter) -> Result<(Option<usize>, Option<usize>), QueryError> {
        let rule = filter.rule.as_ref().map(|(rule, _)| self.place(rule)).transpose()?;
        let control = match &filter.control {
            Some((catalogue, id, _)) => {
                let catalogue = Asking::catalogue(catalogue)?;
                if catalogue.control(id).is_none() {
                    return Err(QueryError::NotFound {
                        what: "control",
                        name: id.clone(),
                    });
                }
                self.judging.places.control(&catalogue.id, id)
            }
            None => None,
        };
        Ok((rule, control))
    }

    fn conditions(&self, filter: &HostFilter) -> Result<Conditions, QueryError> {
        let (rule, control) = self.asked_places(filter)?;
        let mut conditions = Conditions {
            sql: String::new(),
            parameters: Vec::new(),
        };
        let text = |text: &str| Value::Text(text.to_owned());
        if let Some(part) = filter.text.as_deref().filter(|part| !part.is_empty()) {
            // LIKE takes upper and lower case of ASCII letters alike.
            let pattern = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            let pattern = text(&format!("%{pattern}%"));
            let like = "(s.name LIKE ? ESCAPE '\\' OR s.id LIKE ? ESCAPE '\\')";
            conditions.add(like, [pattern.clone(), pattern]);
        }
        if let Some(reporting) = filter.reporting {
            conditions.add("s.reporting = ?", [text(reporting.as_str())]);
        }
        if let Some(standing) = filter.standing {
            conditions.add("s.worst = ?", [text(&verdict_letter(standing).to_string())]);
        }
        if let (Some(place), Some((_, verdict))) = (rule, &filter.rule) {
            let letter = text(&verdict_letter(*verdict).to_string());
            conditions.add("substr(s.rules, ?, 1) = ?", [letter_place(place), letter]);
        }
        match (control, &filter.control) {
            (Some(place), Some((_, _, standing))) => {
                let letter = text(&standing_letter(*standing).to_string());
                conditions.add("substr(s.controls, ?, 1) = ?", [letter_place(place), letter]);
            }
            // No rule bears on it: nobody stands anywhere.
            (None, Some(_)) => conditions.add("0", []),
            (_, None) => {}
        }
        if let Some(in_scope) = filter.in_scope {
            let condition = if in_scope { "s.part = ?" } else { "s.part <> ?" };
            conditions.add(condition, [Value::Integer(HostStanding::IN_SCOPE)]);
        }
        Ok(conditions)
    }

    fn present_hosts(&self, filter: &HostFilter, page: Page) -> Result<Paged<HostSummary>, QueryError> {
        const DOING: &str = "listing hosts";
        let mut conditions = self.conditions(filter)?;
        let rows = self.snapshot.rows();
        let sql = format!("SELECT COUNT(*) FROM standing s{}", conditions.sql);
        let total = rows.one(DOING, &sql, conditions.parameters().as_slice(), |row| {
            row.get::<_, i64>(0)
        })?;
        let order = match (filter.sort, filter.descending) {
            (HostSort::Name, false) => "s.name, s.host",
            (HostSort::Name, true) => "s.name DESC, s.host DESC",
            (HostSort::LastStatement, false) => "t.seen, s.name, s.host",
            (HostSort::LastStatement, true) => "t.seen DESC, s.name, s.host",
            (HostSort::Standing, false) => "s.rank DESC, s.name, s.host",
            (HostSort::Standing, true) => "s.rank, s.name, s.host",
        };
        // Which hosts, first: what is shown of them is read for one page only.
        let join = if filter.sort == HostSort::LastStatement {
            " JOIN state t ON t.host = s.host"
        } else {
            ""
        };
        let sql = format!(
            "SELECT s.name, s.host FROM standing s{join}{} ORDER BY {order} LIMIT ? OFFSET ?",
            conditions.sql
        );
        let limits = [page.limit, page.offset].map(|number| Value::Integer(database::signed(number)));
        conditions.parameters.extend(limits);
        let found = rows.many(DOING, &sql, conditions.parameters().as_slice(), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        let mut items = Vec::new();
        for (name, host) in found {
            items.push(self.summary(&name, host)?.0);
        }
        Ok(Paged {
            total: database::unsigned(total.unwrap_or_default())?,
            offset: page.offset,
            items,
        })
    }

    /// A host at present, and its standing as it is kept.
    pub(super) fn summary(&self, name: &str, host: i64) -> Result<(HostSummary, HostStanding), QueryError> {
        let sql = format!(
            "SELECT h.host, h.enrolled_at, h.revoked_at, t.seen, t.seen_until, {} FROM standing s
            JOIN host h ON h.id = s.host JOIN state t ON t.host = s.host WHERE s.name = ?1 AND s.host = ?2",
            HostStanding::COLUMNS
                .split(", ")
                .map(|column| format!("s.{column}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        let read = |row: &rusqlite::Row<'_>| {
            Ok((
                (
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                ),
                (row.get::<_, Option<i64>>(3)?, row.get::<_, Option<i64>>(4)?),
                HostStanding::read(row, 5)?,
            ))
        };
        let row = self.snapshot.rows().one("reading a host", &sql, (name, host), read)?;
        let gone = || IndexError::damaged(format_args!("host {host} stands nowhere"));
        let ((id, enrolled, revoked), (seen, until), standing) = row.ok_or_else(gone)?;
        let verdicts: Vec<_> = standing.rules.chars().map(verdict_from_letter).collect();
        let until = until.map(database::timestamp).transpose()?;
        let summary = HostSummary {
            host: HostId::new(id).map_err(IndexError::damaged)?,
            name: name.to_owned(),
            in_scope: standing.part == HostStanding::IN_SCOPE,
            reporting: standing.reporting,
            stage: standing.stage,
            enrolled_at: database::timestamp(enrolled)?,
            revoked_at: revoked.map(database::timestamp).transpose()?,
            last_statement: seen.map(database::timestamp).transpose()?,
            silent_since: until.filter(|until| *until <= self.as_of.from),
            standing: standing.worst,
            verdicts: StandingCounts::of(&verdicts),
        };
        Ok((summary, standing))
    }

    fn past_hosts(&self, filter: &HostFilter, page: Page) -> Result<Paged<HostSummary>, QueryError> {
        let (rule, control) = self.asked_places(filter)?;
        let fleet = self.fleet()?;
        let text = filter.text.as_ref().map(|part| part.to_ascii_lowercase());
        let mut hosts: Vec<(&FleetHost, &(HostId, Tenure))> = Vec::new();
        for host in &fleet.hosts {
            let Some(enrolled) = &host.enrolled else { continue };
            let (id, tenure) = enrolled;
            let named = text
                .as_ref()
                .is_none_or(|part| host.name.to_ascii_lowercase().contains(part) || id.as_str().contains(part));
            if named && tenure.enrolled_at < self.as_of.to && fulfils(host, filter, (rule, control)) {
                hosts.push((host, enrolled));
            }
        }
        let rank = |host: &FleetHost| (host.judged.counts.not_met, host.judged.counts.unknown);
        // They are by name already, and those that are equal stay so.
        match (filter.sort, filter.descending) {
            (HostSort::Name, false) => {}
            (HostSort::Name, true) => hosts.reverse(),
            (HostSort::LastStatement, false) => hosts.sort_by_key(|(host, _)| host.last_statement),
            (HostSort::LastStatement, true) => hosts.sort_by_key(|(host, _)| Reverse(host.last_statement)),
            (HostSort::Standing, false) => hosts.sort_by_key(|(host, _)| Reverse(rank(host))),
            (HostSort::Standing, true) => hosts.sort_by_key(|(host, _)| rank(host)),
        }
        Ok(Paged::cut(hosts, page).map(|(host, (id, tenure))| host.summary(id, tenure)))
    }
}

fn fulfils(past: &FleetHost, filter: &HostFilter, (rule, control): (Option<usize>, Option<usize>)) -> bool {
    let by_rule = match (&filter.rule, rule) {
        (Some((_, asked)), Some(place)) => {
            past.judged.verdicts.get(place).copied().unwrap_or(Verdict::Unknown) == *asked
        }
        _ => true,
    };
    let by_control = match (&filter.control, control) {
        (Some((_, _, asked)), Some(place)) => {
            past.judged.controls.get(place).copied().unwrap_or(Standing::Unknown) == *asked
        }
        (Some(_), None) => false,
        (None, _) => true,
    };
    by_rule
        && by_control
        && filter.reporting.is_none_or(|asked| asked == past.reporting)
        && filter.standing.is_none_or(|asked| asked == past.judged.worst)
        && filter
            .in_scope
            .is_none_or(|asked| asked == (past.part == Part::InScope))
}

impl<T> Paged<T> {
    /// A page of a whole list.
    pub(super) fn cut(all: Vec<T>, page: Page) -> Self {
        let bound = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            total: u64::try_from(all.len()).unwrap_or(u64::MAX),
            offset: page.offset,
            items: all
                .into_iter()
                .skip(bound(page.offset))
                .take(bound(page.limit))
                .collect(),
        }
    }

    /// The same part of a list of something else.
    pub(super) fn map<U>(self, of: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            total: self.total,
            offset: self.offset,
            items: self.items.into_iter().map(of).collect(),
        }
    }
}

/// The standing that was kept at a place.
pub(super) fn kept_standing(letters: &str, place: usize) -> Standing {
    letters
        .chars()
        .nth(place)
        .map_or(Standing::Unknown, standing_from_letter)
}
