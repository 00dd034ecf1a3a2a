//! `from_xml`, `to_xml` and `schema_of_xml`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::dom::{Document, Kind, NodeId};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::families::args::Args;
use crate::families::collection::gather::{entries, range};
use crate::families::csv::formats;
use crate::families::json::convert::{constant_text, option, options_of, schema_of, style};
use crate::families::json::read::{column, structs};
use crate::families::json::schema::{infer, without_null};
use crate::families::json::value::Json;
use crate::families::json::write::{Style, moment, text};
use crate::families::rows::{TEXT, definitions, kernels, text_literal};
use crate::udf;

definitions! {
    "from_xml" (2, 3), Scalar(from_xml), "the struct that an XML text stands for";
    "to_xml" (1, 2), Scalar(to_xml), "a struct as XML";
    "schema_of_xml" (1, 2), Scalar(schema_of_xml), "the type of an XML text";
}

kernels! {
    "from_xml" raising => read;
    "to_xml" => write;
}

/// Before the names of attributes.
const ATTRIBUTE: &str = "_";
/// Name of an element's own text, where it has attributes too.
const OWN_TEXT: &str = "_VALUE";
/// Name of the field that takes malformed texts, unless the options say otherwise.
const CORRUPT: &str = "_corrupt_record";

fn malformed(record: &str) -> SparkError {
    SparkError::new(&error_class::MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION)
        .param("badRecord", record)
        .param("failFastMode", "FAILFAST")
}

fn from_xml(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = format!("from_xml({})", arguments[0].sql);
    let options = options_of(&sql, arguments.get(2))?;
    let result = schema_of(&arguments[1])?;
    if !matches!(result, DataType::Struct(_)) {
        return Err(SparkError::unsupported(format!("from_xml into {}", result.sql())));
    }
    arguments.truncate(1);
    let arguments = coercion::coerce_arguments(ctx, "from_xml", arguments, &[TEXT])?;
    udf::call_with(ctx, "from_xml", arguments, result, true, sql, options)
}

fn read(a: &Args) -> Result<ArrayRef> {
    let DataType::Struct(fields) = &a.context.result else { return Err(SparkError::internal("a struct is none")) };
    let (texts, formats) = (a.text(0)?, formats(a)?);
    let corrupt = option(a, "columnnameofcorruptrecord").unwrap_or(CORRUPT);
    let has_attributes = !option(a, "excludeattribute").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let fails = option(a, "mode").is_some_and(|mode| mode.eq_ignore_ascii_case("failfast"));
    let mut parsed = Vec::with_capacity(a.rows);
    for row in 0..a.rows {
        let document = if texts.is_null(row) { None } else { Document::parse(texts.value(row).trim()) };
        if document.is_none() && texts.is_valid(row) {
            if fails {
                return Err(malformed(texts.value(row)));
            }
            let record = vec![(corrupt.to_owned(), Json::Text(texts.value(row).to_owned()))];
            parsed.push(Some(Json::Object(record)));
            continue;
        }
        parsed.push(
            document.map(|document| shaped(&document, document.element(), Some(&a.context.result), has_attributes)),
        );
    }
    let columns = fields.iter().map(|field| {
        let values: Vec<_> = parsed.iter().map(|json| json.as_ref().and_then(|json| json.field(&field.name))).collect();
        column(&values, &field.data_type, &formats)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    structs(&a.context.result, columns, NullBuffer::from_iter((0..a.rows).map(|row| texts.is_valid(row))))
}

/// A text as what it looks like.
fn plain(text: &str) -> Json {
    let text = text.trim();
    match text {
        "" => Json::Null,
        "true" | "TRUE" | "True" => Json::Boolean(true),
        "false" | "FALSE" | "False" => Json::Boolean(false),
        _ => match Json::parse(text) {
            Some(number @ Json::Number(_)) => number,
            _ => Json::Text(text.to_owned()),
        },
    }
}

/// An element as an object of its attributes and elements, or as its text; arrays where the type or the names say so.
fn shaped(document: &Document, id: NodeId, wanted: Option<&DataType>, has_attributes: bool) -> Json {
    let node = document.node(id);
    let attributes: &[NodeId] = if has_attributes { &node.attributes } else { &[] };
    let is_element = |child: &&NodeId| matches!(document.node(**child).kind, Kind::Element(_));
    let is_leaf = attributes.is_empty() && !node.children.iter().any(|child| is_element(&child));
    if is_leaf && !matches!(wanted, Some(DataType::Struct(_) | DataType::Map(..))) {
        return match wanted {
            Some(t) if t.is_string() => Json::Text(document.text(id).trim().to_owned()),
            _ => plain(&document.text(id)),
        };
    }
    let type_of = |name: &str| match wanted {
        Some(DataType::Struct(fields)) => fields.iter().find(|field| field.name == name).map(|field| &field.data_type),
        Some(DataType::Map(_, value, _)) => Some(value.as_ref()),
        _ => None,
    };
    let mut fields: Vec<(String, Json)> = Vec::new();
    for attribute in attributes {
        let name = format!("{ATTRIBUTE}{}", document.name(*attribute));
        let text = document.text(*attribute);
        let is_text = type_of(&name).is_some_and(DataType::is_string);
        fields.push((name, if is_text { Json::Text(text) } else { plain(&text) }));
    }
    let mut own = String::new();
    for child in &node.children {
        let Kind::Element(name) = &document.node(*child).kind else {
            own.push_str(&document.text(*child));
            continue;
        };
        let element = match type_of(name) {
            Some(DataType::Array(element, _)) => Some(element.as_ref()),
            other => other,
        };
        let value = shaped(document, *child, element, has_attributes);
        let is_array = matches!(type_of(name), Some(DataType::Array(..)));
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, Json::Array(values))) => values.push(value),
            Some((_, known)) if wanted.is_none() => {
                let first = std::mem::replace(known, Json::Null);
                *known = Json::Array(vec![first, value]);
            }
            Some((_, known)) => *known = value,
            None if is_array => fields.push((name.clone(), Json::Array(vec![value]))),
            None => fields.push((name.clone(), value)),
        }
    }
    if !own.trim().is_empty() {
        fields.push((OWN_TEXT.to_owned(), plain(&own)));
    }
    Json::Object(fields)
}

