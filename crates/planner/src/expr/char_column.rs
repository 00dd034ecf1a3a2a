//! CHAR columns of tables: blanks fill them up when they are read and do not count when they are compared.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr as DfExpr;
use firesteel_functions::call::Typed;
use firesteel_functions::cast::fill_up;
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::Resolver;
use crate::attribute::Attribute;

/// The comparisons that CHAR columns are filled up for.
const COMPARISONS: [&str; 9] = ["==", "=", "!=", "<=>", "<", "<=", ">", ">=", "in"];

impl Resolver<'_, '_> {
    /// The operands of a comparison, CHAR columns and what they are compared with brought to one length.
    pub(super) fn compared(&self, name: &str, operands: Vec<Typed>) -> Result<Vec<Typed>> {
        if !COMPARISONS.contains(&name) {
            return Ok(operands);
        }
        let lengths: Vec<Option<u32>> = operands.iter().map(|operand| self.char_length(operand)).collect();
        if lengths.iter().all(Option::is_none) {
            return Ok(operands);
        }
        let texts = operands.iter().map(constant_length);
        let known: Option<Vec<u32>> = lengths.iter().zip(texts).map(|(column, text)| column.or(text)).collect();
        // A column of plain text is compared as it is.
        let Some(longest) = known.and_then(|known| known.into_iter().max()) else { return Ok(operands) };
        let context = &self.planner.context;
        operands.into_iter().map(|operand| fill_up(context, operand, longest)).collect()
    }

    /// The length of a CHAR column.
    fn char_length(&self, operand: &Typed) -> Option<u32> {
        let (DfExpr::Column(column) | DfExpr::OuterReferenceColumn(_, column)) = &operand.expr else { return None };
        let outer = self.planner.outer.iter().flat_map(|scope| &scope.attributes);
        let attribute = self.input.iter().chain(outer).find(|attribute| attribute.column == column.name)?;
        attribute.char_length()
    }
}

/// The length of constant text.
fn constant_length(operand: &Typed) -> Option<u32> {
    match &operand.expr {
        DfExpr::Literal(ScalarValue::Utf8(Some(text)), _) => u32::try_from(text.chars().count()).ok(),
        _ => None,
    }
}

impl Attribute {
    /// The length of a column that its table declares as CHAR.
    pub(crate) fn char_length(&self) -> Option<u32> {
        self.metadata.as_ref()?;
        match self.field().declared_type()? {
            DataType::Char(length) => Some(length),
            _ => None,
        }
    }
}
