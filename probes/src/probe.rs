//! What a probe is.

use std::borrow::Cow;

use evidence::facts::{FactsDocument, Outcome, ProbeId};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use crate::reading::{Host, Reading, Unread};

/// Reads one area of a host.
pub trait Probe {
    /// What the probe declares about itself.
    const SPEC: Spec;

    /// The facts. Hold no value that changes while the host does not (uptime, counters, the time of reading) and no
    /// personal data.
    type Facts: Serialize + JsonSchema;

    /// Personal data (names behind uids, key comments), written to a document `<id>.names` of its own that a pack can
    /// withhold; [`NoNames`] where there is none.
    type Names: Serialize + JsonSchema;

    /// Looks. Everything read through `reading` is noted as a source of the document.
    fn collect(reading: &Reading<'_>) -> Result<Collected<Self::Facts, Self::Names>, ProbeError>;
}

/// What a probe declares about itself; printed by `affiant-agent probes` and made into the reference pages.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spec {
    /// The probe's id, for instance `disk-encryption`.
    pub id: &'static str,
    /// Version of the shape and meaning of its facts.
    pub version: u32,
    /// One sentence: what it tells.
    pub title: &'static str,
    /// Files, folders (ending in `/`) and commands that it reads, as a person would name them.
    pub reads: &'static [&'static str],
    /// Programs that it may run, by absolute path; empty for nearly all probes.
    pub runs: &'static [&'static str],
    /// What it needs to see everything.
    pub privilege: Privilege,
    /// How often it runs.
    pub cadence: Cadence,
    /// Folders and files whose change should make it run again.
    pub watch: &'static [&'static str],
    /// How much it may spend.
    pub budget: Budget,
    /// What it cannot show, one sentence each: printed in the reference and beside findings.
    pub does_not_show: &'static [&'static str],
}

/// What a probe needs in order to see everything. Without it the probe still runs and says what it was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// Any user sees all of it.
    None,
    /// `CAP_DAC_READ_SEARCH` (capabilities(7)): reads files whatever their mode.
    DacReadSearch,
    /// `CAP_DAC_READ_SEARCH` and `CAP_SYS_PTRACE`: sees which files the processes of others have mapped.
    SysPtrace,
    /// `CAP_DAC_READ_SEARCH` and `CAP_NET_ADMIN`: the kernel shows loaded firewall rules to nobody else.
    NetAdmin,
    /// `CAP_DAC_READ_SEARCH` and `CAP_AUDIT_CONTROL`: the kernel shows loaded audit rules to nobody else.
    AuditControl,
    /// Root, or a helper running as root; the probe's documentation says why.
    Root,
}

impl Privilege {
    /// As a person reads it.
    pub const fn described(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::SysPtrace => "CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE",
            Self::NetAdmin => "CAP_DAC_READ_SEARCH, CAP_NET_ADMIN",
            Self::AuditControl => "CAP_DAC_READ_SEARCH, CAP_AUDIT_CONTROL",
            Self::Root => "root",
        }
    }
}

/// How often a probe runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cadence {
    /// With every collection.
    EveryRound,
    /// With every collection in which something that it read has changed, and once a day; else its documents stand as they
    /// were. For probes that read much, and files alone: nothing that has to be asked of a program.
    OnChange,
    /// Once a day, since it costs too much for more; in between its documents stand as they were.
    Daily,
}

/// How much a probe may spend before it is stopped; what it then could not tell is `skipped` or `timeout`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Budget {
    /// Wall-clock time, milliseconds: at least five seconds. It is there for what does not answer; a host that is busy, where
    /// the agent comes last, must not look like one.
    pub millis: u32,
    /// Bytes read from files and programs together.
    pub bytes: u64,
}

/// What a probe brings home.
#[derive(Debug)]
pub struct Collected<F, N> {
    /// The facts.
    pub facts: F,
    /// The names.
    pub names: N,
    /// What a person should know beside the facts, above all what was denied: empty, or one or two sentences.
    pub detail: String,
}

impl<F> Collected<F, NoNames> {
    /// Facts alone.
    pub fn facts(facts: F) -> Self {
        Self {
            facts,
            names: NoNames,
            detail: String::new(),
        }
    }
}

/// For probes that see no personal data: no second document is written.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct NoNames;

/// A part of the facts that may be out of reach while the rest is not: `{"outcome":"observed","value":…}` or
/// `{"outcome":"denied","detail":…}`. A rule that reads the value of something that was not observed is `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// Seen.
    Observed(T),
    /// Not seen, and why.
    Not(NotKnown),
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKnown {
    /// Never [`Outcome::Observed`].
    pub outcome: Outcome,
    /// What happened, with the path.
    pub detail: String,
}

impl<T> Known<T> {
    /// Not seen, for the reason that `unread` gives.
    pub fn unread(unread: &Unread) -> Self {
        Self::Not(NotKnown {
            outcome: unread.outcome(),
            detail: unread.to_string(),
        })
    }

    /// Not seen: `outcome`, never [`Outcome::Observed`], and why.
    pub fn not(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self::Not(NotKnown {
            outcome,
            detail: detail.into(),
        })
    }

    /// Not there.
    pub fn absent(detail: impl Into<String>) -> Self {
        Self::not(Outcome::Absent, detail)
    }

    /// Seen, or the reason why not.
    pub fn read(read: Result<T, Unread>) -> Self {
        match read {
            Ok(value) => Self::Observed(value),
            Err(unread) => Self::unread(&unread),
        }
    }

