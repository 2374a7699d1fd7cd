//! `user create`, `user list`, `user reset-password`, `user remove`

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};

use crate::clock::{Clock as _, SystemClock};
use crate::data_dir::DataDir;
use crate::web::people::{People, Role};

/// Manage the accounts of people who use the web pages
#[derive(Debug, Args)]
pub(super) struct User {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account and print its password
    Create {
        /// The account's name
        name: String,
        /// admin, engineer or auditor
        #[arg(long, default_value = "auditor", value_name = "ROLE")]
        role: Role,
    },
    /// Show the accounts
    List,
    /// Give an account a new password, print it, and end the account's sessions
    ResetPassword {
        /// The account's name
        #[arg(default_value = crate::web::people::ADMIN)]
        name: String,
    },
    /// Remove an account and end its sessions
    Remove {
        /// The account's name
        name: String,
    },
}

impl User {
    /// Works beside a running server: accounts are in a file of their own, and no entries of the log.
    #[expect(clippy::print_stdout, reason = "the command's result")]
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        if !data.store().exists() {
            let path = data.path().display();
            bail!("there is no collector in {path}: start `affiant-collector serve` once");
        }
        let (people, now) = (People::open(data)?, SystemClock.now());
        match self.command {
            UserCommand::Create { name, role } => println!("{}", people.create(&name, role, now)?.reveal()),
            UserCommand::List => {
                for (name, role) in people.list()? {
                    println!("{name}\t{}", role.as_str());
                }
            }
            UserCommand::ResetPassword { name } => println!("{}", people.reset(&name, now)?.reveal()),
            UserCommand::Remove { name } => people.remove(&name)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
