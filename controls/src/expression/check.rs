//! The type checker: the CEL crate checks nothing before it evaluates, and takes `4 == '4'` for false.

mod call;
mod origin;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, SelectExpr, SourceInfo};

use super::cost::Cost;
use super::presence::{path, present_if};
use super::problem::{ExpressionError, Problem};
use super::{MAX_COMPREHENSIONS, MAX_DEPTH};
use crate::schema::{Field, ObjectShape, Shape};
use origin::Origin;

/// Whether an expression may do something, and why not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Allowed {
    Yes,
    No(&'static str),
}

/// What an expression may read.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    /// The shape of `facts`.
    pub(crate) facts: &'a Shape,
    /// The shape of `param`.
    pub(crate) param: &'a Shape,
    /// Whether `now` may be read.
    pub(crate) now: Allowed,
    /// Optional fields that are certain to be present, because expressions evaluated before asked.
    pub(crate) present: BTreeSet<String>,
}

/// What the checker found out.
pub(super) struct Checked {
    pub(super) shape: Shape,
    pub(super) cost: Cost,
    pub(super) reads_now: bool,
    pub(super) reads_known: BTreeSet<String>,
    pub(super) choices: Vec<(String, Arc<BTreeSet<String>>)>,
}

pub(super) fn check(ast: &IdedExpr, positions: &SourceInfo, scope: &Scope<'_>) -> Result<Checked, ExpressionError> {
    let root = |shape: &Shape, name: &str| Typed {
        shape: shape.clone(),
        origin: Origin::Path(name.to_owned()),
        cost: Cost::fixed(1),
    };
    let mut variables = vec![
        ("facts".to_owned(), root(scope.facts, "facts")),
        ("param".to_owned(), root(scope.param, "param")),
    ];
    if matches!(scope.now, Allowed::Yes) {
        variables.push(("now".to_owned(), root(&Shape::Time, "now")));
    }
    let mut checker = Checker {
        positions,
        variables,
        now: scope.now,
        present: scope.present.clone(),
        reads_now: false,
        reads_known: BTreeSet::new(),
        choices: Vec::new(),
        depth: 0,
        comprehensions: 0,
    };
    let typed = checker.expr(ast)?;
    Ok(Checked {
        shape: typed.shape,
        cost: typed.cost,
        reads_now: checker.reads_now,
        reads_known: checker.reads_known,
        choices: checker.choices,
    })
}

/// What is known about a part of an expression.
#[derive(Debug, Clone)]
struct Typed {
    shape: Shape,
    origin: Origin,
    cost: Cost,
}

impl Typed {
    fn computed(shape: Shape, cost: Cost) -> Self {
        Self {
            shape,
            origin: Origin::Nowhere,
            cost,
        }
    }
}

struct Checker<'a> {
    positions: &'a SourceInfo,
    variables: Vec<(String, Typed)>,
    now: Allowed,
    present: BTreeSet<String>,
    reads_now: bool,
    reads_known: BTreeSet<String>,
    choices: Vec<(String, Arc<BTreeSet<String>>)>,
    depth: usize,
    comprehensions: usize,
}

type Result<T, E = ExpressionError> = std::result::Result<T, E>;

