//! `affiant-agent status`.

use std::fmt::Write as _;

use clap::Args;
use evidence::Timestamp;
use serde::Serialize;

use super::{Failure, StateDir, print};
use crate::clock;
use crate::service::Report;
use crate::spool::{Acknowledged, Waiting};
use crate::state::{State, StoredAlarm};

/// Clocks that differ by more seconds are worth a remark.
const CLOCK_TOLERANCE: i64 = 60;

/// What the agent on this host is doing; works while the service runs.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print a JSON object: `{"host","name","collector","log","enrolled_at","state","running","waiting":{"count",
    /// "newest_sequence","newest_observed_at"},"receipt":{"sequence","index","size","observed_at","at",…},"alarm","report"}`;
    /// what there is none of is `null`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: StateDir,
}

#[derive(Debug, Serialize)]
struct Shown {
    host: String,
    name: String,
    collector: String,
    log: String,
    enrolled_at: Timestamp,
    state: String,
    running: bool,
    waiting: Waiting,
    receipt: Option<Acknowledged>,
    alarm: Option<StoredAlarm>,
    report: Report,
}

impl Status {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let state = State::open(&self.state.path)?;
        let member = state.member()?;
        let identity = member.identity();
        let spool = member.spool()?;
        let receipt = Acknowledged::of(&spool)?;
        let shown = Shown {
            host: identity.host.to_string(),
            name: identity.name.clone(),
            collector: identity.collector.clone(),
            log: identity.log.name().to_owned(),
            enrolled_at: identity.enrolled_at,
            state: state.path().display().to_string(),
            running: state.is_locked(),
            waiting: Waiting::of(&spool, receipt.as_ref())?,
            receipt,
            alarm: member.alarm()?,
            report: member.report()?.unwrap_or_default(),
        };
        if self.json {
            let json = serde_json::to_string_pretty(&shown).map_err(Failure::Json)?;
            return print(&format!("{json}\n"));
        }
        print(&shown.to_text(clock::now()))
    }
}

impl Shown {
    fn to_text(&self, now: Timestamp) -> String {
        let mut lines: Vec<(&str, String)> = vec![
            ("Host", format!("{} ({})", self.host, self.name)),
            ("Collector", self.collector.clone()),
            ("Log", self.log.clone()),
            ("Enrolled", ago(self.enrolled_at, now)),
        ];
        let service = if self.running { "running" } else { "not running" };
        let since = self.report.started_at.filter(|_| self.running);
        let since = since.map(|at| format!(" since {at}")).unwrap_or_default();
        lines.push(("Service", format!("{service}{since}")));
        if let Some(collected) = &self.report.collected {
            let text = format!(
                "{}, {} documents in {} ms",
                ago(collected.at, now),
                collected.documents,
                collected.millis
            );
            lines.push(("Collection", text));
            if !collected.not_observed.is_empty() {
                lines.push(("Not observed", collected.not_observed.join(", ")));
            }
        }
        let statement = match (self.waiting.newest_sequence, self.waiting.newest_observed_at) {
            (Some(sequence), Some(at)) => format!("{sequence}, {}", ago(at, now)),
            _ => "none yet".to_owned(),
        };
        lines.push(("Last statement", statement));
        lines.push((
            "Waiting",
            format!("{} statements without a receipt", self.waiting.count),
        ));
        let receipt = match &self.receipt {
            Some(mark) => format!(
                "statement {} is entry {} in a log of {}, verified {}",
                mark.sequence,
                mark.index,
                mark.size,
                ago(mark.at, now)
            ),
            None => "none yet".to_owned(),
        };
        lines.push(("Last receipt", receipt));
        if let Some(at) = self.report.heard_at {
            lines.push(("Last answer", ago(at, now)));
        }
        if let Some(until) = self.report.certificate_until {
            lines.push(("Certificate", format!("valid until {until}; renews itself")));
        }
        self.add_problems(&mut lines);
        let mut text = String::new();
        for (name, value) in lines {
            let _ = writeln!(text, "{name:15} {value}");
        }
        text
    }

    fn add_problems(&self, lines: &mut Vec<(&str, String)>) {
        if let Some(seconds) = self
            .report
            .clock_ahead_seconds
            .filter(|seconds| seconds.abs() > CLOCK_TOLERANCE)
        {
            let relation = if seconds > 0 { "ahead of" } else { "behind" };
            let text = format!(
                "{} s {relation} the collector's: check the time synchronisation",
                seconds.abs()
            );
            lines.push(("CLOCK", text));
        }
        if let Some(noted) = &self.report.unreachable {
            lines.push(("UNREACHABLE", format!("since {}: {}", noted.since, noted.detail)));
        }
        if let Some(noted) = &self.report.spool {
            lines.push(("SPOOL", format!("since {}: {}", noted.since, noted.detail)));
        }
        if let Some(refused) = &self.report.refused {
            let (sequence, since) = (refused.sequence, refused.since);
            lines.push((
                "REFUSED",
                format!("statement {sequence}, since {since}: {}", refused.detail),
            ));
        }
        if let Some(alarm) = &self.alarm {
            let text = format!(
                "{} at {}: {}. The proof is in {}/proof",
                alarm.alarm.kind, alarm.at, alarm.detail, self.state
            );
            lines.push(("ALARM", text));
        }
    }
}

/// The instant, and how long ago it was.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at);
    let text = match seconds {
        ..0 => return format!("{at} (in the future: was the clock set?)"),
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    format!("{at} ({text} ago)")
}
