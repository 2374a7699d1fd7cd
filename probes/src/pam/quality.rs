//! Quality of new passwords: pam_pwquality(8) with pwquality.conf(5), pam_cracklib(8), pam_passwdqc(8).

use super::facts::Quality;

/// What a setting of pwquality.conf is.
enum Setting<'q> {
    Number(&'q mut Option<i64>),
    Flag(&'q mut Option<bool>),
    /// One that the facts do not have.
    Other,
}

fn find<'q>(quality: &'q mut Quality, name: &str) -> Setting<'q> {
    match name {
        "minlen" => Setting::Number(&mut quality.minlen),
        "minclass" => Setting::Number(&mut quality.minclass),
        "dcredit" => Setting::Number(&mut quality.dcredit),
        "ucredit" => Setting::Number(&mut quality.ucredit),
        "lcredit" => Setting::Number(&mut quality.lcredit),
        "ocredit" => Setting::Number(&mut quality.ocredit),
        "difok" => Setting::Number(&mut quality.difok),
        "maxrepeat" => Setting::Number(&mut quality.maxrepeat),
        "maxsequence" => Setting::Number(&mut quality.maxsequence),
        "maxclassrepeat" => Setting::Number(&mut quality.maxclassrepeat),
        "retry" => Setting::Number(&mut quality.retry),
        "dictcheck" => Setting::Flag(&mut quality.dictcheck),
        "usercheck" => Setting::Flag(&mut quality.usercheck),
        "gecoscheck" => Setting::Flag(&mut quality.gecoscheck),
        "enforcing" => Setting::Flag(&mut quality.enforcing),
        "enforce_for_root" => Setting::Flag(&mut quality.enforce_for_root),
        "local_users_only" => Setting::Flag(&mut quality.local_users_only),
        _ => Setting::Other,
    }
}

/// Settings with values that are numbers or texts, and that the facts do not have.
const OTHERS: [&str; 6] = [
    "badwords",
    "dictpath",
    "usersubstr",
    "difignore",
    "authtok_type",
    "reject_username",
];
/// `PWQ_BASE_MIN_LENGTH` of libpwquality.
const SHORTEST: i64 = 6;

/// What is built into libpwquality.
pub(super) fn built_in() -> Quality {
    Quality {
        module: "pam_pwquality".to_owned(),
        control: String::new(),
        minlen: Some(8),
        minclass: Some(0),
        dcredit: Some(0),
        ucredit: Some(0),
        lcredit: Some(0),
        ocredit: Some(0),
        difok: Some(1),
        maxrepeat: Some(0),
        maxsequence: Some(0),
        maxclassrepeat: Some(0),
        retry: Some(1),
        dictcheck: Some(true),
        usercheck: Some(true),
        gecoscheck: Some(false),
        enforcing: Some(true),
        enforce_for_root: Some(false),
        local_users_only: Some(false),
        passwdqc_min: None,
    }
}

/// Sets one setting of libpwquality. An error says what is wrong with it.
pub(super) fn set(quality: &mut Quality, name: &str, value: &str) -> Result<(), String> {
    let number = || {
        let number = value.parse::<i32>();
        number.map_err(|_| format!("{name} is {value:?}, not a number"))
    };
    let switch = matches!(name, "enforce_for_root" | "local_users_only");
    match find(quality, name) {
        Setting::Number(slot) => {
            let number = i64::from(number()?);
            *slot = Some(if name == "minlen" { number.max(SHORTEST) } else { number });
        }
        // These two are on as soon as they are there, whatever their value.
        Setting::Flag(slot) if switch => *slot = Some(true),
        Setting::Flag(slot) => *slot = Some(number()? != 0),
        Setting::Other if OTHERS.contains(&name) => {}
        Setting::Other => return Err(format!("{name:?} is no setting")),
    }
    Ok(())
}

/// A rule of pam_cracklib: what its arguments set.
pub(super) fn cracklib(arguments: &[String]) -> Quality {
    let mut quality = Quality::default();
    for argument in arguments {
        let (name, value) = super::conf::setting(argument);
        match (find(&mut quality, &name), value.parse::<i32>()) {
            (Setting::Number(slot), Ok(number)) => *slot = Some(i64::from(number)),
            (Setting::Flag(slot), Err(_)) if value.is_empty() => *slot = Some(true),
            _ => {}
        }
    }
    quality
}

/// A rule of pam_passwdqc: what its arguments set.
pub(super) fn passwdqc(arguments: &[String]) -> Quality {
    let mut quality = Quality::default();
    for argument in arguments {
        let (name, value) = super::conf::setting(argument);
        match name.as_str() {
            "min" => quality.passwdqc_min = Some(value),
            "retry" => quality.retry = value.parse::<i32>().ok().map(i64::from),
            "enforce" => {
                quality.enforcing = Some(value != "none");
                quality.enforce_for_root = Some(value == "everyone");
            }
            _ => {}
        }
    }
    quality
}