impl Checker<'_> {
    fn error(&self, expr: &IdedExpr, problem: Problem) -> ExpressionError {
        match self.positions.offset_for(expr.id) {
            Some((start, _)) => ExpressionError::at_offset(&self.positions.source, start, problem),
            None => ExpressionError::whole(problem),
        }
    }

    fn expr(&mut self, expr: &IdedExpr) -> Result<Typed> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(expr, Problem::TooDeep));
        }
        self.depth += 1;
        let typed = match &expr.expr {
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::Ident(name) => self.variable(expr, name),
            Expr::Select(select) => self.select(expr, select),
            Expr::Call(call) => self.call(expr, call),
            Expr::Comprehension(comprehension) => self.comprehension(expr, comprehension),
            Expr::List(list) if list.optional_indices.is_empty() => self.list(expr, &list.elements),
            Expr::Map(map) => self.map(expr, map),
            Expr::List(_) => Err(self.not_in_rules(expr, "an optional element", "")),
            Expr::Struct(_) => Err(self.not_in_rules(expr, "a structure with a type name", "")),
            Expr::Unspecified => Err(self.not_in_rules(expr, "an empty expression", "")),
        };
        self.depth -= 1;
        typed
    }

    fn not_in_rules(&self, expr: &IdedExpr, what: &'static str, instead: &'static str) -> ExpressionError {
        self.error(expr, Problem::NotInRules { what, instead })
    }

    fn literal(&self, expr: &IdedExpr, literal: &LiteralValue) -> Result<Typed> {
        let shape = match literal {
            LiteralValue::Boolean(_) => Shape::Bool,
            LiteralValue::Int(_) => Shape::Int,
            LiteralValue::String(text) => Shape::Literal(Arc::new(BTreeSet::from([text.inner().to_owned()]))),
            LiteralValue::Double(_) => {
                return Err(self.not_in_rules(expr, "a number with a fraction", ": facts hold integers only"));
            }
            LiteralValue::UInt(_) => {
                return Err(self.not_in_rules(expr, "an unsigned number", ": write it without the u"));
            }
            LiteralValue::Bytes(_) => return Err(self.not_in_rules(expr, "a byte string", "")),
            LiteralValue::Null => {
                return Err(self.not_in_rules(expr, "null", ": a value that is null is absent, ask with has()"));
            }
        };
        Ok(Typed::computed(shape, Cost::fixed(1)))
    }

    fn variable(&mut self, expr: &IdedExpr, name: &str) -> Result<Typed> {
        if name == "now" {
            if let Allowed::No(because) = self.now {
                return Err(self.error(expr, Problem::Now { because }));
            }
            self.reads_now = true;
        }
        if let Some((_, typed)) = self.variables.iter().rev().find(|(variable, _)| variable == name) {
            return Ok(typed.clone());
        }
        let named = self.variables.iter().map(|(name, _)| name.as_str());
        let known: Vec<_> = named.filter(|name| !name.starts_with('@')).collect();
        let known = known.join(", ");
        Err(self.error(
            expr,
            Problem::UnknownVariable {
                name: name.to_owned(),
                known,
            },
        ))
    }

    fn select(&mut self, expr: &IdedExpr, select: &SelectExpr) -> Result<Typed> {
        let operand = self.expr(&select.operand)?;
        let written = path(&select.operand).unwrap_or_else(|| "this".to_owned());
        let Shape::Object(object) = &operand.shape else {
            let shape = operand.shape.to_string();
            return Err(self.error(expr, Problem::NoFields { path: written, shape }));
        };
        let Some(field) = object.fields.get(&select.field) else {
            let known: Vec<_> = object.fields.keys().map(String::as_str).collect();
            return Err(self.error(
                expr,
                Problem::UnknownField {
                    path: written,
                    field: select.field.clone(),
                    known: known.join(", "),
                },
            ));
        };
        let selected = format!("{written}.{}", select.field);
        let cost = operand.cost.clone().and(Cost::fixed(1));
        if select.test {
            if field.required {
                return Err(self.error(expr, Problem::AlwaysPresent { path: selected }));
            }
            return Ok(Typed::computed(Shape::Bool, cost));
        }
        // Reading the value of something that was not observed is an error when it is evaluated, and the rule unknown.
        let value_of_known = object.known && select.field == "value";
        if value_of_known && let Origin::Path(known) = &operand.origin {
            self.reads_known.insert(known.clone());
        }
        if !field.required && !value_of_known && !self.present.contains(&selected) {
            return Err(self.error(expr, Problem::MayBeAbsent { path: selected }));
        }
        if let Shape::Opaque(why) = field.shape {
            return Err(self.error(
                expr,
                Problem::Opaque {
                    path: selected,
                    why: why.to_owned(),
                },
            ));
        }
        Ok(Typed {
            shape: field.shape.clone(),
            origin: operand.origin.field(&select.field),
            cost,
        })
    }

    fn comprehension(&mut self, expr: &IdedExpr, comprehension: &ComprehensionExpr) -> Result<Typed> {
        if self.comprehensions == MAX_COMPREHENSIONS {
            return Err(self.error(expr, Problem::TooManyComprehensions));
        }
        if comprehension.iter_var2.is_some() {
            return Err(self.not_in_rules(expr, "a comprehension with two variables", ""));
        }
        let range = self.expr(&comprehension.iter_range)?;
        let element = match &range.shape {
            Shape::List(element) => (**element).clone(),
            Shape::Map(_) => Shape::Text,
            other => {
                let shape = other.to_string();
                return Err(self.error(&comprehension.iter_range, Problem::NotIterable { shape }));
            }
        };
        let Some(extent) = range.origin.extent() else {
            return Err(self.not_in_rules(&comprehension.iter_range, "going through a list that was made here", ""));
        };
        let name = comprehension.iter_var.clone();
        if self.variables.iter().any(|(taken, _)| *taken == name) || name == "now" {
            return Err(self.error(expr, Problem::Shadowed { name }));
        }
        let start = self.expr(&comprehension.accu_init)?;
        let outer = self.variables.len();
        let accumulator = comprehension.accu_var.clone();
        self.variables.push((accumulator.clone(), start.clone()));
        let element_origin = range.origin.element();
        self.variables.push((
            name,
            Typed {
                shape: element,
                origin: element_origin,
                cost: Cost::fixed(1),
            },
        ));
        self.comprehensions += 1;
        let condition = self.expr(&comprehension.loop_cond)?;
        self.expect(&comprehension.loop_cond, &condition, &Shape::Bool, "bool")?;
        let step = self.expr(&comprehension.loop_step)?;
        let shape = self.unify(&comprehension.loop_step, &start.shape, &step.shape)?;
        self.comprehensions -= 1;
        self.variables.truncate(outer);
        let origin = match shape {
            Shape::List(_) => Origin::Made {
                extent: extent.clone(),
                element: Box::new(step.origin.element()),
            },
            _ => Origin::Nowhere,
        };
        self.variables.push((
            accumulator,
            Typed {
                shape,
                origin,
                cost: Cost::fixed(1),
            },
        ));
        let result = self.expr(&comprehension.result)?;
        self.variables.truncate(outer);
        let body = condition.cost.and(step.cost);
        Ok(Typed {
            cost: range
                .cost
                .and(start.cost)
                .and(Cost::each(extent, body))
                .and(result.cost),
            ..result
        })
    }

    fn list(&mut self, expr: &IdedExpr, elements: &[IdedExpr]) -> Result<Typed> {
        let (mut shape, mut cost, mut element) = (Shape::Nothing, Cost::fixed(1), Origin::Nowhere);
        for item in elements {
            let typed = self.expr(item)?;
            shape = self.unify(expr, &shape, &typed.shape)?;
            cost = cost.and(typed.cost);
            element = element.or(typed.origin);
        }
        Ok(Typed {
            shape: Shape::List(Arc::new(shape)),
            origin: Origin::written(elements.len(), element),
            cost,
        })
    }

    fn map(&mut self, expr: &IdedExpr, map: &MapExpr) -> Result<Typed> {
        let (mut fields, mut cost) = (BTreeMap::new(), Cost::fixed(1));
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.not_in_rules(expr, "a structure", ""));
            };
            let Expr::Literal(LiteralValue::String(name)) = &entry.key.expr else {
                return Err(self.not_in_rules(expr, "a map whose keys are no literal strings", ""));
            };
            if entry.optional || fields.contains_key(name.inner()) {
                return Err(self.not_in_rules(expr, "an optional or repeated entry", ""));
            }
            let typed = self.expr(&entry.value)?;
            cost = cost.and(typed.cost);
            fields.insert(
                name.inner().to_owned(),
                Field {
                    shape: typed.shape,
                    required: true,
                },
            );
        }
        let shape = Shape::Object(Arc::new(ObjectShape { fields, known: false }));
        Ok(Typed::computed(shape, cost))
    }

    /// Checks `expr` knowing that the optional fields that `condition` asks for are present if it is `truth`.
    fn given(&mut self, condition: &IdedExpr, truth: bool, expr: &IdedExpr) -> Result<Typed> {
        let before = self.present.clone();
        self.present.extend(present_if(condition, truth));
        let typed = self.expr(expr);
        self.present = before;
        typed
    }
}
