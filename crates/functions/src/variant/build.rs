//! Values written in the binary format.

use std::collections::HashMap;

use firesteel_model::{Result, SparkError, error_class};

use super::read::{Kind, Value};
use crate::families::json_value::Json;

/// A value being written, and the names it has used.
#[derive(Default)]
pub(crate) struct Builder {
    out: Vec<u8>,
    ids: HashMap<String, usize>,
    names: Vec<String>,
}

/// A field of an object that has been written: its name's id, and where its value begins.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    id: usize,
    at: usize,
}

/// How many bytes a number takes.
fn sizes(number: usize) -> usize {
    match number {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xff_ffff => 3,
        _ => 4,
    }
}

fn push_number(out: &mut Vec<u8>, number: usize, size: usize) {
    out.extend_from_slice(&(number as u32).to_le_bytes()[..size]);
}

impl Builder {
    /// Writes JSON text; `false` where it is none.
    ///
    /// Errors: `VARIANT_DUPLICATE_KEY`.
    pub(crate) fn json(&mut self, text: &str, keeps_last: bool) -> Result<bool> {
        match Json::parse(text) {
            Some(json) => self.json_value(&json, keeps_last).map(|()| true),
            None => Ok(false),
        }
    }

    fn json_value(&mut self, json: &Json, keeps_last: bool) -> Result<()> {
        match json {
            Json::Null => self.null(),
            Json::Boolean(value) => self.boolean(*value),
            Json::Text(text) => self.string(text),
            Json::Number(digits) => self.number(digits),
            Json::Array(elements) => {
                let start = self.start();
                let mut offsets = Vec::with_capacity(elements.len());
                for element in elements {
                    offsets.push(self.start());
                    self.json_value(element, keeps_last)?;
                }
                self.array(start, &offsets);
            }
            Json::Object(members) => {
                let start = self.start();
                let mut fields = Vec::with_capacity(members.len());
                for (name, value) in members {
                    fields.push(self.field(name));
                    self.json_value(value, keeps_last)?;
                }
                self.object(start, fields, keeps_last)?;
            }
        }
        Ok(())
    }

    /// Digits as the narrowest exact type, or as DOUBLE.
    fn number(&mut self, digits: &str) {
        if let Ok(value) = digits.parse::<i64>() {
            return self.long(value);
        }
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
        if is_plain {
            let scale = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let exact = digits.replace('.', "").parse::<i128>().ok().filter(|d| d.unsigned_abs() < 10_u128.pow(38));
            if let Some(exact) = exact.filter(|_| scale <= 38) {
                return self.decimal(exact, scale as u8);
            }
        }
        self.double(digits.parse().unwrap_or(f64::NAN));
    }

    /// Where the next value begins.
    pub(crate) fn start(&self) -> usize {
        self.out.len()
    }

    /// Bytes written.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    fn primitive(&mut self, id: u8, bytes: &[u8]) {
        self.out.push(id << 2);
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn null(&mut self) {
        self.primitive(0, &[]);
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.primitive(if value { 1 } else { 2 }, &[]);
    }

