//! `df.na`: fill, drop, replace.

use firesteel_functions::call::Typed;
use firesteel_functions::cast;
use firesteel_model::Result;
use firesteel_spec::expr::CastMode;
use firesteel_spec::{DataType, Expr, Relation};

use super::filter_plan;
use crate::attribute::Attribute;
use crate::error;
use crate::expr::{Item, Resolver};
use crate::planner::Planner;
use crate::resolved::Resolved;

impl Planner<'_> {
    /// `na.fill`: one value for all columns of its kind, or one value for each named column.
    pub(super) fn fill_na(&mut self, input: &Relation, columns: &[String], values: &[Expr]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let values = Resolver::new(self, &[]).values(values)?;
        let chosen = self.named_columns(&input, columns)?;
        let mut items = Vec::new();
        for attribute in input.output.iter().filter(|a| !a.is_hidden) {
            let place = chosen.iter().position(|c| c.column == attribute.column);
            let value = place.and_then(|place| if values.len() == 1 { values.first() } else { values.get(place) });
            items.push(match value {
                Some(value) if same_kind(&attribute.data_type, &value.data_type) => {
                    let filled = self.filled(attribute, value.clone())?;
                    Item::named(filled, &attribute.name)
                }
                _ => Item::pass(attribute),
            });
        }
        self.project(input.plan, input.output, items, None)
    }

    fn filled(&mut self, attribute: &Attribute, value: Typed) -> Result<Typed> {
        let value = self.cast_to(value, &attribute.data_type)?;
        let present = if is_floating(&attribute.data_type) {
            let null = self.null_of(&attribute.data_type)?;
            self.apply("nanvl", vec![attribute.typed(), null])?
        } else {
            attribute.typed()
        };
        self.apply("coalesce", vec![present, value])
    }

    /// `na.drop`: rows with too few values that are neither NULL nor NaN.
    pub(super) fn drop_na(
        &mut self,
        input: &Relation,
        columns: &[String],
        min_non_nulls: Option<i32>,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let chosen = self.named_columns(&input, columns)?;
        let mut present = Vec::new();
        for attribute in &chosen {
            let mut is_present = self.apply("isnotnull", vec![attribute.typed()])?;
            if is_floating(&attribute.data_type) {
                let is_nan = self.apply("isnan", vec![attribute.typed()])?;
                let is_number = self.apply("not", vec![is_nan])?;
                is_present = self.apply("and", vec![is_present, is_number])?;
            }
            present.push(is_present);
        }
        let needed = min_non_nulls.map_or(present.len(), |n| usize::try_from(n).unwrap_or(0));
        let condition = if needed >= present.len() && !present.is_empty() {
            let first = present.remove(0);
            present.into_iter().try_fold(first, |all, one| self.apply("and", vec![all, one]))?
        } else {
            let mut count = self.integer(0)?;
            for one in present {
                let (yes, no) = (self.integer(1)?, self.integer(0)?);
                let counted = self.apply("if", vec![one, yes, no])?;
                count = self.apply("+", vec![count, counted])?;
            }
            let needed = self.integer(i32::try_from(needed).unwrap_or(i32::MAX))?;
            self.apply(">=", vec![count, needed])?
        };
        let plan = filter_plan(input.plan, condition.expr)?;
        Ok(Resolved { plan, output: input.output, below: None })
    }

    /// `na.replace`: values of a kind, in the columns of that kind.
    pub(super) fn replace_na(
        &mut self,
        input: &Relation,
        columns: &[String],
        replacements: &[(Expr, Expr)],
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let chosen = self.named_columns(&input, columns)?;
        let mut pairs = Vec::new();
        for (from, to) in replacements {
            let mut resolver = Resolver::new(self, &[]);
            pairs.push((resolver.value(from)?, resolver.value(to)?));
        }
        let mut items = Vec::new();
        for attribute in input.output.iter().filter(|a| !a.is_hidden) {
            let is_chosen = chosen.iter().any(|c| c.column == attribute.column);
            let applies = pairs.iter().all(|(from, _)| same_kind(&attribute.data_type, &from.data_type));
            if !is_chosen || !applies || pairs.is_empty() {
                items.push(Item::pass(attribute));
                continue;
            }
            let mut branches = Vec::new();
            for (from, to) in &pairs {
                // What the column's type cannot hold, as BIGINT cannot hold NaN, is not among its values.
                let held = cast::cast(&self.context, from.clone(), &attribute.data_type, CastMode::Try)?;
                let equals = if from.data_type == DataType::Null { "<=>" } else { "==" };
                branches.push(self.apply(equals, vec![attribute.typed(), held])?);
                branches.push(self.cast_to(to.clone(), &attribute.data_type)?);
            }
            branches.push(attribute.typed());
            items.push(Item::named(self.apply("when", branches)?, &attribute.name));
        }
        self.project(input.plan, input.output, items, None)
    }

    /// The columns of these names in this order; all visible ones if none is named.
    pub(crate) fn named_columns(&self, input: &Resolved, names: &[String]) -> Result<Vec<Attribute>> {
        if names.is_empty() {
            return Ok(input.visible().cloned().collect());
        }
        let mut found = Vec::new();
        for name in names {
            let matching: Vec<_> = input.visible().filter(|a| self.names.same(&a.name, name)).cloned().collect();
            if matching.is_empty() {
                return Err(error::unresolved_column(std::slice::from_ref(name), &input.output));
            }
            found.extend(matching);
        }
        Ok(found)
    }
}

fn is_floating(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float | DataType::Double)
}

fn same_kind(column: &DataType, value: &DataType) -> bool {
    *value == DataType::Null
        || (column.is_numeric() && value.is_numeric())
        || (column.is_string() && value.is_string())
        || (*column == DataType::Boolean && *value == DataType::Boolean)
}
