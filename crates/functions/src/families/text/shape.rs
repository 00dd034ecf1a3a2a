//! Texts in another shape: case, padding, trimming, repetition, replacement.

use arrow::array::ArrayRef;
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::families::args::Args;
use crate::families::rows::Default::Text;
use crate::families::rows::Output::Is;
use crate::families::rows::functions;

functions! {
    "upper" (TEXT) => Is(DataType::STRING), |a| each(a, str::to_uppercase), "the text in upper case";
    "ucase" (TEXT) => Is(DataType::STRING), |a| each(a, str::to_uppercase), "the text in upper case";
    "lower" (TEXT) => Is(DataType::STRING), |a| each(a, str::to_lowercase), "the text in lower case";
    "lcase" (TEXT) => Is(DataType::STRING), |a| each(a, str::to_lowercase), "the text in lower case";
    "initcap" (TEXT) => Is(DataType::STRING), |a| each(a, initcap), "the text with capitals at the start of words";
    "repeat" (TEXT, INT) => Is(DataType::STRING), repeat, "the text so many times";
    "space" (INT) => Is(DataType::STRING), |a| { let n = a.int(0)?; a.texts(|r| " ".repeat(n.value(r).max(0) as usize)) }, "so many spaces";
    "replace" (TEXT, TEXT; TEXT = Text("")) => Is(DataType::STRING), replace, "the text with every occurrence of another replaced";
    "translate" (TEXT, TEXT, TEXT) => Is(DataType::STRING), translate, "the text with characters exchanged one for one";
    "soundex" (TEXT) => Is(DataType::STRING), |a| each(a, soundex), "how an English word sounds, in four characters";
    "quote" (TEXT) => Is(DataType::STRING), |a| each(a, |text| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))), "the text as an SQL literal";
}

fn each(a: &Args, shape: fn(&str) -> String) -> Result<ArrayRef> {
    let text = a.text(0)?;
    a.texts(|r| shape(text.value(r)))
}

fn initcap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if starts {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        starts = c == ' ';
    }
    out
}

fn repeat(a: &Args) -> Result<ArrayRef> {
    let (text, count) = (a.text(0)?, a.int(1)?);
    a.texts(|r| text.value(r).repeat(count.value(r).max(0) as usize))
}

fn replace(a: &Args) -> Result<ArrayRef> {
    let (text, search, with) = (a.text(0)?, a.text(1)?, a.text(2)?);
    a.texts(|r| match search.value(r) {
        "" => text.value(r).to_owned(),
        search => text.value(r).replace(search, with.value(r)),
    })
}

fn translate(a: &Args) -> Result<ArrayRef> {
    let (text, from, to) = (a.text(0)?, a.text(1)?, a.text(2)?);
    a.texts(|r| {
        let from: Vec<char> = from.value(r).chars().collect();
        let to: Vec<char> = to.value(r).chars().collect();
        let exchange = |c: char| match from.iter().position(|f| *f == c) {
            Some(at) => to.get(at).copied(),
            None => Some(c),
        };
        text.value(r).chars().filter_map(exchange).collect()
    })
}

fn soundex(text: &str) -> String {
    const CODES: &[u8; 26] = b"01230127022455012623017202";
    let code = |c: u8| CODES[usize::from(c.to_ascii_uppercase() - b'A')];
    let bytes = text.as_bytes();
    let Some(first) = bytes.first().copied().filter(u8::is_ascii_alphabetic) else { return text.to_owned() };
    let mut out = vec![first.to_ascii_uppercase()];
    let mut last = code(first);
    for c in bytes[1..].iter().copied().filter(u8::is_ascii_alphabetic) {
        let code = code(c);
        if code == b'7' {
            continue;
        }
        if code != b'0' && code != last {
            out.push(code);
            if out.len() == 4 {
                break;
            }
        }
        last = code;
    }
    out.resize(4, b'0');
    String::from_utf8_lossy(&out).into_owned()
}
