//! Traces of Ansible, which pushes configuration from another machine and leaves no agent.

use super::facts::PushTrace;
use crate::formats::installed;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// On the machine that is managed: the folder in which each run makes one of its own and removes it (`remote_tmp`), and facts
/// that playbooks put there. `/etc/ansible` and a log show that Ansible was started on this host itself.
const PLACES: [&str; 4] = [
    "/etc/ansible",
    "/root/.ansible",
    "/root/.ansible/tmp",
    "/var/log/ansible.log",
];
const FACTS: &str = "/etc/ansible/facts.d";
const HOMES: &str = "/home";
/// Users are not named.
const OF_USERS: &str = "/home/*/.ansible/tmp";
/// More users and files of facts are not looked at.
const MAX_ENTRIES: usize = 10_000;

pub(super) fn read(reading: &Reading<'_>) -> Vec<PushTrace> {
    let mut traces: Vec<PushTrace> = PLACES
        .iter()
        .filter_map(|place| trace(place, installed::day(reading, place)))
        .collect();
    traces.extend(trace(FACTS, newest(facts(reading), FACTS)));
    traces.extend(trace(OF_USERS, newest(users(reading), OF_USERS)));
    traces.order_by(|a, b| a.place.cmp(&b.place));
    traces
}

/// What is not there is no trace.
fn trace(place: &str, last_day: Known<i64>) -> Option<PushTrace> {
    let absent = last_day
        .why()
        .is_some_and(|why| why.outcome == evidence::facts::Outcome::Absent);
    (!absent).then(|| PushTrace {
        place: place.to_owned(),
        last_day,
    })
}

fn newest(days: Result<Vec<i64>, Unread>, place: &str) -> Known<i64> {
    Known::of(days.map(|days| days.into_iter().max()), place)
}

fn facts(reading: &Reading<'_>) -> Result<Vec<i64>, Unread> {
    let mut days = vec![];
    for entry in reading.list(FACTS)?.unwrap_or_default().into_iter().take(MAX_ENTRIES) {
        let is_facts = std::path::Path::new(&entry.name).extension() == Some("fact".as_ref());
        if is_facts && let Some(stat) = reading.stat(&format!("{FACTS}/{}", entry.name))? {
            days.push(day(stat.mtime));
        }
    }
    Ok(days)
}

fn users(reading: &Reading<'_>) -> Result<Vec<i64>, Unread> {
    let mut days = vec![];
    let homes = reading.list(HOMES)?.unwrap_or_default().into_iter();
    for home in homes.filter(|home| home.kind == Kind::Folder).take(MAX_ENTRIES) {
        let path = format!("{HOMES}/{}/.ansible/tmp", home.name);
        if let Some(stat) = reading.private_stat(&path, OF_USERS)? {
            days.push(day(stat.mtime));
        }
    }
    Ok(days)
}

fn day(seconds: i64) -> i64 {
    seconds - seconds.rem_euclid(86_400)
}
