//! What is known about the shape of facts before any fact is seen: the probes' JSON Schemas, read into [`Shape`]s that
//! the type checker and the evaluation share.

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};

use evidence::facts::ProbeId;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::data;

/// The shape of a value in facts, as far as a rule can make use of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer below 2^53 in magnitude.
    Int,
    /// An instant: written as RFC 3339 text in facts, an integer of Unix seconds to a rule.
    Time,
    /// Any text.
    Text,
    /// One of these texts.
    Choice(Arc<BTreeSet<String>>),
    /// Texts written in a rule; fits [`Shape::Text`] and every choice that has all of them.
    Literal(Arc<BTreeSet<String>>),
    /// Any number of values of one shape.
    List(Arc<Shape>),
    /// Named fields.
    Object(Arc<ObjectShape>),
    /// Values of one shape behind names that are not known beforehand.
    Map(Arc<Shape>),
    /// The element of an empty list; fits everything.
    Nothing,
    /// Something that rules cannot read, and why.
    Opaque(&'static str),
}

/// The fields of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectShape {
    /// By name.
    pub fields: BTreeMap<String, Field>,
    /// Whether this is the form `{"outcome","value","detail"}` of something that may be out of reach.
    pub known: bool,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its shape where it is present; `null` counts as absent.
    pub shape: Shape,
    /// Whether every object has it.
    pub required: bool,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Time => f.write_str("time"),
            Self::Text | Self::Literal(_) => f.write_str("string"),
            Self::Choice(choices) => {
                let choices: Vec<_> = choices.iter().map(String::as_str).collect();
                write!(f, "one of {}", choices.join(", "))
            }
            Self::List(element) => write!(f, "list of {element}"),
            Self::Object(_) => f.write_str("object"),
            Self::Map(value) => write!(f, "map of {value}"),
            Self::Nothing => f.write_str("nothing"),
            Self::Opaque(why) => write!(f, "{why}"),
        }
    }
}

/// The schema of one facts document: the content of `schemas/<document>.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    document: ProbeId,
    version: u32,
    facts: Value,
}

/// The shapes of the facts of all documents that rules may read, by document and version.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    shapes: BTreeMap<(ProbeId, u32), Shape>,
}

/// A schema that cannot be used.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// Not JSON of the form `{"document","version","facts"}`.
    #[error("schema {name}: {source}")]
    Form {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The same document and version twice.
    #[error("schema {name}: {document} version {version} has a schema already")]
    Twice {
        /// The file.
        name: String,
        /// The document.
        document: ProbeId,
        /// The facts' version.
        version: u32,
    },
}

static BUILTIN: LazyLock<Arc<Schemas>> = LazyLock::new(|| {
    // A schema that does not load leaves its rules without a schema, which the test of the built-in rules refuses.
    let mut schemas = Schemas::default();
    for (name, bytes) in data::SCHEMAS {
        let _ = schemas.add(name, bytes);
    }
    Arc::new(schemas)
});

impl Schemas {
    /// The schemas of the probes of this version.
    pub fn builtin() -> Arc<Self> {
        Arc::clone(&BUILTIN)
    }

    /// Adds the schema in `bytes`; `name` is said in errors.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), SchemaError> {
        let file: SchemaFile = serde_json::from_slice(bytes).map_err(|source| SchemaError::Form {
            name: name.to_owned(),
            source,
        })?;
        let key = (file.document, file.version);
        if self.shapes.contains_key(&key) {
            return Err(SchemaError::Twice {
                name: name.to_owned(),
                document: key.0,
                version: key.1,
            });
        }
        self.shapes.insert(key, read::shape(&file.facts, 0));
        Ok(())
    }

    /// The shape of the facts of a document.
    pub fn shape(&self, document: &ProbeId, version: u32) -> Option<&Shape> {
        self.shapes.get(&(document.clone(), version))
    }

    /// The versions of `document` that have a schema.
    pub fn versions(&self, document: &ProbeId) -> Vec<u32> {
        self.shapes
            .keys()
            .filter(|(id, _)| id == document)
            .map(|(_, version)| *version)
            .collect()
    }

    /// The documents that have a schema, each once.
    pub fn documents(&self) -> BTreeSet<&ProbeId> {
        self.shapes.keys().map(|(document, _)| document).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_schemas_load() {
        let mut schemas = Schemas::default();
        for (name, bytes) in data::SCHEMAS {
            schemas.add(name, bytes).unwrap();
        }
    }
}
