//! Views: their query by itself, under their own names, settings and types.

use firesteel_functions::call::FunctionContext;
use firesteel_functions::cast::{can_cast, can_up_cast};
use firesteel_functions::coercion;
use firesteel_functions::origin::Origin;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::ViewSchemaMode;
use firesteel_spec::types::{quote, quote_name};
use firesteel_spec::{Relation, StructField};

use crate::attribute::{Attribute, FILE_OF_ROW, NameMatch};
use crate::environment::StoredView;
use crate::planner::Planner;
use crate::resolved::Resolved;

impl Planner<'_> {
    /// A view's rows.
    ///
    /// Errors: `INCOMPATIBLE_VIEW_SCHEMA_CHANGE`, `CANNOT_UP_CAST_DATATYPE` and those of casts where the columns below
    /// a stored view are not what they were.
    pub(super) fn view(
        &mut self,
        query: &Relation,
        columns: &[String],
        name: &[String],
        stored: Option<&StoredView>,
    ) -> Result<Resolved> {
        let place = self.text.clone().zip(self.place);
        let origin = place.map(|(text, span)| Origin::of_sql(&text, span.start, span.stop)).unwrap_or_default();
        let mut resolved = self.by_itself(query, stored)?;
        if let Some(stored) = stored {
            resolved = self.as_stored(resolved, columns, name, stored, origin)?;
        }
        let mut names = columns.iter();
        for attribute in &mut resolved.output {
            attribute.qualifier = name.to_vec();
            if let Some(name) = names.next() {
                attribute.name.clone_from(name);
            }
        }
        Ok(Resolved { below: None, ..resolved })
    }

    /// The query without what stands around the view's name; that of a stored view under the settings of its making.
    fn by_itself(&mut self, query: &Relation, stored: Option<&StoredView>) -> Result<Resolved> {
        let (ctes, outer) = (std::mem::take(&mut self.ctes), std::mem::take(&mut self.outer));
        let (windows, text) = (std::mem::take(&mut self.windows), self.text.take());
        let (context, names, schema) = (self.context.clone(), self.names, self.view_schema.take());
        if let Some(stored) = stored {
            self.context.ansi = stored.ansi.unwrap_or(context.ansi);
            self.names = NameMatch { case_sensitive: stored.case_sensitive.unwrap_or(names.case_sensitive) };
            self.view_schema = Some(stored.schema.clone());
        }
        let resolved = self.nested(|planner| planner.relation(query));
        (self.ctes, self.outer, self.windows, self.text) = (ctes, outer, windows, text);
        (self.context, self.names, self.view_schema) = (context, names, schema);
        let mut resolved = resolved?;
        if !self.input_files.kept || stored.is_some() {
            self.input_files.lost |= self.input_files.kept && resolved.output.iter().any(Attribute::tells_file);
            return super::set::visible_only(self, resolved);
        }
        resolved.output.retain(|attribute| !attribute.is_hidden || attribute.tells_file());
        resolved.output.iter_mut().filter(|a| a.is_hidden).for_each(|a| a.name = FILE_OF_ROW.to_owned());
        Ok(Resolved { below: None, ..resolved })
    }

    /// The query's columns as those of the stored view.
    fn as_stored(
        &mut self,
        resolved: Resolved,
        columns: &[String],
        name: &[String],
        stored: &StoredView,
        origin: Origin,
    ) -> Result<Resolved> {
        if stored.mode == Some(ViewSchemaMode::Evolution) && columns.is_empty() {
            return self.evolved(resolved, name, stored);
        }
        let follows = matches!(stored.mode, Some(ViewSchemaMode::Evolution | ViewSchemaMode::TypeEvolution));
        let context = FunctionContext { ansi: true, origin, ..self.context.clone() };
        let sources = self.sources(&resolved, columns, name, stored)?;
        let mut values = Vec::new();
        let mut fields = stored.fields.clone();
        for (attribute, field) in sources.into_iter().zip(&mut fields) {
            let value = attribute.typed();
            if follows {
                field.data_type = attribute.data_type.clone();
                values.push((field.name.clone(), value));
                continue;
            }
            if stored.mode != Some(ViewSchemaMode::Binding) {
                if !can_cast(&value.data_type, &field.data_type, true) {
                    let failure = SparkError::new(&error_class::DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION)
                        .param("sqlExpr", format!("\"{}\"", attribute.name))
                        .param("srcType", coercion::type_sql(&value.data_type))
                        .param("targetType", coercion::type_sql(&field.data_type));
                    return Err(context.origin.locate(failure));
                }
            } else if !can_up_cast(&value.data_type, &field.data_type) {
                return Err(narrower(&attribute, field));
            }
            values.push((field.name.clone(), coercion::convert(&context, value, &field.data_type)?));
        }
        if fields != stored.fields {
            self.env.view_changed(name, &fields, &stored.query_columns)?;
        }
        self.project_named(resolved, values)
    }

    /// A view whose columns are always those of its query.
    fn evolved(&mut self, resolved: Resolved, name: &[String], stored: &StoredView) -> Result<Resolved> {
        let fields: Vec<StructField> = resolved.output.iter().map(field_of).collect();
        for (index, field) in fields.iter().enumerate() {
            if fields[..index].iter().any(|other| self.names.same(&other.name, &field.name)) {
                return Err(SparkError::new(&error_class::COLUMN_ALREADY_EXISTS)
                    .param("columnName", quote(&field.name.to_lowercase())));
            }
        }
        if fields != stored.fields {
            let names: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
            self.env.view_changed(name, &fields, &names)?;
        }
        Ok(resolved)
    }

    /// For each column of the view, that of the query: the one of its old name, or of its place.
    fn sources(
        &self,
        resolved: &Resolved,
        columns: &[String],
        name: &[String],
        stored: &StoredView,
    ) -> Result<Vec<Attribute>> {
        let known = &stored.query_columns;
        if known.is_empty() {
            return Ok(resolved.output.clone());
        }
        let mut sources = Vec::new();
        for (index, wanted) in known.iter().enumerate() {
            let found: Vec<&Attribute> =
                resolved.output.iter().filter(|attribute| self.names.same(&attribute.name, wanted)).collect();
            let expected = known.iter().filter(|other| self.names.same(other, wanted)).count();
            let before = known[..index].iter().filter(|other| self.names.same(other, wanted)).count();
            match found.get(before) {
                Some(attribute) if found.len() == expected => sources.push((*attribute).clone()),
                _ => return Err(lost(wanted, &found, expected, columns, name, stored)),
            }
        }
        Ok(sources)
    }
}

