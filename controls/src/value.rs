//! Facts as CEL values, and CEL values as JSON.
//!
//! A facts document is walked once against its [`Shape`]: what does not fit makes every rule over it `unknown`. Texts
//! are borrowed from the document and lists are shared, so that a comprehension does not copy its elements. Three
//! things differ from the JSON, and are part of what a rule means: numbers are CEL `int`, times are Unix seconds, and a
//! member that is `null` is absent.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as ValIterator, Sizer};
use cel::common::types::{CelBool, CelInt, CelString, LIST_TYPE, MAP_TYPE, Type};
use cel::common::value::{CowVal, Val};
use evidence::Timestamp;
use evidence::json::MAX_INTEGER;
use serde_json::Value;
use thiserror::Error;

use crate::schema::{ObjectShape, Shape};

pub(crate) type BoxVal<'a> = Box<dyn Val + 'a>;

static LIST: Type = LIST_TYPE;
static MAP: Type = MAP_TYPE;

/// Facts that do not have the shape that their schema says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the facts do not have the shape of their version: {path} {problem}")]
pub(crate) struct Misshapen {
    path: String,
    problem: String,
}

/// Whether members that the schema requires may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// As an agent writes facts.
    Whole,
    /// As the cases of a rule write them: only what the rule reads. A rule that reads more is `unknown`.
    Part,
}

/// Facts in the form in which expressions read them.
#[derive(Debug)]
pub(crate) struct Viewed<'a> {
    /// The value of `facts`.
    pub(crate) root: BoxVal<'a>,
    /// The longest list at each place, by path such as `facts.volumes[].layers`; lists that are nowhere are missing.
    pub(crate) longest: BTreeMap<String, usize>,
}

/// Reads `facts` as values of `shape`.
pub(crate) fn view<'a>(
    facts: &'a Value,
    shape: &'a Shape,
    completeness: Completeness,
) -> Result<Viewed<'a>, Misshapen> {
    let mut viewer = Viewer {
        completeness,
        path: "facts".to_owned(),
        longest: BTreeMap::new(),
    };
    let root = viewer.value(facts, shape)?;
    Ok(Viewed {
        root,
        longest: viewer.longest,
    })
}

struct Viewer {
    completeness: Completeness,
    path: String,
    longest: BTreeMap<String, usize>,
}

impl Viewer {
    fn value<'a>(&mut self, value: &'a Value, shape: &'a Shape) -> Result<BoxVal<'a>, Misshapen> {
        match (shape, value) {
            (Shape::Bool, Value::Bool(value)) => Ok(Box::new(CelBool::from(*value))),
            (Shape::Int, Value::Number(number)) => match number.as_i64() {
                Some(integer) if (-MAX_INTEGER..=MAX_INTEGER).contains(&integer) => Ok(Box::new(CelInt::from(integer))),
                _ => Err(self.misshapen(format!("is {number}, which is no integer below 2^53"))),
            },
            (Shape::Time, Value::String(text)) => match text.parse::<Timestamp>() {
                Ok(time) => Ok(Box::new(CelInt::from(time.unix()))),
                Err(error) => Err(self.misshapen(format!("is {error}"))),
            },
            (Shape::Text, Value::String(text)) => Ok(Box::new(CelString::from(text.as_str()))),
            (Shape::Choice(choices) | Shape::Literal(choices), Value::String(text)) => {
                if choices.contains(text) {
                    Ok(Box::new(CelString::from(text.as_str())))
                } else {
                    let text: String = text.chars().take(80).collect();
                    Err(self.misshapen(format!("is {text:?}, expected {shape}")))
                }
            }
            (Shape::List(element), Value::Array(values)) => self.list(values, element),
            (Shape::Object(object), Value::Object(members)) => self.object(members, object),
            (Shape::Map(element), Value::Object(members)) => self.map(members, element),
            // Rules cannot read it; that it is there is all there is to say.
            (Shape::Opaque(_), _) => Ok(Box::new(CelBool::from(true))),
            _ => Err(self.misshapen(format!("is {}, expected {shape}", kind(value)))),
        }
    }

    fn list<'a>(&mut self, values: &'a [Value], element: &'a Shape) -> Result<BoxVal<'a>, Misshapen> {
        let longest = self.longest.entry(self.path.clone()).or_default();
        *longest = (*longest).max(values.len());
        let length = self.path.len();
        self.path.push_str("[]");
        let items = values
            .iter()
            .map(|value| self.value(value, element))
            .collect::<Result<Vec<_>, _>>()?;
        self.path.truncate(length);
        Ok(Box::new(FactList(Arc::new(items))))
    }

