//! What the rules of a stack come to: settings of the common modules, by built-in default, file and argument in this order.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::conf;
use super::facts::{Factor, HashChosenBy, History, Lockout, PasswordHash, Quality, RuleType, Wheel};
use super::modules::FACTORS;
use super::quality;
use super::stack::RawRule;
use crate::accounts::login_defs::LoginDefs;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

const FAILLOCK: &str = "/etc/security/faillock.conf";
const PWHISTORY: &str = "/etc/security/pwhistory.conf";
const PWQUALITY: &str = "/etc/security/pwquality.conf";
/// Where vendors keep the same files (`--enable-vendordir`).
const VENDOR: &str = "/usr";
/// Methods by which pam_unix hashes, as it knows them.
const METHODS: [&str; 7] = [
    "md5",
    "bigcrypt",
    "sha256",
    "sha512",
    "blowfish",
    "gost_yescrypt",
    "yescrypt",
];

/// Names and values; empty if there is no file.
type Settings = Vec<(String, String)>;

/// Reads the files of modules, each once for all services.
pub(super) struct Configurations<'r, 'h> {
    reading: &'r Reading<'h>,
    faillock: Option<Result<Settings, Unread>>,
    pwhistory: Option<Result<Settings, Unread>>,
    pwquality: Option<Result<Quality, Unread>>,
    login_defs: Option<Result<BTreeMap<String, String>, Unread>>,
}

impl<'r, 'h> Configurations<'r, 'h> {
    pub(super) fn new(reading: &'r Reading<'h>) -> Self {
        Self {
            reading,
            faillock: None,
            pwhistory: None,
            pwquality: None,
            login_defs: None,
        }
    }

    /// A file, or the vendor's if there is none.
    fn settings(reading: &Reading<'_>, path: &str) -> Result<Settings, Unread> {
        let text = match reading.text(path)? {
            Some(text) => Some(text),
            None => reading.text(&format!("{VENDOR}{path}"))?,
        };
        Ok(text.map(|text| conf::settings(&text)).unwrap_or_default())
    }

    /// The settings of a module whose rule may name another file (`conf=`).
    fn of_rule(&mut self, rules: &[&RawRule], path: &str) -> Result<Settings, Unread> {
        let reading = self.reading;
        let named = rules.iter().flat_map(|rule| &rule.arguments);
        let named = named.filter_map(|argument| argument.strip_prefix("conf=")).next_back();
        if let Some(named) = named {
            return Self::settings(reading, named);
        }
        let kept = if path == FAILLOCK {
            &mut self.faillock
        } else {
            &mut self.pwhistory
        };
        kept.get_or_insert_with(|| Self::settings(reading, path)).clone()
    }

    /// pam_faillock, pam_tally2 and pam_tally.
    pub(super) fn lockout(&mut self, rules: &[RawRule]) -> Known<Vec<Lockout>> {
        let mut found = vec![];
        for module in ["pam_faillock", "pam_tally", "pam_tally2"] {
            let of_module: Vec<&RawRule> = rules.iter().filter(|rule| rule.rule.module == module).collect();
            if of_module.is_empty() {
                continue;
            }
            if module != "pam_faillock" {
                found.push(tally(module, &of_module));
                continue;
            }
            match self.of_rule(&of_module, FAILLOCK) {
                Ok(settings) => found.push(faillock(&settings, &of_module)),
                Err(unread) => return Known::unread(&unread),
            }
        }
        Known::Observed(found)
    }

    /// pam_pwquality, pam_cracklib and pam_passwdqc.
    pub(super) fn quality(&mut self, rules: &[RawRule]) -> Known<Vec<Quality>> {
        let mut found = vec![];
        for rule in password(rules) {
            let quality = match rule.rule.module.as_str() {
                "pam_pwquality" => {
                    let reading = self.reading;
                    let base = self.pwquality.get_or_insert_with(|| pwquality(reading)).clone();
                    let mut quality = match base {
                        Ok(quality) => quality,
                        Err(unread) => return Known::unread(&unread),
                    };
                    for argument in &rule.arguments {
                        let (name, value) = conf::setting(argument);
                        // An argument that is no setting is one of the module's own, or a mistake that it passes over.
                        let _ = quality::set(&mut quality, &name, &value);
                    }
                    quality
                }
                "pam_cracklib" => quality::cracklib(&rule.arguments),
                "pam_passwdqc" => quality::passwdqc(&rule.arguments),
                _ => continue,
            };
            found.push(Quality {
                module: rule.rule.module.clone(),
                control: rule.rule.control.clone(),
                ..quality
            });
        }
        Known::Observed(found)
    }

