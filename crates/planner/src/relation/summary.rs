//! `describe` and `summary`: one row per statistic, every value as text.

use firesteel_functions::call::{CallModifiers, GeneratorKind, Typed};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, Literal, Relation};

use crate::attribute::Attribute;
use crate::expr::{Extracted, ExtractedGenerator};
use crate::planner::Planner;
use crate::resolved::Resolved;

const DESCRIBED: [&str; 5] = ["count", "mean", "stddev", "min", "max"];
const SUMMARISED: [&str; 8] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];

impl Planner<'_> {
    /// `describe`
    pub(super) fn describe(&mut self, input: &Relation, columns: &[String]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let chosen = self.named_columns(&input, columns)?;
        let statistics: Vec<_> = DESCRIBED.iter().map(|s| (*s).to_owned()).collect();
        self.statistics(input, chosen, &statistics)
    }

    /// `summary`
    pub(super) fn summary(&mut self, input: &Relation, statistics: &[String]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let chosen = input.visible().cloned().collect();
        if statistics.is_empty() {
            let all: Vec<_> = SUMMARISED.iter().map(|s| (*s).to_owned()).collect();
            return self.statistics(input, chosen, &all);
        }
        self.statistics(input, chosen, statistics)
    }

    fn statistics(&mut self, input: Resolved, columns: Vec<Attribute>, statistics: &[String]) -> Result<Resolved> {
        let described = |a: &Attribute| a.data_type.is_numeric() || a.data_type.is_string();
        let columns: Vec<_> = columns.into_iter().filter(described).collect();
        let mut aggregates: Vec<Extracted> = Vec::new();
        let mut rows = Vec::new();
        for statistic in statistics {
            let mut row = vec![self.string("summary")?, self.string(statistic)?];
            for column in &columns {
                let value = self.statistic(statistic, column, &mut aggregates)?;
                row.push(self.string(&column.name)?);
                row.push(self.cast_to(value, &DataType::STRING)?);
            }
            rows.push(self.apply("named_struct", row)?);
        }
        let rows = self.apply("array", rows)?;
        let plan = if aggregates.is_empty() {
            self.relation(&Relation::new(firesteel_spec::RelationNode::OneRow))?.plan
        } else {
            self.aggregate_plan(input.plan, &super::grouping::Grouped::global(), &aggregates)?
        };
        let mut output = vec![self.attribute_of("summary", DataType::STRING, true)];
        output.extend(columns.iter().map(|c| self.attribute_of(&c.name, DataType::STRING, true)).collect::<Vec<_>>());
        let generated =
            ExtractedGenerator { rows: rows.expr, kind: GeneratorKind::Inner, columns: output.clone(), sql: rows.sql };
        let plan = self.unnest(plan, &[], &generated)?;
        Ok(Resolved::new(plan, output))
    }

    fn statistic(&mut self, statistic: &str, column: &Attribute, aggregates: &mut Vec<Extracted>) -> Result<Typed> {
        let numeric = || -> Result<Typed> { Ok(column.typed()) };
        let is_text = column.data_type.is_string();
        let lower = statistic.to_lowercase();
        let (name, arguments) = match lower.as_str() {
            "count" | "min" | "max" | "count_distinct" | "approx_count_distinct" => {
                (lower.as_str(), vec![column.typed()])
            }
            "mean" | "stddev" if is_text => {
                let value = firesteel_functions::cast::cast(
                    &self.context,
                    column.typed(),
                    &DataType::Double,
                    firesteel_spec::expr::CastMode::Try,
                )?;
                (if lower == "mean" { "avg" } else { "stddev" }, vec![value])
            }
            "mean" => ("avg", vec![numeric()?]),
            "stddev" => ("stddev", vec![numeric()?]),
            percentile if percentile.ends_with('%') => {
                if is_text {
                    return self.null_of(&DataType::STRING);
                }
                let share: f64 = percentile.trim_end_matches('%').parse().map_err(|_| unknown(statistic))?;
                if !(0.0..=100.0).contains(&share) {
                    return Err(unknown(statistic));
                }
                let share = firesteel_functions::literal::typed(&Literal::Double(share / 100.0), &self.context)?;
                ("percentile_approx", vec![column.typed(), share])
            }
            _ => return Err(unknown(statistic)),
        };
        let modifiers = CallModifiers { is_distinct: name == "count_distinct", ..CallModifiers::default() };
        let name = if name == "count_distinct" { "count" } else { name };
        let applied = self.apply_aggregate(name, arguments, &modifiers)?;
        aggregates.push(applied.extracted);
        Ok(applied.value)
    }
}

fn unknown(statistic: &str) -> SparkError {
    SparkError::new(&error_class::UNRECOGNIZED_STATISTIC).param("stats", format!("'{statistic}'"))
}
