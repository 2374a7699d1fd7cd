//! One control.

use controls::assessment::scope::Part;
use controls::status::{ControlStatus, HostCounts, Standing};
use controls::verdict::Verdict;
use evidence::statement::HostId;
use serde::Serialize;

use super::asking::Asking;
use super::fleet::{Fleet, FleetHost};
use super::hosts::kept_standing;
use super::{AsOf, HostReporting, Page, Paged, Query, QueryError, Span};
use crate::index::{HostStanding, IndexError, database, standing_letter, verdict_from_letter};

/// All about one control. Its text and what hosts can show about it are in `controls::catalogue`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// Its status, its rules, and where hosts stand.
    pub status: ControlStatus,
    /// The hosts in scope, with the standing that was asked for if one was, by name.
    pub hosts: Paged<ControlHost>,
}

/// A host and one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlHost {
    /// Its id; absent if it never enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// Its name.
    pub name: String,
    /// Whether it reports; absent if it never enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporting: Option<HostReporting>,
    /// The worst by the rules that bear on the control.
    pub standing: Standing,
    /// Verdicts of these rules, in the order of `status.rules`.
    pub verdicts: Vec<Verdict>,
}

impl Query {
    /// A control and the hosts in scope, or those of them with one standing. The rules of a control that no rule bears on
    /// are none, and so are its hosts.
    pub fn control(
        &self,
        catalogue: &str,
        id: &str,
        span: Span,
        standing: Option<Standing>,
        page: Page,
    ) -> Result<ControlDetail, QueryError> {
        self.ask(span, |asking| {
            let not_found = || QueryError::NotFound {
                what: "control",
                name: id.to_owned(),
            };
            let catalogue = Asking::catalogue(catalogue)?;
            let place = asking.judging.places.control(&catalogue.id, id);
            let (statuses, hosts) = if asking.present {
                let totals = &asking.snapshot.head().totals;
                let counts = |tallies: &[crate::index::Tally]| -> Vec<HostCounts> {
                    tallies
                        .iter()
                        .map(|tally| tally.counts(totals.never_enrolled))
                        .collect()
                };
                let (rules, controls) = (counts(&totals.rules), counts(&totals.controls));
                let statuses = asking.statuses(catalogue, &rules, &controls, asking.reporting()?);
                let hosts = match place {
                    Some(place) => asking.present_control_hosts(place, standing, page)?,
                    None => Paged::cut(Vec::new(), page),
                };
                (statuses, hosts)
            } else {
                let fleet = asking.fleet()?;
                let statuses = asking.statuses(catalogue, &fleet.rules, &fleet.controls, fleet.reporting);
                let hosts = match place {
                    Some(place) => asking.past_control_hosts(&fleet, place, standing, page),
                    None => Paged::cut(Vec::new(), page),
                };
                (statuses, hosts)
            };
            let status = statuses.into_iter().find(|status| status.id.as_str() == id);
            Ok(ControlDetail {
                as_of: asking.as_of,
                status: status.ok_or_else(not_found)?,
                hosts,
            })
        })
    }
}

impl Asking<'_> {
    fn control_verdicts(&self, place: usize, verdicts: &[Verdict]) -> Vec<Verdict> {
        let rules = self
            .judging
            .places
            .controls
            .get(place)
            .map(|place| place.rules.as_slice());
        let verdict = |rule: &usize| verdicts.get(*rule).copied().unwrap_or(Verdict::Unknown);
        rules.unwrap_or_default().iter().map(verdict).collect()
    }

    fn past_control_hosts(
        &self,
        fleet: &Fleet,
        place: usize,
        standing: Option<Standing>,
        page: Page,
    ) -> Paged<ControlHost> {
        let found = |host: &FleetHost| host.judged.controls.get(place).copied().unwrap_or(Standing::Unknown);
        let asked = |host: &&FleetHost| standing.is_none_or(|asked| asked == found(host));
        let in_scope = fleet.hosts.iter().filter(|host| host.part == Part::InScope);
        Paged::cut(in_scope.filter(asked).collect(), page).map(|host: &FleetHost| ControlHost {
            host: host.enrolled.as_ref().map(|(id, _)| id.clone()),
            name: host.name.clone(),
            reporting: host.enrolled.as_ref().map(|_| host.reporting),
            standing: found(host),
            verdicts: self.control_verdicts(place, &host.judged.verdicts),
        })
    }

    /// Hosts that enrolled come first; then names that never did, which are unknown.
    fn present_control_hosts(
        &self,
        place: usize,
        standing: Option<Standing>,
        page: Page,
    ) -> Result<Paged<ControlHost>, QueryError> {
        const DOING: &str = "listing hosts";
        let rows = self.snapshot.rows();
        let totals = &self.snapshot.head().totals;
        let tally = totals.controls.get(place).copied().unwrap_or_default();
        let counts = tally.counts(0);
        let enrolled = match standing {
            None => counts.total(),
            Some(Standing::Met) => counts.met,
            Some(Standing::NotMet) => counts.not_met,
            Some(Standing::Unknown) => counts.unknown,
            Some(Standing::NotApplicable) => counts.not_applicable,
            Some(Standing::Excepted) => counts.excepted,
        };
        let never = match standing {
            None | Some(Standing::Unknown) => totals.never_enrolled,
            Some(_) => 0,
        };
        let letter = standing.map(|standing| standing_letter(standing).to_string());
        let sql = format!(
            "SELECT {}, id, name FROM standing WHERE part = ?1 AND (?2 IS NULL OR substr(controls, ?3, 1) = ?2)
            ORDER BY name, host LIMIT ?4 OFFSET ?5",
            HostStanding::COLUMNS
        );
        let place_of_letter = i64::try_from(place + 1).unwrap_or(i64::MAX);
        let (limit, offset) = (database::signed(page.limit), database::signed(page.offset));
        let found = rows.many(
            DOING,
            &sql,
            (HostStanding::IN_SCOPE, letter, place_of_letter, limit, offset),
            |row| {
                Ok((
                    HostStanding::read(row, 0)?,
                    row.get::<_, String>(6)?,
                    row.get::<_, String>(7)?,
                ))
            },
        )?;
        let mut items = Vec::new();
        for (kept, id, name) in found {
            let verdicts: Vec<_> = kept.rules.chars().map(verdict_from_letter).collect();
            items.push(ControlHost {
                host: Some(HostId::new(id).map_err(IndexError::damaged)?),
                name,
                reporting: Some(kept.reporting),
                standing: kept_standing(&kept.controls, place),
                verdicts: self.control_verdicts(place, &verdicts),
            });
        }
        let shown = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if never > 0 && shown < page.limit {
            let rest = Page {
                offset: page.offset.saturating_sub(enrolled),
                limit: page.limit - shown,
            };
            for name in self.snapshot.never_enrolled(rest)? {
                items.push(ControlHost {
                    host: None,
                    name,
                    reporting: None,
                    standing: Standing::Unknown,
                    verdicts: self.control_verdicts(place, &[]),
                });
            }
        }
        Ok(Paged {
            total: enrolled + never,
            offset: page.offset,
            items,
        })
    }
}
