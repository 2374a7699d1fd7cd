//! cloud-init, which works at boot: `result.json` (its documentation, *Cloud-init status*).

use evidence::facts::Outcome;
use serde_json::Value;

use super::{LastRun, Told};
use crate::probe::Known;
use crate::reading::{Reading, Unread};
use crate::software::day_of;

const RESULT: &str = "/run/cloud-init/result.json";
const FINISHED: &str = "/var/lib/cloud/instance/boot-finished";

pub(super) fn read(reading: &Reading<'_>) -> Result<Told, Unread> {
    let switched_off = reading.stat("/etc/cloud/cloud-init.disabled")?.is_some();
    Ok(Told {
        servers: Known::Observed(vec![]),
        switched_off: Known::Observed(switched_off),
        last_run: run(reading),
    })
}

fn run(reading: &Reading<'_>) -> Known<LastRun> {
    let day = match day_of(reading, FINISHED) {
        Known::Observed(day) => day,
        Known::Not(why) => return Known::Not(why),
    };
    let text = match reading.text(RESULT) {
        Ok(Some(text)) => text,
        Ok(None) => return Known::Observed(LastRun { day, success: None }),
        Err(unread) => return Known::unread(&unread),
    };
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return Known::not(Outcome::Malformed, format!("{RESULT}: no JSON"));
    };
    let errors = value.pointer("/v1/errors").and_then(Value::as_array);
    Known::Observed(LastRun {
        day,
        success: errors.map(Vec::is_empty),
    })
}