    fn map<'a>(
        &mut self,
        members: &'a serde_json::Map<String, Value>,
        element: &'a Shape,
    ) -> Result<BoxVal<'a>, Misshapen> {
        let longest = self.longest.entry(self.path.clone()).or_default();
        *longest = (*longest).max(members.len());
        let length = self.path.len();
        self.path.push_str("[]");
        let mut entries = Vec::with_capacity(members.len());
        for (name, value) in members {
            entries.push((CelString::from(name.as_str()), self.value(value, element)?));
        }
        self.path.truncate(length);
        Ok(Box::new(FactMap::of(entries)))
    }

    fn object<'a>(
        &mut self,
        members: &'a serde_json::Map<String, Value>,
        object: &'a ObjectShape,
    ) -> Result<BoxVal<'a>, Misshapen> {
        let mut entries = Vec::with_capacity(object.fields.len());
        let length = self.path.len();
        for (name, field) in &object.fields {
            self.path.push('.');
            self.path.push_str(name);
            match members.get(name) {
                None | Some(Value::Null) if field.required && self.completeness == Completeness::Whole => {
                    return Err(self.misshapen("is missing".to_owned()));
                }
                None | Some(Value::Null) => {}
                Some(value) => entries.push((CelString::from(name.as_str()), self.value(value, &field.shape)?)),
            }
            self.path.truncate(length);
        }
        if object.known
            && members.contains_key("value")
            && members.get("outcome").and_then(Value::as_str) != Some("observed")
        {
            return Err(self.misshapen("has a value and was not observed".to_owned()));
        }
        Ok(Box::new(FactMap::of(entries)))
    }

    fn misshapen(&self, problem: String) -> Misshapen {
        Misshapen {
            path: self.path.clone(),
            problem,
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A list in facts; cloning shares it.
#[derive(Debug, Clone)]
struct FactList<'a>(Arc<Vec<BoxVal<'a>>>);

/// An object or a map in facts, sorted by name; cloning shares it.
#[derive(Debug, Clone)]
struct FactMap<'a>(Arc<Vec<(CelString<'a>, BoxVal<'a>)>>);

impl<'a> FactMap<'a> {
    fn of(mut entries: Vec<(CelString<'a>, BoxVal<'a>)>) -> Self {
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self(Arc::new(entries))
    }

    fn find(&self, name: &str) -> Option<&BoxVal<'a>> {
        let position = self.0.binary_search_by(|(entry, _)| entry.inner().cmp(name)).ok()?;
        self.0.get(position).map(|(_, value)| value)
    }
}

impl Val for FactList<'_> {
    fn get_type(&self) -> &Type {
        &LIST
    }

    fn cel_type() -> &'static Type {
        &LIST
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Container for FactList<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.0.iter().any(|item| item.equals(value)))
    }
}

impl Sizer for FactList<'_> {
    fn size(&self) -> CelInt {
        length(self.0.len())
    }
}

impl Indexer for FactList<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let index = index
            .downcast_ref::<CelInt>()
            .map(|index| *index.inner())
            .ok_or_else(|| ExecutionError::no_such_key("a list is indexed by an int"))?;
        usize::try_from(index)
            .ok()
            .and_then(|index| self.0.get(index))
            .map(|item| CowVal::Borrowed(item.as_ref()))
            .ok_or_else(|| ExecutionError::IndexOutOfBounds(index.into()))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Iterable for FactList<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn ValIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Items(self.0.iter()))
    }
}

struct Items<'b, 'a>(std::slice::Iter<'b, BoxVal<'a>>);

impl<'b, 'v, 'a: 'v> ValIterator<'b, 'v> for Items<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|item| -> &'b (dyn Val + 'v) { item.as_ref() })
    }
}

impl Val for FactMap<'_> {
    fn get_type(&self) -> &Type {
        &MAP
    }

    fn cel_type() -> &'static Type {
        &MAP
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Container for FactMap<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(value
            .downcast_ref::<CelString>()
            .is_some_and(|name| self.find(name.inner()).is_some()))
    }
}

impl Sizer for FactMap<'_> {
    fn size(&self) -> CelInt {
        length(self.0.len())
    }
}

impl Indexer for FactMap<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = index.downcast_ref::<CelString>().map_or("", |name| name.inner());
        self.find(name)
            .map(|value| CowVal::Borrowed(value.as_ref()))
            .ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Iterable for FactMap<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn ValIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Names(self.0.iter()))
    }
}

