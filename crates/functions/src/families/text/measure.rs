//! Numbers about texts, and texts joined or picked.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::Int32Type;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use crate::families::args::Args;
use crate::families::rows::Default::{Absent, Text};
use crate::families::rows::Output::{Is, Maybe, Of};
use crate::families::rows::{any_nullable, functions};

functions! {
    "length" (TEXT_OR_BINARY) => Is(DataType::Integer), |a| measure(a, |t| t.chars().count()), "how many characters, or bytes";
    "len" (TEXT_OR_BINARY) => Is(DataType::Integer), |a| measure(a, |t| t.chars().count()), "how many characters, or bytes";
    "char_length" (TEXT_OR_BINARY) => Is(DataType::Integer), |a| measure(a, |t| t.chars().count()), "how many characters, or bytes";
    "character_length" (TEXT_OR_BINARY) => Is(DataType::Integer), |a| measure(a, |t| t.chars().count()), "how many characters, or bytes";
    "octet_length" (TEXT_OR_BINARY) => Is(DataType::Integer), |a| measure(a, str::len), "how many bytes";
    "bit_length" (TEXT_OR_BINARY) => Is(DataType::Integer), |a| {
        let bytes = measure(a, str::len)?;
        let bytes = bytes.as_primitive::<Int32Type>();
        a.ints(|r| bytes.value(r) * 8)
    }, "how many bits";
    "ascii" (TEXT) => Is(DataType::Integer), |a| { let t = a.text(0)?; a.ints(|r| t.value(r).chars().next().map_or(0, |c| c as i32)) }, "the code of the first character";
    "chr" (LONG) => Is(DataType::STRING), character, "the character of that code, from 0 to 255";
    "char" (LONG) => Is(DataType::STRING), character, "the character of that code, from 0 to 255";
    "levenshtein" (TEXT, TEXT; INT = Absent) => Is(DataType::Integer), levenshtein, "how many edits lead from one text to the other, -1 above the limit";
    "elt" (INT; ..TEXT) => Maybe(DataType::STRING), elt, "the argument of that number";
    "concat_ws" (TEXT; ..TEXTS) => Of(|_, a| Ok((DataType::STRING, a.first().is_none_or(|a| a.nullable)))), concat_ws, "texts and arrays of texts joined by a separator, nulls left out";
    "luhn_check" (TEXT) => Is(DataType::Boolean), |a| { let t = a.text(0)?; a.booleans(|r| luhn(t.value(r))) }, "whether the digits pass Luhn's check";
    "is_valid_utf8" (TEXT_OR_BINARY) => Is(DataType::Boolean), |a| valid(a, |ok, _| Ok(Some(ok.is_some()))), "whether the bytes are UTF-8";
    "sentences" (TEXT; TEXT = Text(""), TEXT = Text("")) => Of(|_, a| Ok((words_type(), any_nullable(a)))), sentences, "the words of each sentence";
}

fn words_type() -> DataType {
    let words = DataType::Array(Box::new(DataType::STRING), false);
    DataType::Array(Box::new(words), false)
}

fn measure(a: &Args, of_text: fn(&str) -> usize) -> Result<ArrayRef> {
    if let Some(bytes) = a.array(0)?.as_binary_opt::<i32>() {
        return a.ints(|r| bytes.value_length(r));
    }
    let text = a.text(0)?;
    a.ints(|r| of_text(text.value(r)) as i32)
}

fn character(a: &Args) -> Result<ArrayRef> {
    let code = a.long(0)?;
    a.texts(|r| match code.value(r) {
        code if code < 0 => String::new(),
        code => char::from((code & 0xff) as u8).to_string(),
    })
}

fn levenshtein(a: &Args) -> Result<ArrayRef> {
    let (left, right) = (a.text(0)?, a.text(1)?);
    let limit = if a.len() > 2 { Some(a.int(2)?) } else { None };
    a.ints(|r| {
        let distance = distance(left.value(r), right.value(r));
        match limit.map(|limit| limit.value(r)) {
            Some(limit) if distance > limit => -1,
            _ => distance,
        }
    })
}

