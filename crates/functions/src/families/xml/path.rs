//! XPath 1.0 over documents, and Spark's functions of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType as Arrow, Field, Float32Type, Int16Type, Int32Type, Int64Type};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::dom::{Document, Kind, NodeId, ROOT};
use super::path_parse::{Axis, Expr, Start, Step, Test, parse};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::families::args::Args;
use crate::families::rows::{TEXT, definitions, fold_text, kernels};
use crate::number::write_double;
use crate::udf;

definitions! {
    "xpath" (2, 2), Scalar(|c, a| made(c, "xpath", a, DataType::array(DataType::STRING))), "the texts of the nodes at a path of XML";
    "xpath_boolean" (2, 2), Scalar(|c, a| made(c, "xpath_boolean", a, DataType::Boolean)), "whether an XPath expression holds, or finds a node";
    "xpath_double" (2, 2), Scalar(|c, a| made(c, "xpath_double", a, DataType::Double)), "the number that an XPath expression gives";
    "xpath_number" (2, 2), Scalar(|c, a| made(c, "xpath_number", a, DataType::Double)), "the number that an XPath expression gives";
    "xpath_float" (2, 2), Scalar(|c, a| made(c, "xpath_float", a, DataType::Float)), "the number that an XPath expression gives";
    "xpath_int" (2, 2), Scalar(|c, a| made(c, "xpath_int", a, DataType::Integer)), "the number that an XPath expression gives, 0 where it gives none";
    "xpath_long" (2, 2), Scalar(|c, a| made(c, "xpath_long", a, DataType::Long)), "the number that an XPath expression gives, 0 where it gives none";
    "xpath_short" (2, 2), Scalar(|c, a| made(c, "xpath_short", a, DataType::Short)), "the number that an XPath expression gives, 0 where it gives none";
    "xpath_string" (2, 2), Scalar(|c, a| made(c, "xpath_string", a, DataType::STRING)), "the text that an XPath expression gives";
}

kernels! {
    "xpath" raising => lists;
    "xpath_boolean" raising => |a| a.try_booleans(|r| evaluated(a, r, |_, value| truth(&value)));
    "xpath_double" raising => |a| a.try_values::<arrow::datatypes::Float64Type>(|r| number_at(a, r));
    "xpath_number" raising => |a| a.try_values::<arrow::datatypes::Float64Type>(|r| number_at(a, r));
    "xpath_float" raising => |a| a.try_values::<Float32Type>(|r| Ok(number_at(a, r)?.map(|n| n as f32)));
    "xpath_int" raising => |a| a.try_values::<Int32Type>(|r| Ok(number_at(a, r)?.map(|n| n as i32)));
    "xpath_long" raising => |a| a.try_values::<Int64Type>(|r| Ok(number_at(a, r)?.map(|n| n as i64)));
    "xpath_short" raising => |a| a.try_values::<Int16Type>(|r| Ok(number_at(a, r)?.map(|n| n as i32 as i16)));
    "xpath_string" raising => |a| a.try_texts(|r| evaluated(a, r, text_of));
}

/// What an expression gives.
enum Value {
    Nodes(Vec<NodeId>),
    Number(f64),
    Text(String),
    Truth(bool),
}

fn made(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>, result: DataType) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let Some(path) = fold_text(&arguments[1]) else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("inputName", "`path`")
            .param("inputType", "\"STRING\"")
            .param("inputExpr", coercion::quoted(&arguments[1].sql)));
    };
    if !path.is_empty() && parse(&path).is_none() {
        return Err(SparkError::unsupported(format!("the XPath expression {path}")));
    }
    let arguments = coercion::coerce_arguments(ctx, name, arguments, &[TEXT])?;
    udf::call(ctx, name, arguments, result, true, sql)
}

fn evaluated<T>(a: &Args, row: usize, finish: fn(&Document, Value) -> T) -> Result<Option<T>> {
    let (xml, path) = (a.text(0)?.value(row), a.text(1)?.value(row));
    if xml.is_empty() || path.is_empty() {
        return Ok(None);
    }
    let document = Document::parse(xml).ok_or_else(|| {
        SparkError::new(&error_class::MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION)
            .param("badRecord", xml)
            .param("failFastMode", "FAILFAST")
    })?;
    let unknown = || SparkError::unsupported(format!("the XPath expression {path}"));
    let value = Evaluation { document: &document }.value(&parse(path).ok_or_else(unknown)?, ROOT, 1, 1);
    Ok(Some(finish(&document, value.ok_or_else(unknown)?)))
}

fn number_at(a: &Args, row: usize) -> Result<Option<f64>> {
    evaluated(a, row, |document, value| number(document, &value))
}

