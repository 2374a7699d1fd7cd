//! Arguments of modules as the facts show them: secrets and names of people are written `*`.

/// In the name of an argument: its value may be a secret.
const SECRET: [&str; 7] = ["passw", "secret", "key", "token", "cred", "bindpw", "pin"];
/// Names of arguments whose value may be a person.
const PERSON: [&str; 6] = ["user", "users", "login", "runas", "account", "luser"];
/// Modules that run a program with arguments of its own.
const RUNNING: [&str; 3] = ["pam_exec", "pam_script", "pam_python"];
/// Names of accounts that are no people's.
const NOBODY: [&str; 2] = ["root", "nobody"];

pub(super) fn shown(module: &str, arguments: &[String]) -> Vec<String> {
    let mut shown = Vec::with_capacity(arguments.len());
    let mut program = false;
    let mut before: [&str; 2] = ["", ""];
    for argument in arguments {
        let word = argument.as_str();
        let hide = program || (module == "pam_succeed_if" && names_somebody(before, word));
        shown.push(if hide { "*".to_owned() } else { masked(word) });
        program |= RUNNING.contains(&module) && word.starts_with('/');
        before = [before[1], word];
    }
    shown
}

/// `user = alice` and the like of pam_succeed_if(8).
fn names_somebody(before: [&str; 2], word: &str) -> bool {
    let operators = ["=", "!=", "=~", "!~", "in", "notin", "eq", "ne"];
    matches!(before[0], "user" | "ruser") && operators.contains(&before[1]) && !NOBODY.contains(&word)
}

fn masked(word: &str) -> String {
    let (bracket, inner) = match word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => (true, inner),
        None => (false, word),
    };
    let Some((name, value)) = inner.split_once('=') else {
        return word.to_owned();
    };
    let lower = name.to_ascii_lowercase();
    let secret = SECRET.iter().any(|part| lower.contains(part)) || value.contains('@');
    let person = PERSON.contains(&lower.as_str()) && !NOBODY.contains(&value);
    match (secret || person, bracket) {
        (false, _) => word.to_owned(),
        (true, false) => format!("{name}=*"),
        (true, true) => format!("[{name}=*]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(module: &str, text: &str) -> String {
        let arguments: Vec<String> = text.split(' ').map(str::to_owned).collect();
        shown(module, &arguments).join(" ")
    }

    #[test]
    fn secrets_and_people_do_not_show() {
        let cases = [
            (
                "pam_unix",
                "nullok use_authtok try_first_pass sha512 rounds=5000",
                "nullok use_authtok try_first_pass sha512 rounds=5000",
            ),
            ("pam_mysql", "user=bob passwd=hunter2 db=x", "user=* passwd=* db=x"),
            ("pam_yubico", "id=1 key=abc= [url=http://a:b@c/]", "id=1 key=* [url=*]"),
            (
                "pam_exec",
                "expose_authtok /usr/bin/x --password hunter2",
                "expose_authtok /usr/bin/x * *",
            ),
            ("pam_succeed_if", "user = alice quiet", "user = * quiet"),
            ("pam_succeed_if", "user != root uid >= 1000", "user != root uid >= 1000"),
            (
                "pam_listfile",
                "item=user sense=deny file=/etc/x",
                "item=user sense=deny file=/etc/x",
            ),
        ];
        for (module, text, expected) in cases {
            assert_eq!(all(module, text), expected);
        }
    }
}
