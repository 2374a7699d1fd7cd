//! Instants as people type them.

use anyhow::bail;
use evidence::Timestamp;

/// Reads `2026-11-24T10:08:42Z`, `2026-11-24` (its midnight, UTC), `now`, or `-90d`, `-12h`, `-30m`, `-60s` before now.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, anyhow::Error> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(before) = text.strip_prefix('-').and_then(seconds) {
        return Ok(now.plus(-before));
    }
    match text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()) {
        Ok(instant) => Ok(instant),
        Err(_) => bail!("{text:?} is not a time: 2026-11-24T10:08:42Z, 2026-11-24, now or -90d expected, in UTC"),
    }
}

/// Reads a duration, `90s`, `30m`, `1h` or `7d`, in seconds; `None` if it is none.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<i64>().ok().filter(|_| digits)?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_strictly() {
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("30m"), Some(1800));
        assert_eq!(seconds("7d"), Some(7 * 86_400));
        for wrong in ["", "h", "1", "1w", "-1h", "+1h", " 1h", "1é", "99999999999999999999d"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn instants_as_people_type_them() {
        let now = Timestamp::from_unix(1_795_514_922).unwrap();
        let read = |text| parse(text, now).map(|instant| instant.to_string()).ok();
        assert_eq!(read("now").as_deref(), Some("2026-11-24T10:08:42Z"));
        assert_eq!(read("-2d").as_deref(), Some("2026-11-22T10:08:42Z"));
        assert_eq!(read("2026-01-31").as_deref(), Some("2026-01-31T00:00:00Z"));
        assert_eq!(read("2026-01-31T12:00:00Z").as_deref(), Some("2026-01-31T12:00:00Z"));
        for wrong in [
            "",
            "-",
            "-d",
            "--1d",
            "-1w",
            "yesterday",
            "2026-02-30",
            "-99999999999999999999d",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