    /// From a reading in which *not there* is a way not to know: `place` is named then.
    pub(crate) fn of(read: Result<Option<T>, Unread>, place: &str) -> Self {
        match read {
            Ok(Some(value)) => Self::Observed(value),
            Ok(None) => Self::absent(format!("{place} is not there")),
            Err(unread) => Self::unread(&unread),
        }
    }

    /// The same outcome with another value.
    pub(crate) fn map<U>(&self, of: impl FnOnce(&T) -> U) -> Known<U> {
        match self {
            Self::Observed(value) => Known::Observed(of(value)),
            Self::Not(why) => Known::Not(why.clone()),
        }
    }

    /// Why it was not seen, if it was not.
    pub(crate) fn why(&self) -> Option<&NotKnown> {
        match self {
            Self::Observed(_) => None,
            Self::Not(why) => Some(why),
        }
    }

    /// The value, if it was seen.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Observed(value) => Some(value),
            Self::Not(_) => None,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct KnownForm<'a, T> {
    /// How the attempt to see this ended; `value` is there only if `observed`.
    outcome: Cow<'a, str>,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a T>,
    /// Why nothing was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Observed(value) => KnownForm {
                outcome: "observed".into(),
                value: Some(value),
                detail: None,
            },
            Self::Not(why) => KnownForm {
                outcome: why.outcome.as_str().into(),
                value: None,
                detail: Some(why.detail.as_str()),
            },
        }
        .serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Known<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Known_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        KnownForm::<'_, T>::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// How a probe ended if it has no facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ProbeError {
    /// Never [`Outcome::Observed`].
    pub outcome: Outcome,
    /// What is wrong, where.
    pub detail: String,
}

impl ProbeError {
    /// `what` at `place` was read and could not be understood.
    pub fn malformed(place: &str, what: impl std::fmt::Display) -> Self {
        Self {
            outcome: Outcome::Malformed,
            detail: format!("{place}: {what}"),
        }
    }

    /// This host is of a kind that the probe does not know.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Unsupported,
            detail: what.into(),
        }
    }

    /// Something without which the probe has nothing to say is not there.
    pub fn absent(place: &str) -> Self {
        Self {
            outcome: Outcome::Absent,
            detail: format!("{place} is not there"),
        }
    }
}

/// A source without which the probe has nothing to say.
impl From<Unread> for ProbeError {
    fn from(unread: Unread) -> Self {
        Self {
            outcome: unread.outcome(),
            detail: unread.to_string(),
        }
    }
}

/// Runs `P` and writes its documents.
pub(crate) fn documents<P: Probe>(host: &dyn Host) -> Vec<FactsDocument> {
    let reading = Reading::new(host, &P::SPEC);
    let ended = P::collect(&reading).and_then(|collected| {
        Ok(Written {
            facts: json_of(&P::SPEC, &collected.facts)?,
            names: json_of(&P::SPEC, &collected.names)?,
            detail: collected.detail,
        })
    });
    stated(&P::SPEC, has_names::<P>(), ended, reading)
}

/// What a probe brought home, as JSON.
struct Written {
    facts: Value,
    names: Value,
    detail: String,
}

/// The documents of a probe that ended so. Apart from `documents`, whose code is there once for each probe.
fn stated(
    spec: &Spec,
    has_names: bool,
    ended: Result<Written, ProbeError>,
    reading: Reading<'_>,
) -> Vec<FactsDocument> {
    let sources = reading.into_sources();
    let (outcome, detail, facts, names) = match ended {
        Ok(written) => (
            Outcome::Observed,
            written.detail,
            Some(written.facts),
            Some(written.names),
        ),
        Err(error) => (error.outcome, error.detail, None, None),
    };
    let document = |id: &str, detail: &str, facts| {
        Some(FactsDocument {
            // An id that is no probe id is caught by the registry's test; a host must not lose its other documents for it.
            probe: ProbeId::new(id.to_owned()).ok()?,
            version: spec.version,
            outcome,
            detail: detail.to_owned(),
            sources: sources.clone(),
            facts,
        })
    };
    // What a person should know beside the facts is no name; why there are none holds for both.
    let names_detail = if names.is_some() { "" } else { &detail };
    let named = if has_names {
        document(&format!("{}.names", spec.id), names_detail, names)
    } else {
        None
    };
    document(spec.id, &detail, facts).into_iter().chain(named).collect()
}

/// The schema of each document that `P` writes.
pub(crate) fn schemas<P: Probe>() -> Vec<(String, Value)> {
    let mut schemas = vec![(P::SPEC.id.to_owned(), schema_of::<P::Facts>())];
    if has_names::<P>() {
        schemas.push((format!("{}.names", P::SPEC.id), schema_of::<P::Names>()));
    }
    schemas
}

pub(crate) fn has_names<P: Probe>() -> bool {
    P::Names::schema_name() != NoNames::schema_name()
}

fn schema_of<T: JsonSchema>() -> Value {
    // Inline: a reader of the type checker's input, or of the reference page, should not have to follow references.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn json_of<T: Serialize>(spec: &Spec, facts: &T) -> Result<Value, ProbeError> {
    serde_json::to_value(facts).map_err(|error| ProbeError {
        outcome: Outcome::Failed,
        detail: format!("the facts of {} cannot be written as JSON: {error}", spec.id),
    })
}
