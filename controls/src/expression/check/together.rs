//! Which shapes go together: in comparisons, in the branches of a condition, in the elements of a list.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::IdedExpr;

use super::{Checker, Result, Typed};
use crate::expression::problem::Problem;
use crate::schema::Shape;

impl Checker<'_> {
    pub(super) fn expect(&self, expr: &IdedExpr, found: &Typed, shape: &Shape, expected: &'static str) -> Result<()> {
        if found.shape == *shape {
            return Ok(());
        }
        let found = found.shape.to_string();
        Err(self.error(expr, Problem::Type { expected, found }))
    }

    /// The shape that takes values of both.
    pub(super) fn unify(&self, expr: &IdedExpr, left: &Shape, right: &Shape) -> Result<Shape> {
        unified(left, right).ok_or_else(|| {
            self.error(
                expr,
                Problem::Mixed {
                    left: left.to_string(),
                    right: right.to_string(),
                },
            )
        })
    }

    /// Checks that `left == right` can be true as well as false.
    pub(super) fn comparable(&mut self, expr: &IdedExpr, operator: &str, left: &Typed, right: &Typed) -> Result<()> {
        let strays = match (&left.shape, &right.shape) {
            (Shape::Choice(left), Shape::Choice(right)) if left.is_disjoint(right) => {
                left.iter().next().map(|stray| (stray, right))
            }
            (Shape::Bool, Shape::Bool)
            | (Shape::Choice(_), Shape::Choice(_))
            | (Shape::Int, Shape::Int)
            | (Shape::Time, Shape::Time)
            | (Shape::Text | Shape::Literal(_), Shape::Text | Shape::Literal(_)) => None,
            (Shape::Choice(choices), Shape::Text) => {
                self.constrain(right, choices);
                None
            }
            (Shape::Text, Shape::Choice(choices)) => {
                self.constrain(left, choices);
                None
            }
            (Shape::Choice(choices), Shape::Literal(texts)) | (Shape::Literal(texts), Shape::Choice(choices)) => {
                texts.difference(choices).next().map(|stray| (stray, choices))
            }
            (left, right) => {
                let (operator, left, right) = (operator.to_owned(), left.to_string(), right.to_string());
                return Err(self.error(expr, Problem::Comparison { operator, left, right }));
            }
        };
        match strays {
            None => Ok(()),
            Some((text, choices)) => {
                let known: Vec<_> = choices.iter().map(String::as_str).collect();
                Err(self.error(
                    expr,
                    Problem::NotAChoice {
                        text: text.clone(),
                        known: known.join(", "),
                    },
                ))
            }
        }
    }

    /// A parameter that is compared with a choice must hold values that the choice has, or the comparison is never true.
    fn constrain(&mut self, typed: &Typed, choices: &Arc<BTreeSet<String>>) {
        if let Some(name) = typed.origin.parameter() {
            self.choices.push((name.to_owned(), Arc::clone(choices)));
        }
    }
}

fn unified(left: &Shape, right: &Shape) -> Option<Shape> {
    match (left, right) {
        (Shape::Nothing, shape) | (shape, Shape::Nothing) => Some(shape.clone()),
        (Shape::Literal(left), Shape::Literal(right)) => {
            Some(Shape::Literal(Arc::new(left.union(right).cloned().collect())))
        }
        (Shape::Text | Shape::Choice(_) | Shape::Literal(_), Shape::Text | Shape::Choice(_) | Shape::Literal(_)) => {
            Some(if left == right { left.clone() } else { Shape::Text })
        }
        (Shape::List(left), Shape::List(right)) => unified(left, right).map(|element| Shape::List(Arc::new(element))),
        (left, right) => (left == right).then(|| left.clone()),
    }
}
