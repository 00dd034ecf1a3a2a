//! `df.na` and `df.stat`.

use firesteel_model::{Result, SparkError};
use firesteel_spec::Expr;
use firesteel_spec::relation::RelationNode;
use spark_connect_proto as proto;
use spark_connect_proto::relation::RelType;

use super::expression::expression;
use super::literal::literal_expr;
use super::missing;
use super::relation::input;

/// A relation that fills, drops, replaces, counts or samples.
pub(crate) fn of_kind(kind: RelType) -> Result<RelationNode> {
    Ok(match kind {
        RelType::FillNa(fill) => RelationNode::FillNa {
            input: input(fill.input)?,
            columns: fill.cols,
            values: fill.values.into_iter().map(literal_expr).collect::<Result<_>>()?,
        },
        RelType::DropNa(drop) => {
            RelationNode::DropNa { input: input(drop.input)?, columns: drop.cols, min_non_nulls: drop.min_non_nulls }
        }
        RelType::Replace(replace) => RelationNode::ReplaceNa {
            input: input(replace.input)?,
            columns: replace.cols,
            replacements: replace.replacements.into_iter().map(replacement).collect::<Result<_>>()?,
        },
        RelType::Summary(summary) => {
            RelationNode::Summary { input: input(summary.input)?, statistics: summary.statistics }
        }
        RelType::Describe(describe) => RelationNode::Describe { input: input(describe.input)?, columns: describe.cols },
        RelType::Crosstab(tab) => {
            RelationNode::Crosstab { input: input(tab.input)?, first: tab.col1, second: tab.col2 }
        }
        RelType::Cov(cov) => RelationNode::Cov { input: input(cov.input)?, first: cov.col1, second: cov.col2 },
        RelType::Corr(corr) => {
            RelationNode::Corr { input: input(corr.input)?, first: corr.col1, second: corr.col2, method: corr.method }
        }
        RelType::ApproxQuantile(quantile) => RelationNode::ApproxQuantile {
            input: input(quantile.input)?,
            columns: quantile.cols,
            probabilities: quantile.probabilities,
            relative_error: quantile.relative_error,
        },
        RelType::FreqItems(items) => {
            RelationNode::FreqItems { input: input(items.input)?, columns: items.cols, support: items.support }
        }
        RelType::SampleBy(sample) => RelationNode::SampleBy {
            input: input(sample.input)?,
            column: expression(sample.col.ok_or_else(|| missing("the column of sampleBy"))?)?,
            fractions: sample.fractions.into_iter().map(fraction).collect::<Result<_>>()?,
            seed: sample.seed,
        },
        other => return Err(SparkError::internal(format!("no decoder for a statistic: {other:?}"))),
    })
}

fn replacement(message: proto::na_replace::Replacement) -> Result<(Expr, Expr)> {
    Ok((
        literal_expr(message.old_value.ok_or_else(|| missing("old_value"))?)?,
        literal_expr(message.new_value.ok_or_else(|| missing("new_value"))?)?,
    ))
}

fn fraction(message: proto::stat_sample_by::Fraction) -> Result<(Expr, f64)> {
    Ok((literal_expr(message.stratum.ok_or_else(|| missing("a stratum"))?)?, message.fraction))
}
