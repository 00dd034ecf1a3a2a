//! What relations read, and whether two have the same nodes.

use std::mem::discriminant;

use crate::relation::{Relation, RelationNode};

impl Relation {
    /// The relations that it stands upon, in order; those in subqueries of its expressions are not among them.
    pub fn inputs(&self) -> Vec<&Relation> {
        match self.node.as_ref() {
            RelationNode::OneRow
            | RelationNode::Table { .. }
            | RelationNode::IdentifierTable { .. }
            | RelationNode::DataSource(_)
            | RelationNode::LocalRelation { .. }
            | RelationNode::CachedLocalRelation { .. }
            | RelationNode::Values(_)
            | RelationNode::Range { .. }
            | RelationNode::CachedRemoteRelation(_)
            | RelationNode::TableFunction(_)
            | RelationNode::PythonTableFunction(_)
            | RelationNode::Catalog(_)
            | RelationNode::Command(_)
            | RelationNode::Sql { .. } => Vec::new(),
            RelationNode::Unpivot(unpivot) => vec![&unpivot.input],
            RelationNode::With { input, ctes, .. } => {
                ctes.iter().map(|cte| &cte.query).chain(std::iter::once(input)).collect()
            }
            RelationNode::WithRelations { input, references } => std::iter::once(input).chain(references).collect(),
            RelationNode::Join(join) => vec![&join.left, &join.right],
            RelationNode::AsOfJoin(join) => vec![&join.left, &join.right],
            RelationNode::SetOperation { left, right, .. } | RelationNode::CoGroupMap { left, right, .. } => {
                vec![left, right]
            }
            RelationNode::Project { input, .. }
            | RelationNode::Filter { input, .. }
            | RelationNode::Having { input, .. }
            | RelationNode::Qualify { input, .. }
            | RelationNode::Sort { input, .. }
            | RelationNode::Limit { input, .. }
            | RelationNode::Offset { input, .. }
            | RelationNode::Tail { input, .. }
            | RelationNode::Aggregate { input, .. }
            | RelationNode::Pivot { input, .. }
            | RelationNode::Transpose { input, .. }
            | RelationNode::Alias { input, .. }
            | RelationNode::Hint { input, .. }
            | RelationNode::Deduplicate { input, .. }
            | RelationNode::Sample { input, .. }
            | RelationNode::SampleRows { input, .. }
            | RelationNode::Repartition { input, .. }
            | RelationNode::ToDf { input, .. }
            | RelationNode::ToSchema { input, .. }
            | RelationNode::WithColumns { input, .. }
            | RelationNode::WithColumnsRenamed { input, .. }
            | RelationNode::Drop { input, .. }
            | RelationNode::LateralView { input, .. }
            | RelationNode::WithWindows { input, .. }
            | RelationNode::Watermark { input, .. }
            | RelationNode::CollectMetrics { input, .. }
            | RelationNode::Parse { input, .. }
            | RelationNode::ShowString { input, .. }
            | RelationNode::HtmlString { input, .. }
            | RelationNode::FillNa { input, .. }
            | RelationNode::DropNa { input, .. }
            | RelationNode::ReplaceNa { input, .. }
            | RelationNode::Summary { input, .. }
            | RelationNode::Describe { input, .. }
            | RelationNode::Crosstab { input, .. }
            | RelationNode::Cov { input, .. }
            | RelationNode::Corr { input, .. }
            | RelationNode::ApproxQuantile { input, .. }
            | RelationNode::FreqItems { input, .. }
            | RelationNode::SampleBy { input, .. }
            | RelationNode::MapPartitions { input, .. }
            | RelationNode::GroupMap { input, .. } => vec![input],
        }
    }

    /// Whether both have the same kinds of nodes, all the way down: told at the first difference, without a look at what
    /// the nodes say.
    pub fn has_nodes_of(&self, other: &Relation) -> bool {
        if discriminant(self.node.as_ref()) != discriminant(other.node.as_ref()) {
            return false;
        }
        let (own, others) = (self.inputs(), other.inputs());
        own.len() == others.len() && own.into_iter().zip(others).all(|(own, other)| own.has_nodes_of(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: usize) -> Relation {
        let named = |input| Relation::new(RelationNode::ToDf { input, names: Vec::new() });
        (0..count).fold(Relation::new(RelationNode::OneRow), |input, _| named(input))
    }

    #[test]
    fn nodes_are_compared_all_the_way_down() {
        assert!(chain(3).has_nodes_of(&chain(3)));
        assert!(!chain(3).has_nodes_of(&chain(4)) && !chain(4).has_nodes_of(&chain(3)));
        assert_eq!(chain(3).inputs().len(), 1);
    }
}
