//! The schema of JSON files, from their values.

use std::collections::BTreeMap;

use firesteel_model::Result;
use firesteel_spec::{DataType, StructField};
use futures::StreamExt;

use super::options::JsonOptions;
use super::parse::{Node, Value, parse};
use crate::text::blocks::Source;
use crate::text::chunks::records;
use crate::text::decimal::Digits;
use crate::text::mode::Mode;

/// Fields sorted by name; `None` if there is no document at all.
pub(crate) async fn infer(sources: &[Source], options: &JsonOptions) -> Result<Option<Vec<StructField>>> {
    let mut inference = Inference { options, root: Type::Null, is_corrupt: false, seen: 0.0, taken: 0.0 };
    for source in sources {
        let mut chunks = options.layout.read(source, None).await?;
        while let Some(chunk) = chunks.next().await.transpose()? {
            for document in records(&chunk.text, &options.layout.framing) {
                if !document.trim().is_empty() {
                    inference.document(document)?;
                }
            }
        }
    }
    Ok(inference.fields())
}

/// A type as it grows.
#[derive(Clone, Debug, PartialEq)]
enum Type {
    Null,
    Boolean,
    Long,
    Double,
    Decimal(u8, i8),
    Timestamp,
    Text,
    Array(Box<Type>),
    Object(BTreeMap<String, Type>),
}

struct Inference<'a> {
    options: &'a JsonOptions,
    root: Type,
    is_corrupt: bool,
    seen: f64,
    taken: f64,
}

impl Inference<'_> {
    fn document(&mut self, text: &str) -> Result<()> {
        self.seen += 1.0;
        if self.taken >= self.seen * self.options.sampling_ratio {
            return Ok(());
        }
        self.taken += 1.0;
        let found = match parse(text, &self.options.leniency) {
            Some(Node { value: Value::Array(items), .. }) => {
                let item = items.iter().map(|item| self.infer(item)).fold(Type::Null, merge);
                Some(item).filter(|item| matches!(item, Type::Object(_) | Type::Null))
            }
            Some(node) => Some(self.infer(&node)).filter(|found| matches!(found, Type::Object(_) | Type::Null)),
            None => None,
        };
        match found {
            Some(found) => self.root = merge(std::mem::replace(&mut self.root, Type::Null), found),
            None => {
                self.options.mode.on_malformed(text)?;
                self.is_corrupt |= self.options.mode == Mode::Permissive;
            }
        }
        Ok(())
    }

    fn infer(&self, node: &Node<'_>) -> Type {
        let options = self.options;
        let primitive = |found: Type| if options.primitives_as_string { Type::Text } else { found };
        match &node.value {
            Value::Null => Type::Null,
            Value::Boolean(_) => primitive(Type::Boolean),
            Value::Integer => primitive(integer(node.text)),
            Value::Real => primitive(self.real(node.text)),
            Value::Text(text) => self.text(text),
            Value::Array(items) => {
                Type::Array(Box::new(items.iter().map(|item| self.infer(item)).fold(Type::Null, merge)))
            }
            Value::Object(members) => {
                let mut fields = BTreeMap::new();
                for (name, node) in members {
                    fields.insert(name.clone().into_owned(), self.infer(node));
                }
                Type::Object(fields)
            }
        }
    }

    fn real(&self, text: &str) -> Type {
        match Digits::parse(text) {
            Some(digits) if self.options.prefers_decimal => decimal(digits).unwrap_or(Type::Double),
            _ => Type::Double,
        }
    }

    fn text(&self, text: &str) -> Type {
        if self.options.prefers_decimal
            && let Some(found) = Digits::parse(text).and_then(decimal)
        {
            return found;
        }
        if self.options.infer_timestamp && self.options.rules.timestamp(text).is_some() {
            return Type::Timestamp;
        }
        Type::Text
    }

    fn fields(self) -> Option<Vec<StructField>> {
        if self.seen == 0.0 {
            return None;
        }
        let drop = self.options.drop_field_if_all_null;
        let mut fields = match finish(self.root, drop) {
            Some(DataType::Struct(fields)) => fields,
            _ => Vec::new(),
        };
        let name = &self.options.corrupt_column;
        if self.is_corrupt && fields.iter().all(|field| field.name != *name) {
            fields.push(StructField::new(name, DataType::STRING, true));
            fields.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Some(fields)
    }
}

fn integer(text: &str) -> Type {
    match text.parse::<i64>() {
        Ok(_) => Type::Long,
        Err(_) => Digits::parse(text).and_then(decimal).unwrap_or(Type::Double),
    }
}

fn decimal(digits: Digits) -> Option<Type> {
    let scale = digits.scale.max(0);
    let whole = i32::from(digits.precision()) - digits.scale.min(0);
    let precision = whole.max(scale);
    (precision <= 38).then(|| Type::Decimal(u8::try_from(precision).unwrap_or(38), i8::try_from(scale).unwrap_or(0)))
}

fn merge(left: Type, right: Type) -> Type {
    match (left, right) {
        (a, b) if a == b => a,
        (Type::Null, other) | (other, Type::Null) => other,
        (Type::Long, Type::Double) | (Type::Double, Type::Long) => Type::Double,
        (Type::Double, Type::Decimal(..)) | (Type::Decimal(..), Type::Double) => Type::Double,
        (Type::Long, other @ Type::Decimal(..)) | (other @ Type::Decimal(..), Type::Long) => {
            merge(Type::Decimal(20, 0), other)
        }
        (Type::Decimal(p1, s1), Type::Decimal(p2, s2)) => {
            let scale = s1.max(s2);
            let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
            match u8::try_from(whole + i16::from(scale)) {
                Ok(precision) if precision <= 38 => Type::Decimal(precision, scale),
                _ => Type::Double,
            }
        }
        (Type::Array(a), Type::Array(b)) => Type::Array(Box::new(merge(*a, *b))),
        (Type::Object(mut fields), Type::Object(others)) => {
            for (name, other) in others {
                let so_far = fields.remove(&name).unwrap_or(Type::Null);
                fields.insert(name, merge(so_far, other));
            }
            Type::Object(fields)
        }
        _ => Type::Text,
    }
}

/// The Spark type; nothing for objects without fields, and for NULL if it is to be dropped.
fn finish(found: Type, drop_null: bool) -> Option<DataType> {
    Some(match found {
        Type::Null if drop_null => return None,
        Type::Null | Type::Text => DataType::STRING,
        Type::Boolean => DataType::Boolean,
        Type::Long => DataType::Long,
        Type::Double => DataType::Double,
        Type::Decimal(precision, scale) => DataType::Decimal(precision, scale),
        Type::Timestamp => DataType::Timestamp,
        Type::Array(item) => DataType::array(finish(*item, drop_null)?),
        Type::Object(fields) => {
            let fields = fields.into_iter().filter(|(name, _)| !name.is_empty());
            let fields =
                fields.filter_map(|(name, found)| Some(StructField::new(name, finish(found, drop_null)?, true)));
            let fields: Vec<_> = fields.collect();
            if fields.is_empty() {
                return None;
            }
            DataType::Struct(fields)
        }
    })
}