fn distance(left: &str, right: &str) -> i32 {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<i32> = (0..=right.len() as i32).collect();
    for (i, x) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i as i32 + 1);
        for (j, y) in right.iter().enumerate() {
            let substituted = diagonal + i32::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

fn elt(a: &Args) -> Result<ArrayRef> {
    let number = a.int(0)?;
    let texts = (1..a.len()).map(|i| a.text(i)).collect::<Result<Vec<_>>>()?;
    let mut out = StringBuilder::new();
    for row in 0..a.rows {
        if number.is_null(row) {
            out.append_null();
            continue;
        }
        let index = number.value(row);
        match usize::try_from(index - 1).ok().and_then(|i| texts.get(i)) {
            Some(text) => out.append_option(text.is_valid(row).then(|| text.value(row))),
            None if a.context.ansi => {
                return Err(SparkError::new(&error_class::INVALID_ARRAY_INDEX)
                    .param("indexValue", index.to_string())
                    .param("arraySize", texts.len().to_string())
                    .param("ansiConfig", "\"spark.sql.ansi.enabled\""));
            }
            None => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn concat_ws(a: &Args) -> Result<ArrayRef> {
    let separator = a.text(0)?;
    let mut out = StringBuilder::new();
    let texts = (1..a.len()).map(|i| Joined::of(a.array(i)?)).collect::<Result<Vec<_>>>()?;
    for row in 0..a.rows {
        if separator.is_null(row) {
            out.append_null();
            continue;
        }
        let mut parts = Vec::new();
        texts.iter().for_each(|text| text.push(row, &mut parts));
        out.append_value(parts.join(separator.value(row)));
    }
    Ok(Arc::new(out.finish()))
}

/// A text or an array of texts.
enum Joined {
    One(ArrayRef),
    Many(ArrayRef, ArrayRef),
}

impl Joined {
    fn of(array: &ArrayRef) -> Result<Self> {
        let to_text = |array: &ArrayRef| {
            arrow::compute::cast(array, &arrow::datatypes::DataType::Utf8).map_err(crate::errors::from_arrow)
        };
        match array.as_list_opt::<i32>() {
            Some(list) => Ok(Self::Many(array.clone(), to_text(list.values())?)),
            None => Ok(Self::One(to_text(array)?)),
        }
    }

    fn push<'a>(&'a self, row: usize, parts: &mut Vec<&'a str>) {
        match self {
            Self::One(texts) => {
                let texts = texts.as_string::<i32>();
                parts.extend(texts.is_valid(row).then(|| texts.value(row)));
            }
            Self::Many(list, texts) => {
                let (list, texts) = (list.as_list::<i32>(), texts.as_string::<i32>());
                if list.is_valid(row) {
                    let range = list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize;
                    parts.extend(range.filter(|i| texts.is_valid(*i)).map(|i| texts.value(i)));
                }
            }
        }
    }
}

fn luhn(text: &str) -> bool {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let digit = |(i, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0') * (1 + i as u32 % 2);
        digit / 10 + digit % 10
    };
    text.bytes().rev().enumerate().map(digit).sum::<u32>() % 10 == 0
}

/// Calls `judge` with the text, where the bytes are one, and the bytes.
fn valid(a: &Args, mut judge: impl FnMut(Option<&str>, &[u8]) -> Result<Option<bool>>) -> Result<ArrayRef> {
    let bytes = arrow::compute::cast(a.array(0)?, &arrow::datatypes::DataType::Binary);
    let bytes = bytes.map_err(crate::errors::from_arrow)?;
    let bytes = bytes.as_binary::<i32>();
    a.try_booleans(|r| judge(std::str::from_utf8(bytes.value(r)).ok(), bytes.value(r)))
}

fn sentences(a: &Args) -> Result<ArrayRef> {
    use arrow::array::ListBuilder;
    use arrow::datatypes::{DataType as Arrow, Field};
    let text = a.text(0)?;
    let word = Field::new("element", Arrow::Utf8, false);
    let words = ListBuilder::new(StringBuilder::new()).with_field(word.clone());
    let mut out = ListBuilder::new(words).with_field(Field::new("element", Arrow::List(Arc::new(word)), false));
    for row in 0..a.rows {
        if text.is_null(row) {
            out.append(false);
            continue;
        }
        for sentence in text.value(row).split_inclusive(['.', '!', '?', ';']) {
            let words: Vec<&str> = sentence
                .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '-'))
                .filter(|word| !word.is_empty())
                .collect();
            if !words.is_empty() {
                words.iter().for_each(|word| out.values().values().append_value(word));
                out.values().append(true);
            }
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}