    pub(crate) fn long(&mut self, value: i64) {
        if let Ok(value) = i8::try_from(value) {
            self.primitive(3, &value.to_le_bytes());
        } else if let Ok(value) = i16::try_from(value) {
            self.primitive(4, &value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.primitive(5, &value.to_le_bytes());
        } else {
            self.primitive(6, &value.to_le_bytes());
        }
    }

    pub(crate) fn float(&mut self, value: f32) {
        self.primitive(14, &value.to_le_bytes());
    }

    pub(crate) fn double(&mut self, value: f64) {
        self.primitive(7, &value.to_le_bytes());
    }

    pub(crate) fn decimal(&mut self, digits: i128, scale: u8) {
        let magnitude = digits.unsigned_abs();
        if magnitude < 1_000_000_000 && scale <= 9 {
            self.primitive(8, &[&[scale][..], &(digits as i32).to_le_bytes()].concat());
        } else if magnitude < 1_000_000_000_000_000_000 && scale <= 18 {
            self.primitive(9, &[&[scale][..], &(digits as i64).to_le_bytes()].concat());
        } else {
            self.primitive(10, &[&[scale][..], &digits.to_le_bytes()].concat());
        }
    }

    pub(crate) fn date(&mut self, days: i32) {
        self.primitive(11, &days.to_le_bytes());
    }

    pub(crate) fn timestamp(&mut self, micros: i64) {
        self.primitive(12, &micros.to_le_bytes());
    }

    pub(crate) fn timestamp_ntz(&mut self, micros: i64) {
        self.primitive(13, &micros.to_le_bytes());
    }

    pub(crate) fn binary(&mut self, bytes: &[u8]) {
        self.primitive(15, &(bytes.len() as u32).to_le_bytes());
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn string(&mut self, text: &str) {
        if text.len() < 64 {
            self.out.push((text.len() as u8) << 2 | 1);
        } else {
            self.primitive(16, &(text.len() as u32).to_le_bytes());
        }
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A value of another VARIANT.
    pub(crate) fn value(&mut self, value: Value<'_>) -> Result<()> {
        match value.kind()? {
            Kind::Object(members) => {
                let start = self.start();
                let mut fields = Vec::with_capacity(members.len());
                for i in 0..members.len() {
                    let (name, value) = members.at(i)?;
                    fields.push(self.field(name));
                    self.value(value)?;
                }
                self.object(start, fields, false)?;
            }
            Kind::Array(elements) => {
                let start = self.start();
                let mut offsets = Vec::with_capacity(elements.len());
                for i in 0..elements.len() {
                    offsets.push(self.start());
                    self.value(elements.at(i)?)?;
                }
                self.array(start, &offsets);
            }
            _ => self.out.extend_from_slice(value.pair()?.0),
        }
        Ok(())
    }

    /// The field whose value comes next.
    pub(crate) fn field(&mut self, name: &str) -> Field {
        let id = match self.ids.get(name) {
            Some(id) => *id,
            None => {
                let id = self.names.len();
                self.ids.insert(name.to_owned(), id);
                self.names.push(name.to_owned());
                id
            }
        };
        Field { id, at: self.out.len() }
    }

    /// Ends an object whose fields were written from `start` on.
    ///
    /// Errors: `VARIANT_DUPLICATE_KEY` unless the last of them is to be kept.
    pub(crate) fn object(&mut self, start: usize, mut fields: Vec<Field>, keeps_last: bool) -> Result<()> {
        let names = &self.names;
        fields.sort_by(|a, b| names[a.id].encode_utf16().cmp(names[b.id].encode_utf16()).then(b.at.cmp(&a.at)));
        if let Some(pair) = fields.windows(2).find(|pair| pair[0].id == pair[1].id && !keeps_last) {
            return Err(SparkError::new(&error_class::VARIANT_DUPLICATE_KEY).param("key", names[pair[0].id].clone()));
        }
        fields.dedup_by(|later, kept| later.id == kept.id);
        let data = self.out.split_off(start);
        let id_size = sizes(fields.iter().map(|field| field.id).max().unwrap_or(0));
        let offset_size = sizes(data.len());
        let count_size = if fields.len() > 0xff { 4 } else { 1 };
        let header = usize::from(count_size == 4) << 4 | (id_size - 1) << 2 | (offset_size - 1);
        self.out.push((header << 2 | 2) as u8);
        push_number(&mut self.out, fields.len(), count_size);
        fields.iter().for_each(|field| push_number(&mut self.out, field.id, id_size));
        fields.iter().for_each(|field| push_number(&mut self.out, field.at - start, offset_size));
        push_number(&mut self.out, data.len(), offset_size);
        self.out.extend_from_slice(&data);
        Ok(())
    }

    /// Ends an array whose elements were written from `start` on, each at its offset.
    pub(crate) fn array(&mut self, start: usize, offsets: &[usize]) {
        let data = self.out.split_off(start);
        let offset_size = sizes(data.len());
        let count_size = if offsets.len() > 0xff { 4 } else { 1 };
        let header = usize::from(count_size == 4) << 2 | (offset_size - 1);
        self.out.push((header << 2 | 3) as u8);
        push_number(&mut self.out, offsets.len(), count_size);
        offsets.iter().for_each(|at| push_number(&mut self.out, at - start, offset_size));
        push_number(&mut self.out, data.len(), offset_size);
        self.out.extend_from_slice(&data);
    }

    /// The value and its metadata.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<u8>) {
        let strings: usize = self.names.iter().map(String::len).sum();
        let size = sizes(strings.max(self.names.len()));
        let mut metadata = vec![((size - 1) << 6 | 1) as u8];
        push_number(&mut metadata, self.names.len(), size);
        let mut at = 0;
        for name in &self.names {
            push_number(&mut metadata, at, size);
            at += name.len();
        }
        push_number(&mut metadata, at, size);
        self.names.iter().for_each(|name| metadata.extend_from_slice(name.as_bytes()));
        (self.out, metadata)
    }
}