fn field_of(attribute: &Attribute) -> StructField {
    StructField {
        metadata: attribute.metadata.clone(),
        ..StructField::new(&attribute.name, attribute.data_type.clone(), attribute.nullable)
    }
}

fn narrower(attribute: &Attribute, field: &StructField) -> SparkError {
    let path: Vec<_> = attribute.qualifier.iter().chain([&attribute.name]).cloned().collect();
    SparkError::new(&error_class::CANNOT_UP_CAST_DATATYPE)
        .param("expression", path.join("."))
        .param("sourceType", coercion::type_sql(&attribute.data_type))
        .param("targetType", coercion::type_sql(&field.data_type))
        .param(
            "details",
            "The type path of the target object is:\n\nYou can either add an explicit cast to the input data or choose \
             a higher precision type of the field in the target object",
        )
}

fn lost(
    wanted: &str,
    found: &[&Attribute],
    expected: usize,
    columns: &[String],
    name: &[String],
    stored: &StoredView,
) -> SparkError {
    let named = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    let found: Vec<_> = found.iter().map(|attribute| attribute.name.as_str()).collect();
    SparkError::new(&error_class::INCOMPATIBLE_VIEW_SCHEMA_CHANGE)
        .param("viewName", quote_name(name))
        .param("colName", wanted)
        .param("expectedNum", expected.to_string())
        .param("actualCols", format!("[{}]", found.join(",")))
        .param("suggestion", format!("CREATE OR REPLACE VIEW {}{named} AS {}", name.join("."), stored.text))
}