    /// pam_pwhistory, and pam_unix with `remember`.
    pub(super) fn history(&mut self, rules: &[RawRule]) -> Known<Vec<History>> {
        let mut found = vec![];
        for rule in password(rules) {
            let own = rule.arguments.iter().map(|argument| conf::setting(argument));
            let (settings, default) = match rule.rule.module.as_str() {
                "pam_pwhistory" => match self.of_rule(&[rule], PWHISTORY) {
                    Ok(settings) => (settings, Some(10)),
                    Err(unread) => return Known::unread(&unread),
                },
                "pam_unix" => (vec![], None),
                _ => continue,
            };
            let (mut remember, mut enforce_for_root) = (default, false);
            for (name, value) in settings.into_iter().chain(own) {
                match name.as_str() {
                    "remember" => remember = value.parse::<u32>().ok().map(u64::from).or(remember),
                    "enforce_for_root" if default.is_some() => enforce_for_root = true,
                    _ => {}
                }
            }
            if let Some(remember) = remember {
                found.push(History {
                    module: rule.rule.module.clone(),
                    control: rule.rule.control.clone(),
                    remember,
                    enforce_for_root,
                });
            }
        }
        Known::Observed(found)
    }

    /// How pam_unix hashes: `ENCRYPT_METHOD` first, then its arguments.
    pub(super) fn password_hash(&mut self, rules: &[RawRule]) -> Known<Vec<PasswordHash>> {
        let mut found = vec![];
        for rule in password(rules).filter(|rule| rule.rule.module == "pam_unix") {
            let reading = self.reading;
            let defs = self.login_defs.get_or_insert_with(|| {
                let defs = LoginDefs::read(reading)?;
                Ok(defs.map(|defs| defs.values).unwrap_or_default())
            });
            match defs {
                Ok(defs) => found.push(password_hash(defs, &rule.arguments)),
                Err(unread) => return Known::unread(unread),
            }
        }
        Known::Observed(found)
    }
}

fn password(rules: &[RawRule]) -> impl Iterator<Item = &RawRule> {
    rules.iter().filter(|rule| rule.rule.kind == RuleType::Password)
}

fn has(rules: &[&RawRule], argument: &str) -> bool {
    let mut arguments = rules.iter().flat_map(|rule| &rule.arguments);
    arguments.any(|other| other == argument)
}

/// Seconds; `never` is 0.
fn seconds(value: &str) -> Option<u64> {
    if value == "never" {
        return Some(0);
    }
    value.parse::<u32>().ok().map(u64::from)
}

fn faillock(settings: &Settings, rules: &[&RawRule]) -> Lockout {
    let mut lockout = Lockout {
        module: "pam_faillock".to_owned(),
        deny: 3,
        unlock_seconds: 600,
        interval_seconds: Some(900),
        even_deny_root: false,
        root_unlock_seconds: None,
        asks_before: has(rules, "preauth"),
        counts_failures: has(rules, "authfail"),
        forgets_on_success: has(rules, "authsucc") || rules.iter().any(|rule| rule.rule.kind == RuleType::Account),
        local_users_only: false,
    };
    // What counts failures decides; the other rules are there to ask and to forget.
    let counting = rules
        .iter()
        .filter(|rule| rule.arguments.iter().any(|argument| argument == "authfail"));
    let deciding = counting.chain(rules.iter()).next();
    let own = deciding.into_iter().flat_map(|rule| &rule.arguments);
    let all = settings
        .iter()
        .cloned()
        .chain(own.map(|argument| conf::setting(argument)));
    for (name, value) in all {
        match name.as_str() {
            "deny" => lockout.deny = value.parse::<u16>().map_or(lockout.deny, u64::from),
            "fail_interval" => lockout.interval_seconds = seconds(&value).or(lockout.interval_seconds),
            "unlock_time" => lockout.unlock_seconds = seconds(&value).unwrap_or(lockout.unlock_seconds),
            "root_unlock_time" => {
                lockout.even_deny_root = true;
                lockout.root_unlock_seconds = seconds(&value).or(lockout.root_unlock_seconds);
            }
            "even_deny_root" => lockout.even_deny_root = true,
            "local_users_only" => lockout.local_users_only = true,
            _ => {}
        }
    }
    if lockout.even_deny_root {
        lockout.root_unlock_seconds = lockout.root_unlock_seconds.or(Some(lockout.unlock_seconds));
    }
    lockout
}

fn tally(module: &str, rules: &[&RawRule]) -> Lockout {
    let auth = rules.iter().filter(|rule| rule.rule.kind == RuleType::Auth);
    let mut lockout = Lockout {
        module: module.to_owned(),
        deny: 0,
        unlock_seconds: 0,
        interval_seconds: None,
        even_deny_root: false,
        root_unlock_seconds: None,
        asks_before: auth.clone().next().is_some(),
        counts_failures: auth.clone().next().is_some(),
        forgets_on_success: rules.iter().any(|rule| rule.rule.kind == RuleType::Account),
        local_users_only: false,
    };
    for (name, value) in auth
        .flat_map(|rule| &rule.arguments)
        .map(|argument| conf::setting(argument))
    {
        match name.as_str() {
            "deny" => lockout.deny = value.parse::<u16>().map_or(lockout.deny, u64::from),
            "unlock_time" => lockout.unlock_seconds = seconds(&value).unwrap_or(lockout.unlock_seconds),
            "root_unlock_time" => {
                lockout.even_deny_root = true;
                lockout.root_unlock_seconds = seconds(&value).or(lockout.root_unlock_seconds);
            }
            "even_deny_root" => lockout.even_deny_root = true,
            _ => {}
        }
    }
    lockout
}

