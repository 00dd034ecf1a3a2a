//! Java's regular expressions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{Field, Int32Type};
use datafusion::common::ScalarValue;
use fancy_regex::{Captures, Regex};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::families::args::Args;
use crate::families::rows::Default::Int;
use crate::families::rows::Output::{Is, ListOf, Maybe, Of};
use crate::families::rows::{any_nullable, fold, functions};

functions! {
    "rlike" (TEXT, TEXT) => Is(DataType::Boolean), like, "whether the pattern is found in the text";
    "regexp" (TEXT, TEXT) => Is(DataType::Boolean), like, "whether the pattern is found in the text";
    "regexp_like" (TEXT, TEXT) => Is(DataType::Boolean), like, "whether the pattern is found in the text";
    "regexp_replace" (TEXT, TEXT, TEXT; INT = Int(1)) => Of(replaced), replace, "the text with every match replaced";
    "regexp_extract" (TEXT, TEXT; INT = Int(1)) => Is(DataType::STRING), extract, "a group of the first match, or nothing";
    "regexp_extract_all" (TEXT, TEXT; INT = Int(1)) => ListOf(DataType::STRING, true), extract_all, "a group of every match";
    "regexp_count" (TEXT, TEXT) => Is(DataType::Integer), count, "how often the pattern is found";
    "regexp_substr" (TEXT, TEXT) => Maybe(DataType::STRING), substr, "the first match";
    "regexp_instr" (TEXT, TEXT; INT = Int(0)) => Is(DataType::Integer), instr, "position of the first match, 0 where there is none";
    "split" (TEXT, TEXT; INT = Int(-1)) => ListOf(DataType::STRING, false), split, "the parts between matches";
}

/// Compiled patterns kept per thread.
const CACHED_MAX: usize = 64;

thread_local! {
    static CACHE: RefCell<HashMap<String, Arc<Regex>>> = RefCell::new(HashMap::new());
}

/// A pattern compiled, mostly from the cache.
///
/// Errors: `INVALID_PARAMETER_VALUE.PATTERN`.
pub(crate) fn compiled(function: &str, pattern: &str) -> Result<Arc<Regex>> {
    if let Some(regex) = CACHE.with_borrow(|cache| cache.get(pattern).cloned()) {
        return Ok(regex);
    }
    let regex = Regex::new(pattern).map_err(|_| {
        SparkError::new(&error_class::INVALID_PARAMETER_VALUE_PATTERN)
            .param("parameter", "`regexp`")
            .param("functionName", format!("`{function}`"))
            .param("value", format!("'{pattern}'"))
    })?;
    let regex = Arc::new(regex);
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), regex.clone());
    });
    Ok(regex)
}

fn failed(error: fancy_regex::Error) -> SparkError {
    SparkError::internal(format!("a regular expression ran too long: {error}"))
}

fn like(a: &Args) -> Result<ArrayRef> {
    let (text, pattern) = (a.text(0)?, a.text(1)?);
    a.try_booleans(|r| Ok(Some(compiled("rlike", pattern.value(r))?.is_match(text.value(r)).map_err(failed)?)))
}

/// A constant position has to be 1 or more.
fn replaced(_: &FunctionContext, arguments: &[Typed]) -> Result<(DataType, bool)> {
    if let Some(ScalarValue::Int32(Some(position))) = arguments.get(3).and_then(fold)
        && position < 1
    {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(&coercion::call_sql("regexp_replace", arguments)))
            .param("exprName", "position")
            .param("valueRange", "(0, 2147483647]")
            .param("currentValue", position.to_string()));
    }
    Ok((DataType::STRING, any_nullable(arguments)))
}

fn replace(a: &Args) -> Result<ArrayRef> {
    let (text, pattern, with, from) = (a.text(0)?, a.text(1)?, a.text(2)?, a.int(3)?);
    a.try_texts(|r| {
        let regex = compiled("regexp_replace", pattern.value(r))?;
        let text = text.value(r);
        let start = super::position::byte_of(text, (from.value(r) - 1).max(0) as usize).unwrap_or(text.len());
        let mut out = String::with_capacity(text.len());
        out.push_str(&text[..start]);
        let mut last = start;
        let mut at = Some(0);
        while let Some(captures) = next_match(&regex, &text[start..], &mut at)? {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(&text[last..start + whole.start()]);
            push_replacement(&mut out, with.value(r), &captures)?;
            last = start + whole.end();
        }
        out.push_str(&text[last..]);
        Ok(Some(out))
    })
}

/// The next match as Java finds it: one of nothing may follow right behind another match. `at` is where to look.
fn next_match<'t>(regex: &Regex, text: &'t str, at: &mut Option<usize>) -> Result<Option<Captures<'t>>> {
    let Some(from) = at.take() else { return Ok(None) };
    let found = regex.captures_from_pos(text, from).map_err(failed)?;
    if let Some(whole) = found.as_ref().and_then(|captures| captures.get(0)) {
        let behind = text[whole.end()..].chars().next();
        *at = match behind {
            _ if whole.end() > whole.start() => Some(whole.end()),
            Some(skipped) => Some(whole.end() + skipped.len_utf8()),
            None => None,
        };
    }
    Ok(found)
}

