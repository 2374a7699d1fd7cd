//! The configuration file. Everything has a default; `docs/configuration.md` describes every key and a test holds it to
//! that.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use evidence::wire;
use serde::Deserialize;
use thiserror::Error;

/// The configuration of a collector (TOML).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Further names and addresses in the server certificate, beside the machine's host name and loopback.
    pub names: Vec<String>,
    /// The log's origin line, for the first start only; drawn at random without it.
    pub origin: Option<String>,
    /// Seconds for which a statement speaks for its host; after that it is silent.
    pub freshness_seconds: u64,
    /// File with the host names that ought to report, one per line.
    pub scope: Option<PathBuf>,
    /// Folder with the organisation's own rules (`<id>.yaml`) and its parameters (`baseline.yaml`).
    pub rules: Option<PathBuf>,
    /// The listener for agents.
    pub agents: Agents,
    /// The listener for people.
    pub people: People,
    /// How often agents do what.
    pub pace: Pace,
}

/// The listener for agents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Agents {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL that agents reach it by, for enrolment commands; made of the first name and the port without it.
    pub url: Option<String>,
    /// Connections at once. Each costs some 50 kB.
    pub connections: usize,
}

/// The listener for people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// HTTPS with a certificate of the collector's CA. Without it only a loopback address is allowed.
    pub tls: bool,
    /// Connections at once.
    pub connections: usize,
}

/// How often agents do what, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// A statement at least this often.
    pub seal_seconds: u32,
    /// A collection this often, beside those that changes cause.
    pub collect_seconds: u32,
    /// A check-in this often.
    pub check_in_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            origin: None,
            freshness_seconds: 3 * 3600,
            scope: None,
            rules: None,
            agents: Agents::default(),
            people: People::default(),
            pace: Pace::default(),
        }
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8442)),
            url: None,
            connections: 20_000,
        }
    }
}

impl Default for People {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            tls: true,
            connections: 1000,
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            seal_seconds: 3600,
            collect_seconds: 900,
            check_in_seconds: 5400,
        }
    }
}

impl From<Pace> for wire::Pace {
    fn from(pace: Pace) -> Self {
        Self {
            seal_seconds: pace.seal_seconds,
            collect_seconds: pace.collect_seconds,
            check_in_seconds: pace.check_in_seconds,
        }
    }
}

/// Why a configuration does not count.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("reading {path} failed", path = path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of a wrong type.
    #[error("{path}: {error}", path = path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        error: toml::de::Error,
    },
    /// A value that makes no sense.
    #[error("{key} = {value}: {reason}")]
    Value {
        /// The key, with its table.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Config {
    /// Reads a file and checks it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            error,
        })?;
        config.check()?;
        Ok(config)
    }

    /// Refuses values that make no sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, value: &dyn ToString, reason| {
            Err(ConfigError::Value {
                key,
                value: value.to_string(),
                reason,
            })
        };
        let Pace {
            seal_seconds,
            collect_seconds,
            check_in_seconds,
        } = self.pace;
        for (key, seconds) in [
            ("pace.seal_seconds", seal_seconds),
            ("pace.collect_seconds", collect_seconds),
            ("pace.check_in_seconds", check_in_seconds),
        ] {
            if !(1..=86_400).contains(&seconds) {
                return wrong(key, &seconds, "1 second to 1 day is allowed");
            }
        }
        if self.freshness_seconds <= u64::from(seal_seconds) {
            let reason = "must exceed pace.seal_seconds, else every host is silent between two statements";
            return wrong("freshness_seconds", &self.freshness_seconds, reason);
        }
        if !self.people.tls && !self.people.listen.ip().is_loopback() {
            let reason = "without people.tls only a loopback address is allowed: passwords would travel in clear";
            return wrong("people.listen", &self.people.listen, reason);
        }
        if self.agents.url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            let url = self.agents.url.as_deref().unwrap_or_default();
            return wrong("agents.url", &url, "must begin with https://");
        }
        for (key, connections) in [
            ("agents.connections", self.agents.connections),
            ("people.connections", self.people.connections),
        ] {
            if !(1..=1_000_000).contains(&connections) {
                return wrong(key, &connections, "1 to 1000000 is allowed");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collector.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn empty_is_the_default() {
        assert_eq!(load("").unwrap(), Config::default());
        assert_eq!(load("[agents]\nlisten = \"[::1]:0\"").unwrap().agents.listen.port(), 0);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("nmaes = []", "unknown field `nmaes`"),
            ("[pace]\nseal_seconds = 0", "pace.seal_seconds = 0"),
            ("freshness_seconds = 60", "must exceed pace.seal_seconds"),
            ("[people]\ntls = false", "only a loopback address"),
            ("[agents]\nurl = \"http://x\"", "must begin with https://"),
            ("[agents]\nlisten = \"localhost\"", "listen"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_manual_describes_every_key_with_its_default() {
        let manual = include_str!("../../docs/configuration.md");
        let begin = manual.find("```toml\n").unwrap() + "```toml\n".len();
        let example = &manual[begin..begin + manual[begin..].find("```").unwrap()];
        // Keys without a default stand there as comments.
        assert_eq!(load(example).unwrap(), Config::default());
        let all: Vec<_> = example.lines().map(|line| line.trim_start_matches("# ")).collect();
        let set = load(&all.join("\n")).unwrap();
        assert!(set.origin.is_some() && set.scope.is_some() && set.rules.is_some() && set.agents.url.is_some());
        for key in [
            "names",
            "origin",
            "freshness_seconds",
            "scope",
            "rules",
            "listen",
            "url",
            "connections",
            "tls",
            "seal_seconds",
            "collect_seconds",
            "check_in_seconds",
        ] {
            assert!(example.contains(&format!("{key} =")), "{key}");
            assert!(
                manual[begin + example.len()..].contains(&format!("`{key}`")),
                "{key} is not described"
            );
        }
    }
}
