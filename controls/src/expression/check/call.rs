//! Operators and functions.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use evidence::Timestamp;

use super::{Checker, Result, Typed};
use crate::expression::cost::Cost;
use crate::expression::problem::Problem;
use crate::schema::Shape;

/// Every function that rules have beside the macros, for messages and for the reference.
pub(super) const FUNCTIONS: &str =
    "all, exists, exists_one, filter, map, has, size, time, contains, startsWith, endsWith, matches";
/// Steps of one `matches`: the regular expression is compiled each time, which takes as long as 500 other steps.
const MATCHES_STEPS: u64 = 500;
/// Characters of a regular expression, for the same reason.
const MAX_PATTERN: usize = 200;

impl Checker<'_> {
    pub(super) fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Result<Typed> {
        match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (operators::LOGICAL_AND, None, [left, right]) => self.logical(left, right, true),
            (operators::LOGICAL_OR, None, [left, right]) => self.logical(left, right, false),
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, None, [operand]) => {
                let typed = self.expr(operand)?;
                self.expect(operand, &typed, &Shape::Bool, "bool")?;
                Ok(computed(Shape::Bool, typed.cost))
            }
            (operators::CONDITIONAL, None, [condition, then, otherwise]) => {
                self.conditional(condition, then, otherwise)
            }
            (operator @ (operators::EQUALS | operators::NOT_EQUALS), None, [left, right]) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                self.comparable(expr, bare(operator), &left, &right)?;
                Ok(computed(Shape::Bool, left.cost.and(right.cost)))
            }
            (
                operator @ (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS),
                None,
                [left, right],
            ) => self.ordering(expr, operator, left, right),
            (operators::IN, None, [item, list]) => self.membership(expr, item, list),
            (operators::INDEX, None, [list, index]) => self.index(expr, list, index),
            (operators::ADD, None, [left, right]) => self.add(expr, left, right),
            (operators::SUBSTRACT, None, [left, right]) => self.subtract(expr, left, right),
            (operator @ (operators::MULTIPLY | operators::DIVIDE | operators::MODULO), None, [left, right]) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                match (&left.shape, &right.shape) {
                    (Shape::Int, Shape::Int) => Ok(computed(Shape::Int, left.cost.and(right.cost))),
                    _ => Err(self.argument(expr, bare(operator), "two integers", &[&left, &right])),
                }
            }
            (operators::NEGATE, None, [operand]) => {
                let typed = self.expr(operand)?;
                self.expect(operand, &typed, &Shape::Int, "int")?;
                Ok(computed(Shape::Int, typed.cost))
            }
            (operators::OPT_INDEX | operators::OPT_SELECT, ..) => {
                Err(self.not_in_rules(expr, "an optional selection", ": ask with has()"))
            }
            ("size", None, [list]) => self.size(expr, list),
            ("size", Some(list), []) => self.size(expr, list),
            ("time", None, [text]) => self.time(expr, text),
            (name @ ("contains" | "startsWith" | "endsWith"), Some(text), [part]) => self.text(expr, name, text, part),
            ("matches", Some(text), [pattern]) => {
                self.pattern(pattern)?;
                let typed = self.text(expr, "matches", text, pattern)?;
                Ok(computed(Shape::Bool, typed.cost.and(Cost::fixed(MATCHES_STEPS))))
            }
            (name, ..) => Err(self.error(
                expr,
                Problem::UnknownFunction {
                    name: name.chars().take(80).collect(),
                    known: FUNCTIONS,
                },
            )),
        }
    }

    fn logical(&mut self, left: &IdedExpr, right: &IdedExpr, conjunction: bool) -> Result<Typed> {
        let first = self.expr(left)?;
        self.expect(left, &first, &Shape::Bool, "bool")?;
        let second = self.given(left, conjunction, right)?;
        self.expect(right, &second, &Shape::Bool, "bool")?;
        Ok(computed(Shape::Bool, first.cost.and(second.cost)))
    }

    fn conditional(&mut self, condition: &IdedExpr, then: &IdedExpr, otherwise: &IdedExpr) -> Result<Typed> {
        let question = self.expr(condition)?;
        self.expect(condition, &question, &Shape::Bool, "bool")?;
        let yes = self.given(condition, true, then)?;
        let no = self.given(condition, false, otherwise)?;
        let shape = self.unify(otherwise, &yes.shape, &no.shape)?;
        Ok(Typed {
            shape,
            origin: yes.origin.or(no.origin),
            cost: question.cost.and(yes.cost).and(no.cost),
        })
    }

    fn ordering(&mut self, expr: &IdedExpr, operator: &str, left: &IdedExpr, right: &IdedExpr) -> Result<Typed> {
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        // Texts have an order too, but not one that means anything for versions, dates or names.
        match (&left.shape, &right.shape) {
            (Shape::Int, Shape::Int) | (Shape::Time, Shape::Time) => {
                Ok(computed(Shape::Bool, left.cost.and(right.cost)))
            }
            (left, right) => Err(self.error(
                expr,
                Problem::Comparison {
                    operator: bare(operator).to_owned(),
                    left: left.to_string(),
                    right: right.to_string(),
                },
            )),
        }
    }

    fn membership(&mut self, expr: &IdedExpr, item: &IdedExpr, list: &IdedExpr) -> Result<Typed> {
        let (item, list) = (self.expr(item)?, self.expr(list)?);
        let element = match &list.shape {
            Shape::List(element) => (**element).clone(),
            Shape::Map(_) => Shape::Text,
            _ => return Err(self.argument(expr, "in", "a value and a list or map", &[&item, &list])),
        };
        let element = Typed {
            shape: element,
            origin: list.origin.element(),
            cost: Cost::fixed(1),
        };
        self.comparable(expr, "in", &item, &element)?;
        let search = match list.origin.extent() {
            Some(extent) => Cost::each(extent, Cost::fixed(1)),
            None => return Err(self.not_in_rules(expr, "searching a list that was made here", "")),
        };
        Ok(computed(Shape::Bool, item.cost.and(list.cost).and(search)))
    }

    fn index(&mut self, expr: &IdedExpr, list: &IdedExpr, index: &IdedExpr) -> Result<Typed> {
        let (list, index) = (self.expr(list)?, self.expr(index)?);
        match (&list.shape, &index.shape) {
            (Shape::List(element), Shape::Int)
            | (Shape::Map(element), Shape::Text | Shape::Literal(_) | Shape::Choice(_)) => Ok(Typed {
                shape: (**element).clone(),
                origin: list.origin.element(),
                cost: list.cost.and(index.cost).and(Cost::fixed(1)),
            }),
            _ => Err(self.argument(expr, "[]", "a list and an int, or a map and a string", &[&list, &index])),
        }
    }

    fn add(&mut self, expr: &IdedExpr, left: &IdedExpr, right: &IdedExpr) -> Result<Typed> {
        // The step of `map` and `filter` appends to a variable that no rule can name.
        let appends = matches!(&left.expr, Expr::Ident(name) if name.starts_with('@'));
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        let cost = left.cost.clone().and(right.cost.clone()).and(Cost::fixed(1));
        let shape = match (&left.shape, &right.shape) {
            (Shape::Int, Shape::Int) => Shape::Int,
            (Shape::Time, Shape::Int) | (Shape::Int, Shape::Time) => Shape::Time,
            (
                Shape::Text | Shape::Choice(_) | Shape::Literal(_),
                Shape::Text | Shape::Choice(_) | Shape::Literal(_),
            ) => Shape::Text,
            (Shape::List(_), Shape::List(_)) if appends => {
                return Ok(Typed {
                    shape: self.unify(expr, &left.shape, &right.shape)?,
                    origin: right.origin,
                    cost,
                });
            }
            _ => {
                let expected = "two integers, a time and seconds, or two strings";
                return Err(self.argument(expr, "+", expected, &[&left, &right]));
            }
        };
        Ok(computed(shape, cost))
    }

    fn subtract(&mut self, expr: &IdedExpr, left: &IdedExpr, right: &IdedExpr) -> Result<Typed> {
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        let shape = match (&left.shape, &right.shape) {
            (Shape::Int, Shape::Int) | (Shape::Time, Shape::Time) => Shape::Int,
            (Shape::Time, Shape::Int) => Shape::Time,
            _ => {
                let expected = "two integers, two times, or a time and seconds";
                return Err(self.argument(expr, "-", expected, &[&left, &right]));
            }
        };
        Ok(computed(shape, left.cost.and(right.cost)))
    }

    fn size(&mut self, expr: &IdedExpr, list: &IdedExpr) -> Result<Typed> {
        let list = self.expr(list)?;
        match list.shape {
            Shape::List(_) | Shape::Map(_) | Shape::Text | Shape::Choice(_) | Shape::Literal(_) => {
                Ok(computed(Shape::Int, list.cost))
            }
            _ => Err(self.argument(expr, "size", "a list, a map or a string", &[&list])),
        }
    }

    fn text(&mut self, expr: &IdedExpr, name: &str, text: &IdedExpr, part: &IdedExpr) -> Result<Typed> {
        let (text, part) = (self.expr(text)?, self.expr(part)?);
        let is_text = |typed: &Typed| matches!(typed.shape, Shape::Text | Shape::Choice(_) | Shape::Literal(_));
        if is_text(&text) && is_text(&part) {
            return Ok(computed(Shape::Bool, text.cost.and(part.cost).and(Cost::fixed(2))));
        }
        Err(self.argument(expr, name, "two strings", &[&text, &part]))
    }

    fn time(&mut self, expr: &IdedExpr, text: &IdedExpr) -> Result<Typed> {
        let Expr::Literal(LiteralValue::String(text)) = &text.expr else {
            return Err(self.not_in_rules(
                expr,
                "time() of something that is no literal string",
                ": times in facts are times already",
            ));
        };
        match text.inner().parse::<Timestamp>() {
            Ok(_) => Ok(computed(Shape::Time, Cost::fixed(1))),
            Err(error) => Err(self.error(
                expr,
                Problem::Literal {
                    text: text.inner().to_owned(),
                    kind: "time",
                    message: error.to_string(),
                },
            )),
        }
    }

    /// A pattern must be written in the rule, and be one.
    fn pattern(&self, pattern: &IdedExpr) -> Result<()> {
        let Expr::Literal(LiteralValue::String(text)) = &pattern.expr else {
            return Err(self.not_in_rules(pattern, "a regular expression that is no literal string", ""));
        };
        let wrong = |message: &str| {
            self.error(
                pattern,
                Problem::Literal {
                    text: text.inner().chars().take(80).collect(),
                    kind: "regular expression",
                    message: message.to_owned(),
                },
            )
        };
        // Without counted repetition its automaton is about as large as its text.
        if text.inner().len() > MAX_PATTERN || text.inner().contains('{') {
            return Err(wrong("at most 200 characters and no {} are allowed"));
        }
        let trial = IdedExpr {
            id: pattern.id,
            expr: Expr::Call(CallExpr {
                func_name: "matches".to_owned(),
                target: Some(Box::new(pattern.clone())),
                args: vec![pattern.clone()],
            }),
        };
        cel::Value::resolve(&trial, &cel::Context::default())
            .map(|_| ())
            .map_err(|_| wrong("it does not compile"))
    }

    fn argument(
        &self,
        expr: &IdedExpr,
        name: &str,
        expected: &'static str,
        found: &[&Typed],
    ) -> crate::expression::ExpressionError {
        let found: Vec<_> = found.iter().map(|typed| typed.shape.to_string()).collect();
        self.error(
            expr,
            Problem::Argument {
                name: name.to_owned(),
                expected,
                found: found.join(" and "),
            },
        )
    }
}

/// The result of an operation of one step.
fn computed(shape: Shape, operands: Cost) -> Typed {
    Typed::computed(shape, operands.and(Cost::fixed(1)))
}

/// `==` for `_==_`.
fn bare(operator: &str) -> &str {
    operator.trim_matches(['_', '@'])
}
