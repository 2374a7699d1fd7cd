//! Snaps, by the state that snapd keeps. Their files lie in images which a probe does not open.

use serde_json::Value;

use super::facts::{Confinement, Snap, SoftwareList};
use super::{listed, text, wrong};
use crate::reading::{Reading, Unread};

pub(super) const STATE: &str = "/var/lib/snapd/state.json";

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<SoftwareList<Snap>>, Unread> {
    // It holds tokens of people, and changes whenever snapd looks for updates.
    let Some(bytes) = reading.private(STATE, STATE)? else {
        return Ok(None);
    };
    let state: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let at = format!("no JSON at line {}, column {}", error.line(), error.column());
        wrong(reading, STATE, at)
    })?;
    let data = state.get("data").and_then(Value::as_object);
    let data = data.ok_or_else(|| wrong(reading, STATE, "it holds no data"))?;
    // Before the first snap there is no list.
    let snaps = match data.get("snaps") {
        None | Some(Value::Null) => return Ok(Some(listed(vec![]))),
        Some(snaps) => snaps.as_object(),
    };
    let snaps = snaps.ok_or_else(|| wrong(reading, STATE, "snaps is no object"))?;
    let found = snaps.iter().map(|(name, state)| {
        snap(name, state).ok_or_else(|| wrong(reading, STATE, "a snap without a current revision"))
    });
    Ok(Some(listed(found.collect::<Result<_, _>>()?)))
}

fn snap(name: &str, state: &Value) -> Option<Snap> {
    let of = |name: &str| state.get(name).and_then(Value::as_str).unwrap_or_default();
    let is = |name: &str| state.get(name).and_then(Value::as_bool).unwrap_or(false);
    let revision = |value: &Value| match value {
        Value::String(revision) => Some(text(revision)),
        Value::Number(revision) => Some(revision.to_string()),
        _ => None,
    };
    let current = revision(state.get("current")?)?;
    let sequence = state.get("sequence").and_then(Value::as_array).into_iter().flatten();
    // Since 2.59 what was written of a revision stands in `snap`, beside its components.
    let mut infos = sequence.map(|one| one.get("snap").unwrap_or(one));
    let info = infos.find(|info| info.get("revision").and_then(revision).as_ref() == Some(&current));
    let id = info.and_then(|info| info.get("snap-id")).and_then(Value::as_str);
    Some(Snap {
        name: text(name),
        kind: text(of("type")),
        revision: current,
        channel: text(of("channel")),
        active: is("active"),
        confinement: if is("classic") {
            Confinement::Classic
        } else if is("devmode") && !is("jailmode") {
            Confinement::Devmode
        } else {
            Confinement::Strict
        },
        from_store: id.is_some_and(|id| !id.is_empty()),
    })
}