fn lists(a: &Args) -> Result<ArrayRef> {
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", Arrow::Utf8, true));
    let nulls = a.nulls();
    for row in 0..a.rows {
        let is_valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let found = if is_valid { evaluated(a, row, node_values)? } else { None };
        match found {
            Some(values) => {
                values.into_iter().for_each(|value| out.values().append_option(value));
                out.append(true);
            }
            None => out.append(false),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// Elements have no value of their own.
fn node_values(document: &Document, value: Value) -> Vec<Option<String>> {
    let Value::Nodes(nodes) = value else { return Vec::new() };
    let own = |id: &NodeId| match &document.node(*id).kind {
        Kind::Text(text) | Kind::Attribute(_, text) => Some(text.clone()),
        _ => None,
    };
    nodes.iter().map(own).collect()
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Nodes(nodes) => !nodes.is_empty(),
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::Text(text) => !text.is_empty(),
        Value::Truth(truth) => *truth,
    }
}

fn number(document: &Document, value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Truth(truth) => f64::from(*truth),
        Value::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
        Value::Nodes(nodes) => match nodes.first() {
            Some(first) => document.text(*first).trim().parse().unwrap_or(f64::NAN),
            None => f64::NAN,
        },
    }
}

fn text_of(document: &Document, value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Truth(truth) => truth.to_string(),
        Value::Nodes(nodes) => nodes.first().map_or(String::new(), |first| document.text(*first)),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{}", number as i64),
        Value::Number(number) => {
            let mut out = String::new();
            write_double(&mut out, number);
            out
        }
    }
}

struct Evaluation<'d> {
    document: &'d Document,
}

