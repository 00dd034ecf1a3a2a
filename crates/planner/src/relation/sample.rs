//! Samples: by share, with replacement, by stratum.

use firesteel_functions::call::{GeneratorKind, Typed};
use firesteel_model::Result;
use firesteel_spec::{Expr, Literal, Relation};

use super::filter_plan;
use crate::attribute::Attribute;
use crate::expr::{ExtractedGenerator, Resolver};
use crate::planner::Planner;
use crate::resolved::Resolved;

/// Copies of a row beyond this are not drawn: with the shares that make sense their probability is nil.
const COPIES_MAX: i32 = 32;

impl Planner<'_> {
    /// TABLESAMPLE and `df.sample`.
    pub(super) fn sample(
        &mut self,
        input: &Relation,
        (lower, upper): (f64, f64),
        with_replacement: bool,
        seed: Option<i64>,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let draw = self.random(seed)?;
        if with_replacement {
            return self.sample_with_replacement(input, draw, upper - lower);
        }
        let from = self.double(lower)?;
        let to = self.double(upper)?;
        let drawn = self.attribute("draw", &draw);
        let mut exprs: Vec<_> = input.output.iter().map(Attribute::expr).collect();
        exprs.push(draw.expr.alias(drawn.column.clone()));
        let with_draw = self.project_exprs(input.clone(), exprs)?;
        let above = self.apply(">=", vec![drawn.typed(), from])?;
        let below = self.apply("<", vec![drawn.typed(), to])?;
        let kept = self.apply("and", vec![above, below])?;
        let plan = filter_plan(with_draw.plan, kept.expr)?;
        let columns = input.output.iter().map(Attribute::expr).collect();
        self.project_exprs(Resolved::new(plan, input.output), columns)
    }

    /// Each row comes as often as a Poisson draw says.
    fn sample_with_replacement(&mut self, input: Resolved, draw: Typed, mean: f64) -> Result<Resolved> {
        let drawn = self.attribute("draw", &draw);
        let mut exprs: Vec<_> = input.output.iter().map(Attribute::expr).collect();
        exprs.push(draw.expr.alias(drawn.column.clone()));
        let with_draw = self.project_exprs(input.clone(), exprs)?;
        let (mut branches, mut probability, mut below) = (Vec::new(), (-mean).exp(), 0.0);
        for copies in 0..COPIES_MAX {
            below += probability;
            let limit = self.double(below)?;
            branches.push(self.apply("<", vec![drawn.typed(), limit])?);
            branches.push(self.integer(copies)?);
            probability *= mean / f64::from(copies + 1);
        }
        branches.push(self.integer(COPIES_MAX)?);
        let copies = self.apply("when", branches)?;
        let one = self.integer(1)?;
        let row = self.apply("struct", vec![one])?;
        let rows = self.apply("array_repeat", vec![row, copies])?;
        let generated =
            ExtractedGenerator { rows: rows.expr, kind: GeneratorKind::Inner, columns: Vec::new(), sql: rows.sql };
        let plan = self.unnest(with_draw.plan, &input.output, &generated)?;
        Ok(Resolved::new(plan, input.output))
    }

    /// `stat.sampleBy`: a share of each stratum; strata without a share are left out.
    pub(super) fn sample_by(
        &mut self,
        input: &Relation,
        column: &Expr,
        fractions: &[(Expr, f64)],
        seed: Option<i64>,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let stratum = Resolver::new(self, &input.output).value(column)?;
        let mut branches = Vec::new();
        for (value, fraction) in fractions {
            let value = Resolver::new(self, &[]).value(value)?;
            branches.push(self.apply("<=>", vec![stratum.clone(), value])?);
            branches.push(self.double(*fraction)?);
        }
        branches.push(self.double(0.0)?);
        let share = self.apply("when", branches)?;
        let draw = self.random(seed)?;
        let kept = self.apply("<", vec![draw, share])?;
        let plan = filter_plan(input.plan, kept.expr)?;
        Ok(Resolved { plan, output: input.output, below: None })
    }

    fn random(&mut self, seed: Option<i64>) -> Result<Typed> {
        match seed {
            Some(seed) => {
                let seed = firesteel_functions::literal::typed(&Literal::Long(seed), &self.context)?;
                self.apply("rand", vec![seed])
            }
            None => self.apply("rand", Vec::new()),
        }
    }

    fn double(&self, value: f64) -> Result<Typed> {
        firesteel_functions::literal::typed(&Literal::Double(value), &self.context)
    }
}
