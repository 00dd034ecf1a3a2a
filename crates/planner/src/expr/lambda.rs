//! `x -> body`: resolved once the function knows the types of its parameters.

use std::cell::RefCell;

use firesteel_functions::call::{LambdaBody, Typed};
use firesteel_model::Result;
use firesteel_spec::{DataType, Expr};

use super::Resolver;
use super::name::LAMBDA_VARIABLE;
use crate::attribute::Attribute;

/// A lambda waiting for the types of its parameters.
pub(super) struct DeferredLambda<'l, 'r, 'p, 'e> {
    pub(super) resolver: &'l RefCell<&'r mut Resolver<'p, 'e>>,
    pub(super) parameters: &'l [String],
    pub(super) body: &'l Expr,
    /// Not a lambda but a value in its place.
    pub(super) is_constant: bool,
}

impl LambdaBody for DeferredLambda<'_, '_, '_, '_> {
    fn arity(&self) -> usize {
        self.parameters.len()
    }

    fn is_constant(&self) -> bool {
        self.is_constant
    }

    fn resolve(&mut self, names: &[String], parameters: &[(DataType, bool)]) -> Result<Typed> {
        let mut resolver = self.resolver.borrow_mut();
        let depth = resolver.planner.lambdas.len();
        for ((user_name, column), (data_type, nullable)) in self.parameters.iter().zip(names).zip(parameters) {
            let attribute = Attribute {
                column: column.clone(),
                name: user_name.clone(),
                qualifier: Vec::new(),
                data_type: data_type.clone(),
                nullable: *nullable,
                metadata: None,
                is_hidden: false,
            };
            resolver.planner.lambdas.push((user_name.clone(), attribute));
        }
        let body = resolver.value(self.body);
        resolver.planner.lambdas.truncate(depth);
        body
    }

    fn user_names(&self) -> Vec<String> {
        self.parameters.iter().map(|_| LAMBDA_VARIABLE.to_owned()).collect()
    }
}
