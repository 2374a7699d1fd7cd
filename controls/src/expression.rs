//! One CEL expression of a rule: parsed, type-checked against what it may read, bounded, and ready to be evaluated.
//!
//! The language is CEL (github.com/google/cel-spec) with less in it: no doubles, unsigned integers, bytes, nulls,
//! optionals or structs, and of the functions only those listed in `docs/rules.md`. `&&` and `||` are those of CEL: an operand
//! that cannot be evaluated does not matter if the other one decides.

mod check;
mod cost;
mod presence;
mod problem;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelInt, CelString, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::parser::Parser;
use cel::{Context, Env, ExecutionError};
use evidence::Timestamp;

pub(crate) use check::{Allowed, Scope};
pub(crate) use cost::Cost;
pub use problem::{ExpressionError, Problem};

use crate::schema::Shape;

/// Characters of one expression; the longest built-in one has about five hundred.
pub const MAX_LENGTH: usize = 2_000;
/// Brackets within brackets. Parsing is recursive and must not exhaust a thread's stack.
pub const MAX_NESTING: usize = 24;
/// Expressions within expressions, for the same reason: `a + b + c` nests too.
pub const MAX_DEPTH: usize = 64;
/// Operators, dots and brackets in one expression.
pub const MAX_OPERATORS: usize = 300;
/// Comprehensions (`all`, `exists`, `map`, …) within comprehensions: each one multiplies the work.
pub const MAX_COMPREHENSIONS: usize = 4;

/// An expression that may be evaluated.
#[derive(Debug)]
pub(crate) struct Expression {
    source: String,
    ast: IdedExpr,
    /// What it evaluates to.
    pub(crate) shape: Shape,
    /// Steps that evaluating it takes, as a function of the lengths of lists.
    pub(crate) cost: Cost,
    /// Whether it reads `now`.
    pub(crate) reads_now: bool,
    /// Paths to things that may be out of reach and whose `value` it reads, such as `facts.groups`.
    pub(crate) reads_known: BTreeSet<String>,
    /// Parameters that are compared with a choice of texts, and that choice.
    pub(crate) choices: Vec<(String, Arc<BTreeSet<String>>)>,
}

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // The name is free in the standard library, so this cannot fail; if it did, `time(…)` would be an undeclared
    // function and every rule that uses it `unknown`.
    let _ = env.add_overload("time", "time_string", vec![STRING_TYPE], |arguments| {
        arguments
            .first()
            .and_then(|text| text.downcast_ref::<CelString>())
            .and_then(|text| text.inner().parse::<Timestamp>().ok())
            .map(|time| CowVal::owned(CelInt::from(time.unix())))
            .ok_or_else(|| ExecutionError::function_error("time", "not a time"))
    });
    Arc::new(env)
});

impl Expression {
    /// Parses and checks `source` in `scope`.
    pub(crate) fn compile(source: &str, scope: &Scope<'_>) -> Result<Self, ExpressionError> {
        let source = source.trim();
        measure(source)?;
        let (ast, positions) = Parser::new()
            .max_recursion_depth(u16::try_from(MAX_NESTING).unwrap_or(u16::MAX) * 2)
            .parse_with_source_info(source)
            .map_err(|errors| match errors.errors.into_iter().next() {
                Some(error) => ExpressionError::at_position(error.pos, Problem::Syntax { message: error.msg }),
                None => ExpressionError::whole(Problem::Syntax {
                    message: "not an expression".to_owned(),
                }),
            })?;
        let checked = check::check(&ast, &positions, scope)?;
        Ok(Self {
            source: source.to_owned(),
            ast,
            shape: checked.shape,
            cost: checked.cost,
            reads_now: checked.reads_now,
            reads_known: checked.reads_known,
            choices: checked.choices,
        })
    }

    /// As it was written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Paths that are certain to be present where this expression is `truth`.
    pub(crate) fn present_if(&self, truth: bool) -> BTreeSet<String> {
        presence::present_if(&self.ast, truth)
    }

    /// The value; an error is said in words that are the same on every machine.
    pub(crate) fn evaluate<'e, 'v>(&'e self, context: &'e Context<'_, 'v>) -> Result<CowVal<'e, 'v>, String> {
        cel::Value::resolve_val(&self.ast, context).map_err(|error| in_words(&error))
    }

    /// The value of an expression that was checked to be a `bool`.
    pub(crate) fn truth(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        self.evaluate(context)?
            .downcast_ref::<CelBool>()
            .map(|truth| *truth.inner())
            .ok_or_else(|| "is no bool".to_owned())
    }
}

/// A context in which `facts`, `param` and, if given, `now` have values.
pub(crate) fn context<'v>(
    facts: Box<dyn Val + 'v>,
    param: Box<dyn Val + 'v>,
    now: Option<Timestamp>,
) -> Context<'v, 'v> {
    let mut context = Context::with_env(Arc::clone(&ENV));
    context.add_variable_as_val("facts", facts);
    context.add_variable_as_val("param", param);
    if let Some(now) = now {
        context.add_variable_as_val("now", Box::new(CelInt::from(now.unix())));
    }
    context
}

/// The steps that `cost` takes with lists of these lengths.
pub(crate) fn steps(cost: &Cost, longest: &BTreeMap<String, usize>) -> u64 {
    cost.steps(longest)
}

/// Refuses what would be too much for a recursive parser, before it sees it.
fn measure(source: &str) -> Result<(), ExpressionError> {
    let length = source.chars().count();
    if length > MAX_LENGTH {
        return Err(ExpressionError::whole(Problem::TooLong { length }));
    }
    if source.is_empty() {
        return Err(ExpressionError::whole(Problem::Empty));
    }
    if let Some(found) = source.chars().find(|found| !matches!(found, ' '..='~' | '\n')) {
        return Err(ExpressionError::whole(Problem::Character { found }));
    }
    let (mut nesting, mut deepest, mut operators) = (0_usize, 0, 0);
    for character in source.chars() {
        match character {
            '(' | '[' | '{' => {
                nesting += 1;
                deepest = deepest.max(nesting);
                operators += 1;
            }
            ')' | ']' | '}' => nesting = nesting.saturating_sub(1),
            '+' | '-' | '*' | '/' | '%' | '!' | '<' | '>' | '=' | '&' | '|' | '?' | '.' | ',' => operators += 1,
            _ => {}
        }
    }
    if deepest > MAX_NESTING {
        return Err(ExpressionError::whole(Problem::TooDeep));
    }
    if operators > MAX_OPERATORS {
        return Err(ExpressionError::whole(Problem::TooManyOperators { operators }));
    }
    Ok(())
}

/// cel's own messages print values, maps among them in no fixed order.
fn in_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("there is no {name:?}"),
        ExecutionError::IndexOutOfBounds(cel::Value::Int(index)) => format!("the list has no element {index}"),
        ExecutionError::Overflow(..) => "a number grew beyond 64 bits".to_owned(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "a division by zero".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("{name} is not known here"),
        ExecutionError::FunctionError { function, .. } => format!("{function} failed"),
        _ => "values of kinds that do not go together".to_owned(),
    }
}

#[cfg(test)]
mod tests;
