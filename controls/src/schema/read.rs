//! From JSON Schema 2020-12, as schemars writes it with everything inlined, to [`Shape`]. What it does not understand
//! becomes [`Shape::Opaque`]: a rule that reads it does not load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evidence::facts::Outcome;
use serde_json::{Map, Value};

use super::{Field, ObjectShape, Shape};

/// Facts nested deeper than this cannot be read by rules; the deepest probe has about ten levels.
const MAX_DEPTH: usize = 32;

const OUTCOMES: [Outcome; 8] = [
    Outcome::Observed,
    Outcome::Absent,
    Outcome::Denied,
    Outcome::Failed,
    Outcome::Malformed,
    Outcome::Unsupported,
    Outcome::Timeout,
    Outcome::Skipped,
];

pub(super) fn shape(schema: &Value, depth: usize) -> Shape {
    let Value::Object(schema) = schema else {
        return Shape::Opaque("a value of any kind");
    };
    if depth > MAX_DEPTH {
        return Shape::Opaque("a value nested too deeply");
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(Value::Array(parts)) = schema.get(alternatives) {
            return alternatives_shape(schema, parts, depth);
        }
    }
    if let Some(Value::String(only)) = schema.get("const") {
        return choice([only.clone()]);
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        let texts: BTreeSet<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        return if texts.len() == values.iter().filter(|value| !value.is_null()).count() {
            choice(texts)
        } else {
            Shape::Opaque("a choice among values that are no text")
        };
    }
    match type_of(schema) {
        Some("boolean") => Shape::Bool,
        Some("integer") => Shape::Int,
        Some("string") if schema.get("format").and_then(Value::as_str) == Some("date-time") => Shape::Time,
        Some("string") => Shape::Text,
        Some("array") => match schema.get("items") {
            Some(items) => Shape::List(Arc::new(self::shape(items, depth + 1))),
            None => Shape::Opaque("a tuple"),
        },
        Some("object") => object(schema, depth),
        Some("number") => Shape::Opaque("a number with a fraction"),
        _ => Shape::Opaque("a value of a kind that rules cannot read"),
    }
}

fn choice(texts: impl IntoIterator<Item = String>) -> Shape {
    Shape::Choice(Arc::new(texts.into_iter().collect()))
}

/// The type beside `null`: an optional value is one that may be absent.
fn type_of(schema: &Map<String, Value>) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            let first = names.next();
            first.filter(|_| names.next().is_none())
        }
        _ => None,
    }
}

fn object(schema: &Map<String, Value>, depth: usize) -> Shape {
    let required: BTreeSet<&str> = match schema.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    };
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => Shape::Map(Arc::new(shape(values, depth + 1))),
            _ => Shape::Object(Arc::default()),
        };
    };
    let mut fields: BTreeMap<_, _> = properties
        .iter()
        .map(|(name, property)| {
            let field = Field {
                shape: shape(property, depth + 1),
                required: required.contains(name.as_str()) && !may_be_null(property),
            };
            (name.clone(), field)
        })
        .collect();
    let known = fields.len() == 3
        && ["value", "detail"]
            .iter()
            .all(|name| fields.get(*name).is_some_and(|field| !field.required))
        && fields.get("outcome").is_some_and(|field| field.required);
    if known && let Some(outcome) = fields.get_mut("outcome") {
        outcome.shape = choice(OUTCOMES.iter().map(|outcome| outcome.as_str().to_owned()));
    }
    Shape::Object(Arc::new(ObjectShape { fields, known }))
}

fn may_be_null(schema: &Value) -> bool {
    let null =
        |value: &Value| value.as_str() == Some("null") || value.get("type").and_then(Value::as_str) == Some("null");
    match schema {
        Value::Object(schema) => ["type", "anyOf", "oneOf"]
            .iter()
            .any(|member| match schema.get(*member) {
                Some(Value::Array(parts)) => parts.iter().any(null),
                Some(single) => null(single),
                None => false,
            }),
        _ => true,
    }
}

