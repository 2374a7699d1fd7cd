//! `token create`, `token list`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use evidence::{Digest, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::clock::{Clock as _, SystemClock};
use crate::data_dir::DataDir;
use crate::store::{Sqlite, Store as _};
use crate::token;

/// Make enrolment tokens
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token that enrols one host, once
    Create(Create),
}

#[derive(Debug, Args)]
struct Create {
    /// For how long it counts: 30m, 1h, 7d
    #[arg(long, default_value = "1h", value_parser = seconds, value_name = "DURATION")]
    ttl: i64,
    /// Print JSON: token, expires, collector, command
    #[arg(long)]
    json: bool,
}

/// Longest time that a token may count, days.
const MAX_DAYS: i64 = 90;

/// Reads `90s`, `30m`, `1h` or `7d`.
fn seconds(text: &str) -> Result<i64, String> {
    let form = || format!("{text:?} is not a duration like 30m, 1h or 7d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(form)?;
    let number: i64 = number.parse().map_err(|_| form())?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(form()),
    };
    let seconds = number.checked_mul(unit).ok_or_else(form)?;
    if (1..=MAX_DAYS * 86_400).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(format!("a token may count for 1s to {MAX_DAYS}d"))
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Created {
    token: String,
    expires: Timestamp,
    collector: String,
    command: String,
}

impl Token {
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let TokenCommand::Create(create) = self.command;
        create.run(data)
    }
}

impl Create {
    /// Works beside a running server: tokens are rows of the store, not entries of the log.
    #[expect(clippy::print_stdout, reason = "the command's result")]
    fn run(&self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let path = data.path().display();
        let no_collector = || format!("there is no collector in {path}: start `affiant-collector serve` once");
        let ca = data.read("ca.pem")?.with_context(no_collector)?;
        let ca = CertificateDer::from_pem_slice(&ca).context("ca.pem is damaged")?;
        let (_, ca) = X509Certificate::from_der(&ca).context("ca.pem is damaged")?;
        let made = token::make(Digest::of(ca.public_key().raw), SystemClock.now(), self.ttl)?;
        let expires = made.record.expires;
        let store = Sqlite::open(&data.store())?;
        store.commit(&mut |transaction| transaction.put_token(&made.record))?;
        let url = data.read("run/agents.url")?.unwrap_or_default();
        let url = String::from_utf8_lossy(&url).trim().to_owned();
        let collector = if url.is_empty() {
            "https://COLLECTOR:8442".to_owned()
        } else {
            url
        };
        let token = made.token.to_string();
        let command = format!("affiant-agent enrol --collector {collector} --token {token}");
        if self.json {
            let created = Created {
                token,
                expires,
                collector,
                command,
            };
            println!("{}", serde_json::to_string_pretty(&created)?);
        } else {
            println!("{token}\n\nEnrols one host, until {expires}. On that host, as root:\n\n  {command}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_strictly() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("7d"), Ok(7 * 86_400));
        for wrong in ["", "h", "1", "1w", "-1h", "0s", "91d", "1é", "99999999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
