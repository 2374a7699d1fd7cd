//! `/etc/login.defs` (login.defs(5)) and `/etc/default/useradd` (useradd(8)).

use std::collections::BTreeMap;

use super::facts::{self, Useradd};
use crate::accounts::login_defs::{self, LoginDefs, number};
use crate::reading::{Reading, Unread};

const USERADD: &str = "/etc/default/useradd";

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<facts::LoginDefs>, Unread> {
    let Some(defs) = LoginDefs::read(reading)? else {
        return Ok(None);
    };
    typed(&defs.values, defs.files)
        .map(Some)
        .map_err(|reason| Unread::Malformed {
            place: login_defs::FILE.to_owned(),
            reason,
        })
}

fn typed(values: &BTreeMap<String, String>, files: Vec<String>) -> Result<facts::LoginDefs, String> {
    /// What a facts document can hold.
    const LIMIT: i64 = 1 << 53;
    let number = |name: &str| match number(values, name)? {
        Some(number) if !(-LIMIT..LIMIT).contains(&number) => Err(format!("{name} is {number}")),
        number => Ok(number),
    };
    let flag = |name: &str| values.get(name).map(|value| value.eq_ignore_ascii_case("yes"));
    let mode = |name: &str| values.get(name).and_then(|value| octal(value));
    Ok(facts::LoginDefs {
        files,
        pass_max_days: number("PASS_MAX_DAYS")?,
        pass_min_days: number("PASS_MIN_DAYS")?,
        pass_warn_age: number("PASS_WARN_AGE")?,
        pass_min_len: number("PASS_MIN_LEN")?,
        login_retries: number("LOGIN_RETRIES")?,
        login_timeout: number("LOGIN_TIMEOUT")?,
        fail_delay: number("FAIL_DELAY")?,
        uid_min: number("UID_MIN")?,
        uid_max: number("UID_MAX")?,
        sys_uid_min: number("SYS_UID_MIN")?,
        sys_uid_max: number("SYS_UID_MAX")?,
        sha_crypt_min_rounds: number("SHA_CRYPT_MIN_ROUNDS")?,
        sha_crypt_max_rounds: number("SHA_CRYPT_MAX_ROUNDS")?,
        yescrypt_cost_factor: number("YESCRYPT_COST_FACTOR")?,
        encrypt_method: values.get("ENCRYPT_METHOD").map(|method| method.to_ascii_uppercase()),
        umask: mode("UMASK"),
        home_mode: mode("HOME_MODE"),
        usergroups: flag("USERGROUPS_ENAB"),
        log_ok_logins: flag("LOG_OK_LOGINS"),
        faillog: flag("FAILLOG_ENAB"),
        syslog_su: flag("SYSLOG_SU_ENAB"),
        default_home: flag("DEFAULT_HOME"),
        su_wheel_only: flag("SU_WHEEL_ONLY"),
    })
}

/// Permission bits as the facts have them; `None` if they are written otherwise than in octal.
pub(super) fn octal(text: &str) -> Option<String> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let bits = u32::from_str_radix(text, 8)
        .ok()
        .filter(|bits| digits && *bits <= 0o7777)?;
    Some(format!("{bits:04o}"))
}

pub(super) fn useradd(reading: &Reading<'_>) -> Result<Option<Useradd>, Unread> {
    let Some(text) = reading.text(USERADD)? else {
        return Ok(None);
    };
    let mut useradd = Useradd {
        inactive_days: None,
        expires: false,
        shell: None,
    };
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.trim();
        match name {
            "INACTIVE" => {
                let days = value.parse::<i32>().map_err(|_| Unread::Malformed {
                    place: USERADD.to_owned(),
                    reason: format!("INACTIVE is {value:?}, not a number"),
                })?;
                useradd.inactive_days = Some(i64::from(days));
            }
            "EXPIRE" => useradd.expires = !value.is_empty(),
            "SHELL" => useradd.shell = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(Some(useradd))
}