/// `Option<T>`, an enum of texts with a description each, or an enum whose variants have fields of their own.
fn alternatives_shape(schema: &Map<String, Value>, parts: &[Value], depth: usize) -> Shape {
    let mut shapes = parts
        .iter()
        .filter(|part| part.get("type").and_then(Value::as_str) != Some("null"))
        .map(|part| shape(part, depth + 1));
    let Some(first) = shapes.next() else {
        return Shape::Opaque("nothing but null");
    };
    let merged = shapes.try_fold(first, merge);
    match merged {
        // Fields beside the alternatives are common to all of them.
        Some(Shape::Object(variants)) if schema.contains_key("properties") => {
            let mut beside = schema.clone();
            beside.remove("oneOf");
            beside.remove("anyOf");
            match object(&beside, depth) {
                Shape::Object(common) => {
                    let mut fields = variants.fields.clone();
                    fields.extend(common.fields.clone());
                    Shape::Object(Arc::new(ObjectShape { fields, known: false }))
                }
                other => other,
            }
        }
        Some(shape) => shape,
        None => Shape::Opaque("a value of one of several kinds"),
    }
}

/// One shape for both, or `None`. A field that only some variants have is an optional field.
fn merge(left: Shape, right: Shape) -> Option<Shape> {
    match (left, right) {
        (Shape::Choice(left), Shape::Choice(right)) => Some(choice(left.union(&right).cloned())),
        (Shape::Text, Shape::Choice(_)) | (Shape::Choice(_), Shape::Text) => Some(Shape::Text),
        (Shape::Object(left), Shape::Object(right)) => {
            let names: BTreeSet<&String> = left.fields.keys().chain(right.fields.keys()).collect();
            let mut fields = BTreeMap::new();
            for name in names {
                let field = match (left.fields.get(name), right.fields.get(name)) {
                    (Some(left), Some(right)) => Field {
                        shape: merge(left.shape.clone(), right.shape.clone())
                            .unwrap_or(Shape::Opaque("a value of one of several kinds")),
                        required: left.required && right.required,
                    },
                    (Some(one), None) | (None, Some(one)) => Field {
                        shape: one.shape.clone(),
                        required: false,
                    },
                    (None, None) => continue,
                };
                fields.insert(name.clone(), field);
            }
            Some(Shape::Object(Arc::new(ObjectShape { fields, known: false })))
        }
        (Shape::List(left), Shape::List(right)) => {
            merge((*left).clone(), (*right).clone()).map(|element| Shape::List(Arc::new(element)))
        }
        (left, right) => (left == right).then_some(left),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tagged_variants_become_optional_fields() {
        let schema = json!({"oneOf": [
            {"type": "object", "properties": {"kind": {"type": "string", "const": "luks"}, "bits": {"type": "integer"}},
             "required": ["kind", "bits"]},
            {"type": "object", "properties": {"kind": {"type": "string", "const": "none"}}, "required": ["kind"]},
        ]});
        let Shape::Object(object) = shape(&schema, 0) else {
            panic!("no object");
        };
        assert_eq!(object.fields["kind"].shape, choice(["luks".into(), "none".into()]));
        assert!(object.fields["kind"].required);
        assert!(!object.fields["bits"].required);
    }

    #[test]
    fn options_are_fields_that_may_be_absent() {
        let schema = json!({"type": "object", "required": ["a", "b", "c"], "properties": {
            "a": {"type": ["integer", "null"]},
            "b": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
            "c": {"type": "boolean"}, "d": {"type": "number"}}});
        let Shape::Object(object) = shape(&schema, 0) else {
            panic!("no object");
        };
        assert_eq!(
            (&object.fields["a"].shape, object.fields["a"].required),
            (&Shape::Int, false)
        );
        assert_eq!(
            (&object.fields["b"].shape, object.fields["b"].required),
            (&Shape::Time, false)
        );
        assert!(object.fields["c"].required);
        assert!(matches!(object.fields["d"].shape, Shape::Opaque(_)));
    }
}
