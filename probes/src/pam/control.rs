//! Controls of rules: words, and what follows from each answer in brackets (pam.d(5)).

use std::collections::BTreeMap;

/// Words, and what they stand for.
const WORDS: [(&str, &[(&str, &str)]); 4] = [
    (
        "required",
        &[
            ("default", "bad"),
            ("ignore", "ignore"),
            ("new_authtok_reqd", "ok"),
            ("success", "ok"),
        ],
    ),
    (
        "requisite",
        &[
            ("default", "die"),
            ("ignore", "ignore"),
            ("new_authtok_reqd", "ok"),
            ("success", "ok"),
        ],
    ),
    (
        "sufficient",
        &[("default", "ignore"), ("new_authtok_reqd", "done"), ("success", "done")],
    ),
    (
        "optional",
        &[("default", "ignore"), ("new_authtok_reqd", "ok"), ("success", "ok")],
    ),
];

/// Answers of modules (`_PAM_RETURN_VALUES`).
const ANSWERS: [&str; 33] = [
    "abort",
    "acct_expired",
    "auth_err",
    "authinfo_unavail",
    "authtok_disable_aging",
    "authtok_err",
    "authtok_expired",
    "authtok_lock_busy",
    "authtok_recover_err",
    "bad_item",
    "buf_err",
    "conv_again",
    "conv_err",
    "cred_err",
    "cred_expired",
    "cred_insufficient",
    "cred_unavail",
    "default",
    "ignore",
    "incomplete",
    "maxtries",
    "module_unknown",
    "new_authtok_reqd",
    "no_module_data",
    "open_err",
    "perm_denied",
    "service_err",
    "session_err",
    "success",
    "symbol_err",
    "system_err",
    "try_again",
    "user_unknown",
];
const ACTIONS: [&str; 6] = ["bad", "die", "done", "ignore", "ok", "reset"];

/// What libpam makes of a control that it does not know.
pub(super) const UNKNOWN: &str = "[default=bad]";

/// The control as the facts have it; `None` if libpam does not know it.
pub(super) fn normalised(control: &str) -> Option<String> {
    let lower = control.to_ascii_lowercase();
    if WORDS.iter().any(|(word, _)| *word == lower) {
        return Some(lower);
    }
    let inner = lower.strip_prefix('[')?.strip_suffix(']')?;
    let mut answers: BTreeMap<&str, &str> = BTreeMap::new();
    // Blanks around `=` are allowed.
    let joined = inner.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let joined = joined.replace(" =", "=").replace("= ", "=");
    for pair in joined.split(' ').filter(|pair| !pair.is_empty()) {
        let (answer, action) = pair.split_once('=')?;
        let jump = !action.is_empty() && action.bytes().all(|byte| byte.is_ascii_digit()) && action != "0";
        let known = ANSWERS.contains(&answer);
        if !known || !(jump || ACTIONS.contains(&action)) {
            return None;
        }
        answers.insert(answer, action);
    }
    let same =
        |pairs: &[(&str, &str)]| pairs.len() == answers.len() && pairs.iter().all(|(a, b)| answers.get(a) == Some(b));
    if let Some((word, _)) = WORDS.iter().find(|(_, pairs)| same(pairs)) {
        return Some((*word).to_owned());
    }
    let pairs: Vec<String> = answers
        .iter()
        .map(|(answer, action)| format!("{answer}={action}"))
        .collect();
    Some(format!("[{}]", pairs.join(" ")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_brackets() {
        let cases = [
            ("Required", Some("required")),
            ("[success=1 default=ignore]", Some("[default=ignore success=1]")),
            (
                "[success=ok new_authtok_reqd=ok ignore=ignore default=bad]",
                Some("required"),
            ),
            ("[ default = ignore  success=ok new_authtok_reqd=ok ]", Some("optional")),
            ("[success=x]", None),
            ("[nonsense=ok]", None),
            ("[success=0]", None),
            ("[default=ignore", None),
            ("bogus", None),
        ];
        for (control, expected) in cases {
            assert_eq!(normalised(control).as_deref(), expected, "{control}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            normalised(&text);
        }
    }
}
