//! From a file to a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evidence::Digest;
use evidence::json;
use serde_json::Value;
use thiserror::Error;

use super::bounds::{is_id, is_parameter_name, is_text};
use super::case::prepare;
use super::file::RuleFile;
use super::{Rule, file::Labelled};
use crate::baseline::{BaselineError, Parameter};
use crate::catalogue;
use crate::expression::{Allowed, Expression, ExpressionError, Scope};
use crate::schema::{Field, ObjectShape, Schemas, Shape};
use crate::yaml;

/// A rule that does not load. Each message is preceded by the file's name where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// Not YAML, too large, or not of the shape of a rule.
    #[error("{message}")]
    Form {
        /// What the YAML reader says, with line and column.
        message: String,
    },
    /// The id differs from the file's name.
    #[error("id is {id:?}, and the file is named {file:?}: they must be the same")]
    Name {
        /// The id.
        id: String,
        /// The file's name without `.yaml`.
        file: String,
    },
    /// A member whose text is empty, too long or of the wrong form.
    #[error("{member}: {problem}")]
    Member {
        /// Which one.
        member: String,
        /// What is wrong.
        problem: String,
    },
    /// A facts document that has no schema, or not of this version.
    #[error("reads {document} version {version}: {known}")]
    NoSchema {
        /// The document.
        document: String,
        /// The version.
        version: u32,
        /// What there is.
        known: String,
    },
    /// An expression that does not type-check.
    #[error("{member}: {error}")]
    Expression {
        /// Where it is: `expect`, `observed "label"`, …
        member: String,
        /// What is wrong with it.
        error: Box<ExpressionError>,
    },
    /// An expression of another type than its place needs.
    #[error("{member}: must be {expected}, is {found}")]
    Type {
        /// Where it is.
        member: String,
        /// What the place needs.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// `now` is read and `changes_at` is empty, or the other way round.
    #[error("changes_at: {problem}")]
    ChangesAt {
        /// What is wrong.
        problem: &'static str,
    },
    /// A control that no catalogue has, or that hosts show nothing about.
    #[error("controls: {catalogue} {control}: {problem}")]
    Control {
        /// The catalogue.
        catalogue: String,
        /// The control.
        control: String,
        /// What is wrong.
        problem: String,
    },
    /// A value for a parameter that does not fit.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// A case that cannot be made.
    #[error("case {name:?}: {problem}")]
    Case {
        /// The case.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// Reads one rule; `file_name` is the name of its file without `.yaml`.
pub(crate) fn load(
    file_name: &str,
    bytes: &[u8],
    schemas: &Schemas,
    own_values: Option<&BTreeMap<String, Value>>,
) -> Result<Rule, RuleError> {
    let file: RuleFile = yaml::read(bytes).map_err(|message| RuleError::Form { message })?;
    check_texts(file_name, &file)?;
    let facts = schemas.shape(&file.reads, file.version).ok_or_else(|| {
        let versions: Vec<_> = schemas.versions(&file.reads).iter().map(u32::to_string).collect();
        let documents: Vec<_> = schemas.documents().iter().map(ToString::to_string).collect();
        RuleError::NoSchema {
            document: file.reads.to_string(),
            version: file.version,
            known: if versions.is_empty() {
                format!("there are {}", documents.join(", "))
            } else {
                format!("there is version {}", versions.join(", "))
            },
        }
    })?;
    check_controls(&file)?;
    let values = values(&file.id, &file.parameters, own_values)?;
    let values_shape = values_shape(&file.parameters);
    let compiled = compile(&file, facts, &values_shape)?;
    check_choices(&file.id, &compiled, &values)?;
    let digest = Digest::of(bytes);
    let canonical = json::canonical(&values).map_err(|error| RuleError::Member {
        member: "parameters".to_owned(),
        problem: error.to_string(),
    })?;
    Ok(Rule {
        key: Digest::of_parts(&[digest.as_bytes(), &canonical]),
        digest,
        cases: prepare(&file)?,
        id: file.id,
        title: file.title.trim().to_owned(),
        reads: file.reads,
        version: file.version,
        severity: file.severity,
        rationale: file.rationale.trim().to_owned(),
        remedy: file.remedy.trim().to_owned(),
        cannot_see: file.cannot_see,
        controls: file.controls,
        parameters: file.parameters,
        values,
        values_shape,
        applies_when: compiled.applies_when,
        unknown_when: compiled.unknown_when,
        expect: compiled.expect,
        observed: compiled.observed,
        changes_at: compiled.changes_at,
    })
}

fn check_texts(file_name: &str, file: &RuleFile) -> Result<(), RuleError> {
    if file.id != file_name {
        let (id, file) = (file.id.clone(), file_name.to_owned());
        return Err(RuleError::Name { id, file });
    }
    let wrong = |member: &str, problem: &str| RuleError::Member {
        member: member.to_owned(),
        problem: problem.to_owned(),
    };
    if !is_id(&file.id) {
        return Err(wrong("id", "letters a-z, digits and hyphens expected, at most 64"));
    }
    for name in file.parameters.keys() {
        if !is_parameter_name(name) {
            return Err(wrong(
                "parameters",
                "a name has letters a-z, digits and _, and begins with a letter",
            ));
        }
    }
    let texts = [
        ("title", &file.title),
        ("rationale", &file.rationale),
        ("remedy", &file.remedy),
    ];
    let texts = texts
        .into_iter()
        .chain(file.cannot_see.iter().map(|text| ("cannot_see", text)))
        .chain(file.controls.iter().map(|bearing| ("controls", &bearing.because)))
        .chain(
            file.parameters
                .values()
                .map(|parameter| ("parameters", &parameter.description)),
        )
        .chain(
            file.unknown_when
                .iter()
                .map(|unknown| ("unknown_when", &unknown.because)),
        )
        .chain(file.observed.0.iter().map(|(label, _)| ("observed", label)));
    for (member, text) in texts {
        if !is_text(text) {
            return Err(wrong(member, "a text is empty, too long or has control characters"));
        }
    }
    if file.observed.0.is_empty() {
        return Err(wrong("observed", "a verdict must show at least one value"));
    }
    if file.cannot_see.is_empty() {
        return Err(wrong("cannot_see", "every rule has something that it cannot see"));
    }
    Ok(())
}

fn check_controls(file: &RuleFile) -> Result<(), RuleError> {
    let mut seen = BTreeSet::new();
    for bearing in &file.controls {
        let wrong = |problem: String| RuleError::Control {
            catalogue: bearing.catalogue.clone(),
            control: bearing.control.clone(),
            problem,
        };
        let Some(catalogue) = catalogue::find(&bearing.catalogue) else {
            let known: Vec<_> = catalogue::all().iter().map(|catalogue| catalogue.id.as_str()).collect();
            return Err(wrong(format!("no such catalogue: there are {}", known.join(", "))));
        };
        let Some(control) = catalogue.control(&bearing.control) else {
            return Err(wrong("no such control".to_owned()));
        };
        if let Some(problem) = control.refuses(bearing.bearing) {
            return Err(wrong(problem.to_owned()));
        }
        if !seen.insert((&bearing.catalogue, &bearing.control)) {
            return Err(wrong("named twice".to_owned()));
        }
    }
    Ok(())
}

fn values(
    rule: &str,
    parameters: &BTreeMap<String, Parameter>,
    own_values: Option<&BTreeMap<String, Value>>,
) -> Result<Value, RuleError> {
    let mut values = serde_json::Map::new();
    for (name, parameter) in parameters {
        parameter
            .check(&parameter.default)
            .map_err(|problem| RuleError::Member {
                member: format!("parameters: default of {name}"),
                problem,
            })?;
        values.insert(name.clone(), parameter.default.clone());
    }
    for (name, value) in own_values.into_iter().flatten() {
        let Some(parameter) = parameters.get(name) else {
            let known: Vec<_> = parameters.keys().map(String::as_str).collect();
            return Err(RuleError::Baseline(BaselineError::NoSuchParameter {
                rule: rule.to_owned(),
                parameter: name.clone(),
                known: if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                },
            }));
        };
        parameter.check(value).map_err(|problem| BaselineError::Value {
            rule: rule.to_owned(),
            parameter: name.clone(),
            problem,
        })?;
        values.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(values))
}

fn values_shape(parameters: &BTreeMap<String, Parameter>) -> Shape {
    let fields = parameters
        .iter()
        .map(|(name, parameter)| {
            let field = Field {
                shape: parameter.kind.shape(),
                required: true,
            };
            (name.clone(), field)
        })
        .collect();
    Shape::Object(Arc::new(ObjectShape { fields, known: false }))
}

struct Compiled {
    applies_when: Option<Expression>,
    unknown_when: Vec<(Expression, String)>,
    expect: Expression,
    observed: Vec<(String, Expression)>,
    changes_at: Vec<Expression>,
}

impl Compiled {
    fn all(&self) -> impl Iterator<Item = &Expression> {
        let unknown = self.unknown_when.iter().map(|(when, _)| when);
        let observed = self.observed.iter().map(|(_, shown)| shown);
        let rest = unknown.chain(observed).chain(&self.changes_at).chain([&self.expect]);
        self.applies_when.iter().chain(rest)
    }
}

/// Compiles in the order of evaluation: what an expression asked for with `has()` is present in those after it.
fn compile(file: &RuleFile, facts: &Shape, param: &Shape) -> Result<Compiled, RuleError> {
    let now = if file.changes_at.is_empty() {
        Allowed::No("say in changes_at at which instants the verdict may change")
    } else {
        Allowed::Yes
    };
    let mut scope = Scope {
        facts,
        param,
        now,
        present: BTreeSet::new(),
    };
    let applies_when = match &file.applies_when {
        Some(source) => {
            let when = truth("applies_when", source, &scope)?;
            scope.present.extend(when.present_if(true));
            Some(when)
        }
        None => None,
    };
    let mut unknown_when = Vec::new();
    for unknown in &file.unknown_when {
        let when = truth("unknown_when", &unknown.when, &scope)?;
        scope.present.extend(when.present_if(false));
        unknown_when.push((when, unknown.because.trim().to_owned()));
    }
    let expect = truth("expect", &file.expect, &scope)?;
    let timeless = Scope {
        now: Allowed::No("it must be the same at every instant"),
        present: scope.present.clone(),
        ..scope
    };
    let mut changes_at = Vec::new();
    for source in &file.changes_at {
        let at = compiled("changes_at", source, &timeless)?;
        let is_time = match &at.shape {
            Shape::Time => true,
            Shape::List(element) => matches!(**element, Shape::Time | Shape::Nothing),
            _ => false,
        };
        if !is_time {
            return Err(RuleError::Type {
                member: "changes_at".to_owned(),
                expected: "time or list of time",
                found: at.shape.to_string(),
            });
        }
        changes_at.push(at);
    }
    // Shown for every verdict, whatever was asked for before: it must stand by itself.
    let by_itself = Scope {
        present: BTreeSet::new(),
        ..timeless
    };
    let observed = observed(&file.observed, &by_itself)?;
    let compiled = Compiled {
        applies_when,
        unknown_when,
        expect,
        observed,
        changes_at,
    };
    if !compiled.changes_at.is_empty() && !compiled.all().any(|expression| expression.reads_now) {
        return Err(RuleError::ChangesAt {
            problem: "no expression reads now, so nothing changes",
        });
    }
    Ok(compiled)
}

fn observed(labelled: &Labelled, scope: &Scope<'_>) -> Result<Vec<(String, Expression)>, RuleError> {
    let mut observed: Vec<(String, Expression)> = Vec::new();
    for (label, source) in &labelled.0 {
        if observed.iter().any(|(taken, _)| taken == label) {
            return Err(RuleError::Member {
                member: "observed".to_owned(),
                problem: format!("{label:?} is there twice"),
            });
        }
        let member = format!("observed {label:?}");
        let shown = compiled(&member, source, scope)?;
        observed.push((label.clone(), shown));
    }
    Ok(observed)
}

fn compiled(member: &str, source: &str, scope: &Scope<'_>) -> Result<Expression, RuleError> {
    Expression::compile(source, scope).map_err(|error| RuleError::Expression {
        member: member.to_owned(),
        error: Box::new(error),
    })
}

fn truth(member: &str, source: &str, scope: &Scope<'_>) -> Result<Expression, RuleError> {
    let expression = compiled(member, source, scope)?;
    if expression.shape == Shape::Bool {
        return Ok(expression);
    }
    Err(RuleError::Type {
        member: member.to_owned(),
        expected: "bool",
        found: expression.shape.to_string(),
    })
}

/// A parameter compared with a choice holds only values that the choice has.
fn check_choices(rule: &str, compiled: &Compiled, values: &Value) -> Result<(), RuleError> {
    for (name, choices) in compiled.all().flat_map(|expression| &expression.choices) {
        let texts: Vec<&str> = match values.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if let Some(stray) = texts.iter().find(|text| !choices.contains(**text)) {
            let known: Vec<_> = choices.iter().map(String::as_str).collect();
            return Err(RuleError::Baseline(BaselineError::Value {
                rule: rule.to_owned(),
                parameter: name.clone(),
                problem: format!("{stray:?} is none of {}", known.join(", ")),
            }));
        }
    }
    Ok(())
}
