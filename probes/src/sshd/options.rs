//! Options that the service gives to sshd, beside its configuration (sshd(8)).

use super::output::withheld;
use super::words::words;

/// Where no unit of systemd starts sshd: files and the variable in each, of Debian, Red Hat, SUSE and OpenRC.
pub(super) const FILES: [(&str, &str); 4] = [
    ("/etc/default/ssh", "SSHD_OPTS"),
    ("/etc/sysconfig/sshd", "OPTIONS"),
    ("/etc/sysconfig/ssh", "SSHD_OPTS"),
    ("/etc/conf.d/sshd", "SSHD_OPTS"),
];
/// Options (sshd(8)) that change no setting: foreground, log to standard error, quiet, debugging, inetd mode.
const WITHOUT_EFFECT: &str = "Deqdir";
/// Options with an argument that change settings.
const SETTINGS: &str = "bcfghkopu";

/// Options, sorted out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// For `sshd -T`.
    pub(super) arguments: Vec<String>,
    /// As the facts show them.
    pub(super) shown: Vec<String>,
    /// Another main file of the configuration.
    pub(super) main: Option<String>,
    /// Lines of configuration (`-o`), which count before those of the files.
    pub(super) lines: Vec<String>,
}

/// The value of a variable in an `EnvironmentFile`: the last assignment counts, quotes around the value do not.
pub(super) fn variable(text: &str, name: &str) -> Option<String> {
    let mut assignments = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(name)?.trim_start().strip_prefix('='));
    let value = assignments.next_back()?.trim();
    let unquoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Some(unquoted.unwrap_or(value).to_owned())
}

/// Sorts out the options.
pub(super) fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut left = words.into_iter();
    while let Some(word) = left.next() {
        let mut letters = word
            .strip_prefix('-')
            .filter(|letters| !letters.is_empty())
            .ok_or_else(|| unknown(word))?;
        while let Some(letter) = letters.chars().next() {
            letters = letters.get(letter.len_utf8()..).unwrap_or_default();
            if letter == '4' || letter == '6' {
                options.add(letter, None);
            } else if SETTINGS.contains(letter) || letter == 'E' {
                let argument = if letters.is_empty() { left.next() } else { Some(letters) };
                let argument =
                    argument.ok_or_else(|| format!("the option -{letter} of the service has no argument"))?;
                if letter != 'E' {
                    options.add(letter, Some(argument));
                }
                break;
            } else if !WITHOUT_EFFECT.contains(letter) {
                return Err(unknown(word));
            }
        }
    }
    Ok(options)
}

fn unknown(word: &str) -> String {
    let shown: String = word.chars().take(40).collect();
    format!("the option {shown:?} of the service is not known here")
}

impl Options {
    fn add(&mut self, letter: char, argument: Option<&str>) {
        let option = format!("-{letter}");
        let Some(argument) = argument else {
            self.shown.push(option.clone());
            self.arguments.push(option);
            return;
        };
        let keyword = words(argument).ok().flatten().map(|(keyword, _)| keyword);
        let shown = match keyword {
            Some(keyword) if letter == 'o' && withheld(&keyword) => format!("{option} {keyword}=set"),
            _ => format!("{option} {argument}"),
        };
        match letter {
            'f' => self.main = Some(argument.to_owned()),
            'o' => self.lines.push(argument.to_owned()),
            _ => {}
        }
        self.shown.push(shown);
        self.arguments.extend([option, argument.to_owned()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_service() {
        let text = "# options\nSSHD_OPTS=\nSSHD_OPTS=\"-o PermitRootLogin=yes -p2222 -46De -oAllowUsers=alice -E /log -f /etc/x\"\n";
        let options = parse(variable(text, "SSHD_OPTS").unwrap().split_whitespace()).unwrap();
        assert_eq!(
            options.shown,
            [
                "-o PermitRootLogin=yes",
                "-p 2222",
                "-4",
                "-6",
                "-o allowusers=set",
                "-f /etc/x"
            ]
        );
        assert_eq!(options.arguments[..4], ["-o", "PermitRootLogin=yes", "-p", "2222"]);
        assert!(options.arguments.contains(&"AllowUsers=alice".to_owned()));
        assert!(!options.arguments.contains(&"/log".to_owned()));
        assert_eq!(options.main.as_deref(), Some("/etc/x"));
        assert_eq!(parse([]).unwrap(), Options::default());
        assert_eq!(variable("OTHER=1\n", "SSHD_OPTS"), None);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for value in ["-Z", "$OTHER", "-o", "-T", "-"] {
            assert!(parse([value]).is_err(), "{value}");
        }
    }
}
