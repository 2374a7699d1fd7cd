//! `token create`, `token list`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use evidence::{Digest, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::instant;
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
    #[arg(long, default_value = "1h", value_parser = time_to_live, value_name = "DURATION")]
    ttl: i64,
    /// Print JSON: token, expires, collector, command
    #[arg(long)]
    json: bool,
}

/// Longest time that a token may count, days.
const MAX_DAYS: i64 = 90;

/// Reads a duration within the bounds of a token.
fn time_to_live(text: &str) -> Result<i64, String> {
    let seconds = instant::seconds(text).ok_or_else(|| format!("{text:?} is not a duration like 30m, 1h or 7d"))?;
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
    fn a_token_counts_for_a_bounded_time() {
        assert_eq!(time_to_live("1s"), Ok(1));
        assert_eq!(time_to_live("90d"), Ok(90 * 86_400));
        for wrong in ["0s", "91d"] {
            assert_eq!(time_to_live(wrong), Err("a token may count for 1s to 90d".to_owned()));
        }
        assert!(time_to_live("1w").unwrap_err().contains("is not a duration"));
    }
}