fn schema_of_xml(_: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("schema_of_xml", &arguments[..1]);
    let xml = constant_text(&sql, "xml", &arguments[0])?;
    let options = options_of(&sql, arguments.get(1))?;
    let has_attributes = !options.iter().any(|option| option.eq_ignore_ascii_case("excludeattribute=true"));
    let document = Document::parse(xml.trim()).ok_or_else(|| malformed(&xml))?;
    let schema = without_null(infer(&shaped(&document, document.element(), None, has_attributes)));
    Ok(Typed { sql, ..text_literal(&schema.sql()) })
}

fn to_xml(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = format!("to_xml({})", arguments[0].sql);
    let options = options_of(&sql, arguments.get(1))?;
    arguments.truncate(1);
    if !matches!(arguments[0].data_type, DataType::Struct(_)) {
        return Err(coercion::unexpected_type(&arguments[0], &coercion::Accepts::Struct, &sql, 0));
    }
    let nullable = arguments[0].nullable;
    udf::call_with(ctx, "to_xml", arguments, DataType::STRING, nullable, sql, options)
}

fn write(a: &Args) -> Result<ArrayRef> {
    let (array, data_type) = (a.array(0)?, a.data_type(0)?);
    let layout = Layout { style: style(a)?, indent: option(a, "indent").unwrap_or("    ") };
    let row_tag = option(a, "rowtag").unwrap_or("ROW");
    a.try_texts(|row| {
        let mut out = String::new();
        layout.element(&mut out, row_tag, (array, data_type), row, 0)?;
        Ok(Some(out))
    })
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

fn leaf(array: &ArrayRef, data_type: &DataType, row: usize, style: &Style) -> Result<String> {
    match moment(array, data_type, row, style) {
        Some(moment) => Ok(moment),
        None => text(array, data_type, row, style),
    }
}

/// How elements stand below each other.
struct Layout<'a> {
    style: Style,
    indent: &'a str,
}

impl Layout<'_> {
    fn next_line(&self, out: &mut String, depth: usize) {
        if !out.is_empty() && !self.indent.is_empty() {
            out.push('\n');
        }
        (0..depth).for_each(|_| out.push_str(self.indent));
    }

    /// An element of that name, one per element of an array; nothing for null.
    fn element(
        &self,
        out: &mut String,
        name: &str,
        (array, data_type): (&ArrayRef, &DataType),
        row: usize,
        depth: usize,
    ) -> Result<()> {
        if array.is_null(row) || *data_type == DataType::Null {
            return Ok(());
        }
        if let DataType::Array(item, _) = data_type {
            let list = array.as_list::<i32>();
            return range(list, row).try_for_each(|i| self.element(out, name, (list.values(), item), i, depth));
        }
        self.next_line(out, depth);
        out.push_str(&format!("<{name}"));
        let (inside, own) = self.content(out, (array, data_type), row, depth)?;
        if own.is_none() && inside.is_empty() {
            out.push_str("/>");
            return Ok(());
        }
        out.push('>');
        escape(out, own.as_deref().unwrap_or_default());
        out.push_str(&inside);
        if own.is_none() {
            self.next_line(out, depth);
        }
        out.push_str(&format!("</{name}>"));
        Ok(())
    }

    /// Writes the attributes; gives the elements inside and the element's own text.
    fn content(
        &self,
        out: &mut String,
        (array, data_type): (&ArrayRef, &DataType),
        row: usize,
        depth: usize,
    ) -> Result<(String, Option<String>)> {
        // Not empty, so that the first element stands on a line of its own.
        let mut inside = String::from(" ");
        let mut own = None;
        match data_type {
            DataType::Struct(fields) => {
                for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                    let leaf = || leaf(column, &field.data_type, row, &self.style);
                    if field.name == OWN_TEXT {
                        own = if column.is_null(row) { None } else { Some(leaf()?) };
                    } else if let Some(attribute) = field.name.strip_prefix(ATTRIBUTE) {
                        if column.is_valid(row) {
                            out.push_str(&format!(" {attribute}=\""));
                            escape(out, &leaf()?);
                            out.push('"');
                        }
                    } else {
                        self.element(&mut inside, &field.name, (column, &field.data_type), row, depth + 1)?;
                    }
                }
            }
            DataType::Map(key, value, _) => {
                let map = array.as_map();
                for i in entries(map, row) {
                    let name = leaf(map.keys(), key, i, &self.style)?;
                    self.element(&mut inside, &name, (map.values(), value), i, depth + 1)?;
                }
            }
            _ => own = Some(leaf(array, data_type, row, &self.style)?),
        }
        inside.remove(0);
        Ok((inside, own))
    }
}