impl Evaluation<'_> {
    /// `None` for functions that are not there.
    fn value(&self, expr: &Expr, here: NodeId, position: usize, size: usize) -> Option<Value> {
        Some(match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Negative(inner) => Value::Number(-number(self.document, &self.value(inner, here, position, size)?)),
            Expr::Binary(operator, left, right) => {
                let left = self.value(left, here, position, size)?;
                let right = self.value(right, here, position, size)?;
                self.binary(operator, left, right)?
            }
            Expr::Call(name, arguments) => {
                let values = arguments.iter().map(|argument| self.value(argument, here, position, size));
                self.call(name, values.collect::<Option<_>>()?, here, position, size)?
            }
            Expr::Path { start, steps } => {
                let mut nodes = match start {
                    Start::Root => vec![ROOT],
                    Start::Here => vec![here],
                    Start::Of(inner, predicates) => match self.value(inner, here, position, size)? {
                        Value::Nodes(nodes) => self.filtered(nodes, predicates)?,
                        _ => return None,
                    },
                };
                for step in steps {
                    nodes = self.step(&nodes, step)?;
                }
                Value::Nodes(nodes)
            }
        })
    }

    fn step(&self, from: &[NodeId], step: &Step) -> Option<Vec<NodeId>> {
        let mut found = Vec::new();
        for node in from {
            let mut reached = Vec::new();
            self.reach(*node, step.axis, &mut reached);
            reached.retain(|id| self.passes(*id, step));
            found.extend(self.filtered(reached, &step.predicates)?);
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    fn reach(&self, node: NodeId, axis: Axis, out: &mut Vec<NodeId>) {
        let this = self.document.node(node);
        let siblings = || self.document.node(this.parent).children.iter().copied();
        match axis {
            Axis::Child => out.extend(&this.children),
            Axis::Attribute => out.extend(&this.attributes),
            Axis::Itself => out.push(node),
            Axis::Parent if node != ROOT => out.push(this.parent),
            Axis::Parent => {}
            Axis::Descendant | Axis::DescendantOrItself => {
                if axis == Axis::DescendantOrItself {
                    out.push(node);
                }
                for child in &this.children {
                    self.reach(*child, Axis::DescendantOrItself, out);
                }
            }
            Axis::Ancestor => {
                let mut above = node;
                while above != ROOT {
                    above = self.document.node(above).parent;
                    out.push(above);
                }
            }
            Axis::FollowingSibling => out.extend(siblings().filter(|other| *other > node)),
            Axis::PrecedingSibling => {
                out.extend(siblings().filter(|other| *other < node));
                out.reverse();
            }
        }
    }

    fn passes(&self, id: NodeId, step: &Step) -> bool {
        let kind = &self.document.node(id).kind;
        match &step.test {
            Test::Node => true,
            Test::Text => matches!(kind, Kind::Text(_)),
            Test::Any => matches!(kind, Kind::Element(_) | Kind::Attribute(..)),
            Test::Name(name) => {
                matches!(kind, Kind::Element(_) | Kind::Attribute(..)) && self.document.name(id) == name
            }
        }
    }

    fn filtered(&self, mut nodes: Vec<NodeId>, predicates: &[Expr]) -> Option<Vec<NodeId>> {
        for predicate in predicates {
            let size = nodes.len();
            let mut kept = Vec::new();
            for (i, node) in nodes.iter().enumerate() {
                let keeps = match self.value(predicate, *node, i + 1, size)? {
                    Value::Number(wanted) => wanted == (i + 1) as f64,
                    other => truth(&other),
                };
                if keeps {
                    kept.push(*node);
                }
            }
            nodes = kept;
        }
        Some(nodes)
    }

    fn binary(&self, operator: &str, left: Value, right: Value) -> Option<Value> {
        let numbers = || (number(self.document, &left), number(self.document, &right));
        Some(match operator {
            "or" => Value::Truth(truth(&left) || truth(&right)),
            "and" => Value::Truth(truth(&left) && truth(&right)),
            "+" => Value::Number(numbers().0 + numbers().1),
            "-" => Value::Number(numbers().0 - numbers().1),
            "*" => Value::Number(numbers().0 * numbers().1),
            "div" => Value::Number(numbers().0 / numbers().1),
            "mod" => Value::Number(numbers().0 % numbers().1),
            "|" => match (left, right) {
                (Value::Nodes(mut nodes), Value::Nodes(more)) => {
                    nodes.extend(more);
                    nodes.sort_unstable();
                    nodes.dedup();
                    Value::Nodes(nodes)
                }
                _ => return None,
            },
            comparison => Value::Truth(self.compares(comparison, &left, &right)),
        })
    }

    /// Two sets compare where any two of their nodes do.
    fn compares(&self, operator: &str, left: &Value, right: &Value) -> bool {
        if let (Value::Truth(_), _) | (_, Value::Truth(_)) = (left, right)
            && matches!(operator, "=" | "!=")
        {
            return (truth(left) == truth(right)) == (operator == "=");
        }
        let alone = |value: &Value| match value {
            Value::Nodes(nodes) => nodes.iter().map(|node| Value::Text(self.document.text(*node))).collect(),
            Value::Number(number) => vec![Value::Number(*number)],
            Value::Text(text) => vec![Value::Text(text.clone())],
            Value::Truth(truth) => vec![Value::Truth(*truth)],
        };
        let rights = alone(right);
        alone(left).iter().any(|x| rights.iter().any(|y| self.one_compares(operator, x, y)))
    }

    fn one_compares(&self, operator: &str, x: &Value, y: &Value) -> bool {
        if let (Value::Text(x), Value::Text(y), "=" | "!=") = (x, y, operator) {
            return (x == y) == (operator == "=");
        }
        let (x, y) = (number(self.document, x), number(self.document, y));
        match operator {
            "=" => x == y,
            "!=" => x != y,
            "<" => x < y,
            ">" => x > y,
            "<=" => x <= y,
            _ => x >= y,
        }
    }

    fn call(&self, name: &str, values: Vec<Value>, here: NodeId, position: usize, size: usize) -> Option<Value> {
        let count = values.len();
        let mut values = values.into_iter();
        let first = values.next();
        let text = |value: Option<Value>| text_of(self.document, value.unwrap_or(Value::Nodes(vec![here])));
        let of_number = |f: fn(f64) -> f64, value: Option<Value>| {
            value.map(|value| Value::Number(f(number(self.document, &value))))
        };
        Some(match (name, count) {
            ("position", 0) => Value::Number(position as f64),
            ("last", 0) => Value::Number(size as f64),
            ("true", 0) => Value::Truth(true),
            ("false", 0) => Value::Truth(false),
            ("not", 1) => Value::Truth(!truth(&first?)),
            ("boolean", 1) => Value::Truth(truth(&first?)),
            ("number", 0 | 1) => Value::Number(text(first).trim().parse().unwrap_or(f64::NAN)),
            ("string", 0 | 1) => Value::Text(text(first)),
            ("string-length", 0 | 1) => Value::Number(text(first).chars().count() as f64),
            ("normalize-space", 0 | 1) => Value::Text(text(first).split_whitespace().collect::<Vec<_>>().join(" ")),
            ("name" | "local-name", 0) => Value::Text(self.document.name(here).to_owned()),
            ("name" | "local-name", 1) => match first? {
                Value::Nodes(nodes) => {
                    Value::Text(nodes.first().map_or(String::new(), |node| self.document.name(*node).to_owned()))
                }
                _ => return None,
            },
            ("count", 1) => match first? {
                Value::Nodes(nodes) => Value::Number(nodes.len() as f64),
                _ => return None,
            },
            ("sum", 1) => match first? {
                Value::Nodes(nodes) => {
                    let one = |node: &NodeId| self.document.text(*node).trim().parse().unwrap_or(f64::NAN);
                    Value::Number(nodes.iter().map(one).sum())
                }
                _ => return None,
            },
            ("floor", 1) => of_number(f64::floor, first)?,
            ("ceiling", 1) => of_number(f64::ceil, first)?,
            ("round", 1) => of_number(|number| (number + 0.5).floor(), first)?,
            ("concat", 2..) => Value::Text(std::iter::once(text(first)).chain(values.map(|v| text(Some(v)))).collect()),
            ("contains", 2) => Value::Truth(text(first).contains(&text(values.next()))),
            ("starts-with", 2) => Value::Truth(text(first).starts_with(&text(values.next()))),
            ("substring-before", 2) => {
                let whole = text(first);
                Value::Text(whole.split_once(&text(values.next())).map_or(String::new(), |(head, _)| head.to_owned()))
            }
            ("substring-after", 2) => {
                let whole = text(first);
                Value::Text(whole.split_once(&text(values.next())).map_or(String::new(), |(_, tail)| tail.to_owned()))
            }
            _ => return None,
        })
    }
}