struct Names<'b, 'a>(std::slice::Iter<'b, (CelString<'a>, BoxVal<'a>)>);

impl<'b, 'v, 'a: 'v> ValIterator<'b, 'v> for Names<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|(name, _)| -> &'b (dyn Val + 'v) { name })
    }
}

fn length(length: usize) -> CelInt {
    CelInt::from(i64::try_from(length).unwrap_or(i64::MAX))
}

/// `value`, which the type checker found to be of `shape`, as JSON; `None` if it is not, or is too large an integer.
pub(crate) fn to_json(value: &dyn Val, shape: &Shape) -> Option<Value> {
    let integer = || value.downcast_ref::<CelInt>().map(|integer| *integer.inner());
    match shape {
        Shape::Bool => value.downcast_ref::<CelBool>().map(|bool| Value::Bool(*bool.inner())),
        Shape::Int => integer()
            .filter(|integer| (-MAX_INTEGER..=MAX_INTEGER).contains(integer))
            .map(Value::from),
        Shape::Time => integer()
            .and_then(|seconds| Timestamp::from_unix(seconds).ok())
            .map(|time| Value::String(time.to_string())),
        Shape::Text | Shape::Choice(_) | Shape::Literal(_) => value
            .downcast_ref::<CelString>()
            .map(|text| Value::String(text.inner().to_owned())),
        Shape::List(element) => {
            let mut items = value.as_iterable()?.iter();
            let mut list = Vec::new();
            while let Some(item) = items.next() {
                list.push(to_json(item, element)?);
            }
            Some(Value::Array(list))
        }
        Shape::Object(_) | Shape::Map(_) => {
            let indexer = value.as_indexer()?;
            let mut names = value.as_iterable()?.iter();
            let mut members = serde_json::Map::new();
            while let Some(name) = names.next() {
                let member = indexer.get(name).ok()?;
                let name = name.downcast_ref::<CelString>()?.inner();
                let shape = match shape {
                    Shape::Object(object) => &object.fields.get(name)?.shape,
                    Shape::Map(element) => element,
                    _ => return None,
                };
                members.insert(name.to_owned(), to_json(member.as_ref(), shape)?);
            }
            Some(Value::Object(members))
        }
        Shape::Nothing | Shape::Opaque(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Schemas;

    fn schemas() -> Schemas {
        let mut schemas = Schemas::default();
        let schema = json!({"document": "t", "version": 1, "facts": {"type": "object", "required": ["a", "when"], "properties": {
            "a": {"type": "array", "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}},
            "when": {"type": "string", "format": "date-time"},
            "kind": {"type": ["string", "null"], "enum": ["x", "y", null]},
            "secret": {"type": "object", "required": ["outcome"], "properties": {"outcome": {"type": "string"},
                "value": {"type": ["integer", "null"]}, "detail": {"type": ["string", "null"]}}}}}});
        schemas.add("t", schema.to_string().as_bytes()).unwrap();
        schemas
    }

    #[test]
    fn what_fits_comes_back_and_what_does_not_is_named() {
        let schemas = schemas();
        let id = evidence::facts::ProbeId::new("t").unwrap();
        let shape = schemas.shape(&id, 1).unwrap();
        let facts = json!({"a": [{"n": 1}, {"n": 2}], "when": "2026-11-24T00:00:00Z", "kind": "x", "new": 1});
        let viewed = view(&facts, shape, Completeness::Whole).unwrap();
        assert_eq!(viewed.longest["facts.a"], 2);
        let mut expected = facts.clone();
        expected.as_object_mut().unwrap().remove("new");
        assert_eq!(to_json(viewed.root.as_ref(), shape).unwrap(), expected);
        for (pointer, wrong, text) in [
            ("/when", json!("2026-11-24"), "facts.when is not a time"),
            ("/a/1/n", json!("2"), "facts.a[].n is a string, expected int"),
            (
                "/a/0/n",
                json!(9_007_199_254_740_992_u64),
                "facts.a[].n is 9007199254740992",
            ),
            ("/kind", json!("z"), "facts.kind is \"z\", expected one of x, y"),
            ("/a", json!(null), "facts.a is missing"),
        ] {
            let mut facts = facts.clone();
            *facts.pointer_mut(pointer).unwrap() = wrong;
            let error = view(&facts, shape, Completeness::Whole).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
        let mut contradiction = facts.clone();
        contradiction["secret"] = json!({"outcome": "denied", "value": 1});
        assert!(view(&contradiction, shape, Completeness::Whole).is_err());
    }
}