/// The folder first, then the file, which therefore decides; then come arguments.
fn pwquality(reading: &Reading<'_>) -> Result<Quality, Unread> {
    let mut quality = quality::built_in();
    let folder = format!("{PWQUALITY}.d");
    let mut paths = vec![];
    for entry in reading.list(&folder)?.unwrap_or_default() {
        if entry.name.strip_suffix(".conf").is_some() {
            paths.push(format!("{folder}/{}", entry.name));
        }
    }
    paths.push(PWQUALITY.to_owned());
    for path in paths {
        let Some(text) = reading.text(&path)? else { continue };
        for (name, value) in conf::settings(&text) {
            // libpwquality refuses the whole, and no password can be changed.
            quality::set(&mut quality, &name, &value).map_err(|reason| Unread::Malformed {
                place: path.clone(),
                reason,
            })?;
        }
    }
    Ok(quality)
}

fn password_hash(defs: &BTreeMap<String, String>, arguments: &[String]) -> PasswordHash {
    let mut hash = PasswordHash {
        method: "descrypt".to_owned(),
        chosen_by: HashChosenBy::Default,
        rounds: None,
    };
    if let Some(method) = defs.get("ENCRYPT_METHOD") {
        let method = method.to_ascii_lowercase();
        // It looks at the beginning alone.
        if let Some(known) = METHODS.iter().find(|known| method.starts_with(**known)) {
            (*known).clone_into(&mut hash.method);
            hash.chosen_by = HashChosenBy::LoginDefs;
        }
        if hash.method.starts_with("sha") {
            let rounds = defs
                .get("SHA_CRYPT_MAX_ROUNDS")
                .and_then(|rounds| rounds.parse::<u32>().ok());
            hash.rounds = rounds.map(u64::from);
        }
    }
    for argument in arguments {
        let (name, value) = conf::setting(argument);
        if METHODS.contains(&name.as_str()) {
            hash.method = name;
            hash.chosen_by = HashChosenBy::Argument;
        } else if name == "rounds" {
            hash.rounds = value.parse::<u32>().ok().map(u64::from).or(hash.rounds);
        }
    }
    hash
}

/// Whether pam_unix lets accounts without a password in.
pub(super) fn null_passwords(rules: &[RawRule]) -> bool {
    rules.iter().any(|rule| {
        let accepts = |argument: &String| argument == "nullok" || argument == "nullok_secure";
        rule.rule.kind == RuleType::Auth && rule.rule.module == "pam_unix" && rule.arguments.iter().any(accepts)
    })
}

/// Rules of pam_wheel.
pub(super) fn wheel(rules: &[RawRule]) -> Vec<Wheel> {
    let rules = rules.iter().filter(|rule| rule.rule.module == "pam_wheel");
    let wheel = |rule: &RawRule| Wheel {
        kind: rule.rule.kind,
        control: rule.rule.control.clone(),
        group: rule
            .arguments
            .iter()
            .filter_map(|argument| argument.strip_prefix("group="))
            .next_back()
            .map(str::to_owned),
        trust: has(&[rule], "trust"),
        deny: has(&[rule], "deny"),
        root_only: has(&[rule], "root_only"),
    };
    rules.map(wheel).collect()
}

/// Rules for something else than the password.
pub(super) fn factors(rules: &[RawRule]) -> Vec<Factor> {
    let rules = rules
        .iter()
        .filter(|rule| rule.rule.kind == RuleType::Auth && FACTORS.contains(&rule.rule.module.as_str()));
    let factor = |rule: &RawRule| Factor {
        module: rule.rule.module.clone(),
        control: rule.rule.control.clone(),
        passes_without_setup: has(&[rule], "nullok") || has(&[rule], "nouserok"),
    };
    rules.map(factor).collect()
}

/// The delay of pam_faildelay that is longest, as libpam takes it.
pub(super) fn fail_delay(rules: &[RawRule]) -> Option<u64> {
    let rules = rules.iter().filter(|rule| rule.rule.module == "pam_faildelay");
    let arguments = rules.flat_map(|rule| &rule.arguments);
    let delays = arguments.filter_map(|argument| argument.strip_prefix("delay=")?.parse::<u32>().ok());
    delays.max().map(u64::from)
}

/// What is not there at all.
pub(super) fn absent<T>(detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.to_owned(),
    })
}