/// Java's replacement: `$1`, `${name}`, and a backslash before what stands for itself.
fn push_replacement(out: &mut String, with: &str, captures: &Captures) -> Result<()> {
    let mut rest = with.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            '$' if rest.peek() == Some(&'{') => {
                rest.next();
                let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
                out.push_str(captures.name(&name).map_or("", |found| found.as_str()));
            }
            '$' => {
                let Some(mut group) = rest.next().and_then(|c| c.to_digit(10)).map(|d| d as usize) else {
                    return Err(SparkError::internal("a replacement has a $ without a group"));
                };
                while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= captures.len() {
                        break;
                    }
                    group = longer;
                    rest.next();
                }
                if group >= captures.len() {
                    return Err(SparkError::internal(format!("a replacement names group {group}, which is not there")));
                }
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            other => out.push(other),
        }
    }
    Ok(())
}

fn check_group(function: &str, regex: &Regex, group: i32) -> Result<usize> {
    let groups = regex.captures_len() - 1;
    match usize::try_from(group) {
        Ok(group) if group <= groups => Ok(group),
        _ => Err(SparkError::new(&error_class::INVALID_PARAMETER_VALUE_REGEX_GROUP_INDEX)
            .param("parameter", "`idx`")
            .param("functionName", format!("`{function}`"))
            .param("groupCount", groups.to_string())
            .param("groupIndex", group.to_string())),
    }
}

fn extract(a: &Args) -> Result<ArrayRef> {
    let (text, pattern, group) = (a.text(0)?, a.text(1)?, a.int(2)?);
    a.try_texts(|r| {
        let regex = compiled("regexp_extract", pattern.value(r))?;
        let group = check_group("regexp_extract", &regex, group.value(r))?;
        let found = regex.captures(text.value(r)).map_err(failed)?;
        Ok(Some(found.and_then(|c| c.get(group).map(|m| m.as_str().to_owned())).unwrap_or_default()))
    })
}

fn extract_all(a: &Args) -> Result<ArrayRef> {
    let (text, pattern, group) = (a.text(0)?, a.text(1)?, a.int(2)?);
    lists(a, |r, out| {
        let regex = compiled("regexp_extract_all", pattern.value(r))?;
        let group = check_group("regexp_extract_all", &regex, group.value(r))?;
        let mut at = Some(0);
        while let Some(captures) = next_match(&regex, text.value(r), &mut at)? {
            out.append_value(captures.get(group).map_or("", |m| m.as_str()));
        }
        Ok(())
    })
}

/// A list of strings per row.
pub(crate) fn lists(a: &Args, mut fill: impl FnMut(usize, &mut StringBuilder) -> Result<()>) -> Result<ArrayRef> {
    let arrow::datatypes::DataType::List(field) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("a kernel that gives lists has another result type"));
    };
    let field = Field::new("element", arrow::datatypes::DataType::Utf8, field.is_nullable());
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(field);
    let nulls = a.nulls();
    for row in 0..a.rows {
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        if valid {
            fill(row, out.values())?;
        }
        out.append(valid);
    }
    Ok(Arc::new(out.finish()))
}

fn count(a: &Args) -> Result<ArrayRef> {
    let (text, pattern) = (a.text(0)?, a.text(1)?);
    a.try_values::<Int32Type>(|r| {
        let regex = compiled("regexp_count", pattern.value(r))?;
        let mut found = 0;
        let mut at = Some(0);
        while next_match(&regex, text.value(r), &mut at)?.is_some() {
            found += 1;
        }
        Ok(Some(found))
    })
}

fn substr(a: &Args) -> Result<ArrayRef> {
    let (text, pattern) = (a.text(0)?, a.text(1)?);
    a.try_texts(|r| {
        let found = compiled("regexp_substr", pattern.value(r))?.find(text.value(r)).map_err(failed)?;
        Ok(found.map(|m| m.as_str().to_owned()).filter(|found| !found.is_empty()))
    })
}

fn instr(a: &Args) -> Result<ArrayRef> {
    let (text, pattern) = (a.text(0)?, a.text(1)?);
    a.try_values::<Int32Type>(|r| {
        let text = text.value(r);
        let found = compiled("regexp_instr", pattern.value(r))?.find(text).map_err(failed)?;
        Ok(Some(found.map_or(0, |m| text[..m.start()].chars().count() as i32 + 1)))
    })
}

fn split(a: &Args) -> Result<ArrayRef> {
    let (text, pattern, limit) = (a.text(0)?, a.text(1)?, a.int(2)?);
    lists(a, |r, out| {
        let (text, limit) = (text.value(r), limit.value(r));
        let regex = compiled("split", pattern.value(r))?;
        let (mut last, mut parts) = (0, 1);
        for matched in regex.find_iter(text) {
            let matched = matched.map_err(failed)?;
            if limit > 0 && parts >= limit {
                break;
            }
            // Nothing is split off before a match of nothing at the start, nor at the end.
            let is_empty = matched.start() == matched.end();
            if is_empty && (matched.end() == 0 || matched.start() == text.len()) {
                continue;
            }
            out.append_value(&text[last..matched.start()]);
            last = matched.end();
            parts += 1;
        }
        out.append_value(&text[last..]);
        Ok(())
    })
}

/// The parts of a text between matches.
pub(crate) fn pieces<'a>(function: &str, text: &'a str, pattern: &str) -> Result<Vec<&'a str>> {
    let regex = compiled(function, pattern)?;
    regex.split(text).collect::<std::result::Result<_, _>>().map_err(failed)
}

/// What stands before the first match, and after it.
pub(crate) fn halves<'a>(function: &str, text: &'a str, pattern: &str) -> Result<(&'a str, Option<&'a str>)> {
    let found = compiled(function, pattern)?.find(text).map_err(failed)?;
    Ok(found.map_or((text, None), |m| (&text[..m.start()], Some(&text[m.end()..]))))
}
