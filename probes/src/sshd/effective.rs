//! Asks sshd for its settings.

use evidence::facts::{Origin, Outcome};

use super::SSHD;
use super::config::Block;
use super::connection::Connection;
use super::options::Options;
use super::output::{self, Printed};
use crate::probe::NotKnown;
use crate::reading::{Command, Output, Reading, Unread};

/// Older versions refuse `-T` alone if there are `Match` blocks.
const NEEDS_CONNECTION: &str = "connection test specification";

/// Settings for a connection that meets no block.
pub(super) fn everybody(reading: &Reading<'_>, options: &Options) -> Result<Printed, NotKnown> {
    let shown = if options.arguments.is_empty() {
        format!("{SSHD} -T")
    } else {
        format!("{SSHD} -T with the options of the service")
    };
    match ask(reading, options, None, &shown)? {
        output if output.status != 0 && stderr(&output).contains(NEEDS_CONNECTION) => {
            let neutral = Connection::neutral();
            let output = ask(reading, options, Some(&neutral), &shown)?;
            understand(reading, &output, &shown, true)
        }
        output => understand(reading, &output, &shown, true),
    }
}

/// Settings for a connection that meets `block`.
pub(super) fn meeting(
    reading: &Reading<'_>,
    options: &Options,
    connection: &Connection,
    block: &Block,
) -> Result<Printed, NotKnown> {
    let shown = format!("{SSHD} -T -C for the Match at {}:{}", block.path, block.line);
    let output = ask(reading, options, Some(connection), &shown)?;
    // What sshd complains of may quote the connection, which names a user.
    understand(reading, &output, &shown, false)
}

fn ask(
    reading: &Reading<'_>,
    options: &Options,
    connection: Option<&Connection>,
    shown: &str,
) -> Result<Output, NotKnown> {
    let connection = connection.map(Connection::argument);
    let mut args = vec!["-T"];
    args.extend(options.arguments.iter().map(String::as_str));
    if let Some(connection) = &connection {
        args.extend(["-C", connection]);
    }
    match reading.private_run(
        &Command {
            program: SSHD,
            args: &args,
        },
        shown,
    ) {
        Ok(Some(output)) => Ok(output),
        Ok(None) => Err(not(Outcome::Absent, format!("{SSHD} is not there"))),
        Err(unread) => Err(unread_as(&unread)),
    }
}

fn understand(reading: &Reading<'_>, output: &Output, shown: &str, quote: bool) -> Result<Printed, NotKnown> {
    let refused = |outcome, detail| {
        reading.mark(Origin::Command(shown.to_owned()), outcome);
        Err(not(outcome, detail))
    };
    let complaint = stderr(output);
    let last = complaint
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no message");
    let last: String = if quote {
        last.chars().take(200).collect()
    } else {
        String::new()
    };
    if output.status != 0 {
        // Without its host keys sshd tells nothing; whoever may not read them sees this.
        let keys = complaint.contains("no hostkeys available") && any_key(reading);
        let denied = keys || complaint.contains("ermission denied");
        let outcome = if denied { Outcome::Denied } else { Outcome::Failed };
        return refused(outcome, format!("{shown}: exit status {}: {last}", output.status));
    }
    if output.stdout.is_empty() {
        return refused(Outcome::Failed, format!("{shown}: printed nothing: {last}"));
    }
    match output::parse(&String::from_utf8_lossy(&output.stdout)) {
        Ok(printed) => Ok(printed),
        Err(reason) if quote => refused(Outcome::Malformed, format!("{shown}: {reason}")),
        Err(_) => refused(Outcome::Malformed, format!("{shown}: not settings as sshd prints them")),
    }
}

fn any_key(reading: &Reading<'_>) -> bool {
    let entries = reading.list("/etc/ssh").ok().flatten().unwrap_or_default();
    entries
        .iter()
        .any(|entry| entry.name.starts_with("ssh_host_") && entry.name.ends_with("_key"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).replace('\r', "")
}

fn not(outcome: Outcome, detail: String) -> NotKnown {
    NotKnown { outcome, detail }
}

fn unread_as(unread: &Unread) -> NotKnown {
    not(unread.outcome(), unread.to_string())
}
