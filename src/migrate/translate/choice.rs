//! Values of which one is taken: `CASE`, `coalesce` and its like.

use sqlparser::ast::{CaseWhen, Expr};

use super::Refusal;
use super::arithmetic::{common, is_number};
use super::decimal::collated;
use super::expression::constant_kind;
use super::literal::Literal;
use super::scope::Scope;
use crate::catalog::TypeKind;

impl Scope<'_> {
    /// The kind that several values are brought to: that of numbers is the one that holds all, else the first decides.
    pub(super) fn common_kind(&self, values: &[&Expr]) -> Option<TypeKind> {
        // Each is asked once: a kind may be that of a whole query.
        let given: Vec<&&Expr> = values.iter().filter(|value| !is_null(value)).collect();
        let kinds: Vec<Option<TypeKind>> = given.iter().map(|value| self.kind(value)).collect();
        let both = || kinds.iter().zip(&given).map(|(kind, value)| constant_kind(value).or_else(|| kind.clone()));
        if both().all(|kind| kind.as_ref().is_some_and(is_number)) {
            return both().flatten().reduce(common);
        }
        kinds.iter().flatten().next().cloned().or_else(|| both().flatten().next())
    }

    pub(super) fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Result<String, Refusal> {
        let compared: Vec<&Expr> = operand.into_iter().chain(conditions.iter().map(|when| &when.condition)).collect();
        let are_decimals = operand.is_some() && self.compared_as(&compared).is_some();
        let results = self.alike(&results_of(conditions, otherwise))?;
        let mut case = "CASE".to_owned();
        if let Some(operand) = operand {
            let operand = if are_decimals { collated(&self.decimal(operand)?) } else { self.operand_as_held(operand)? };
            case += &format!(" {operand}");
        }
        for (when, result) in conditions.iter().zip(&results) {
            let condition = match operand {
                Some(_) if are_decimals => self.decimal(&when.condition)?,
                Some(operand) => self.comparand(&when.condition, operand)?,
                None => self.write(&when.condition)?,
            };
            case += &format!(" WHEN {condition} THEN {result}");
        }
        if let (Some(_), Some(result)) = (otherwise, results.last()) {
            case += &format!(" ELSE {result}");
        }
        Ok(case + " END")
    }

    /// True for numbers that are written as the texts of decimals when one of them is taken.
    pub(super) fn are_decimals(&self, values: &[&Expr]) -> bool {
        self.functions.get().are_extended() && self.common_kind(values).is_some_and(|kind| kind.is_wide())
    }

    /// Writes values of which one is taken: decimals all as text when one is.
    pub(super) fn alike(&self, values: &[&Expr]) -> Result<Vec<String>, Refusal> {
        let are_decimals = self.are_decimals(values);
        let write = |value: &&Expr| {
            if are_decimals && !is_null(value) { self.decimal(value) } else { self.write(value) }
        };
        values.iter().map(write).collect()
    }
}

fn is_null(value: &Expr) -> bool {
    matches!(Literal::read(value), Some(Literal::Null))
}

/// What a `CASE` may give.
pub(super) fn results_of<'e>(conditions: &'e [CaseWhen], otherwise: Option<&'e Expr>) -> Vec<&'e Expr> {
    conditions.iter().map(|when| &when.result).chain(otherwise).collect()
}
