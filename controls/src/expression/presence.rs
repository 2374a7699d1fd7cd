//! Which optional fields are certain to be present where an expression came out true, or false: what `has()` guards.

use std::collections::BTreeSet;

use cel::common::ast::{Expr, IdedExpr, operators};

/// The path that an expression spells, such as `facts.kernel` or `v.luks`: names and fields only.
pub(super) fn path(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            let mut path = path(&select.operand)?;
            path.push('.');
            path.push_str(&select.field);
            Some(path)
        }
        _ => None,
    }
}

/// Paths that are present whenever `expr` evaluates to `truth`.
pub(super) fn present_if(expr: &IdedExpr, truth: bool) -> BTreeSet<String> {
    match &expr.expr {
        Expr::Select(select) if select.test && truth => path(&select.operand)
            .map(|mut path| {
                path.push('.');
                path.push_str(&select.field);
                path
            })
            .into_iter()
            .collect(),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [operand]) => present_if(operand, !truth),
            (operators::LOGICAL_AND, [left, right]) => both(left, right, truth, truth),
            (operators::LOGICAL_OR, [left, right]) => both(left, right, truth, !truth),
            _ => BTreeSet::new(),
        },
        _ => BTreeSet::new(),
    }
}

/// If `conjunction`, both operands are known to be `truth`, else at least one is.
fn both(left: &IdedExpr, right: &IdedExpr, truth: bool, conjunction: bool) -> BTreeSet<String> {
    let (left, right) = (present_if(left, truth), present_if(right, truth));
    if conjunction {
        left.union(&right).cloned().collect()
    } else {
        left.intersection(&right).cloned().collect()
    }
}
