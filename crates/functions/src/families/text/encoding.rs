//! Bytes as text and back, digests and URLs.

use std::fmt::Write;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use md5::Digest;

use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::Default::Absent;
use crate::families::rows::Output::{Is, Maybe};
use crate::families::rows::functions;

functions! {
    "base64" (BINARY) => Is(DataType::STRING), |a| { let b = a.binary(0)?; a.texts(|r| STANDARD.encode(b.value(r))) }, "bytes in base 64";
    "unbase64" (TEXT) => Is(DataType::Binary), unbase64, "bytes from base 64";
    "hex" (ANY) => Is(DataType::STRING), hex, "a number, text or bytes in hexadecimal digits";
    "unhex" (TEXT) => Maybe(DataType::Binary), |a| unhex(a, true), "bytes from hexadecimal digits";
    "encode" (TEXT, TEXT) => Is(DataType::Binary), encode, "the text's bytes in a character set";
    "md5" (BINARY) => Is(DataType::STRING), |a| digest(a, |b| to_hex(&md5::Md5::digest(b))), "the MD5 digest in hexadecimal digits";
    "sha" (BINARY) => Is(DataType::STRING), |a| digest(a, |b| to_hex(&sha1::Sha1::digest(b))), "the SHA-1 digest in hexadecimal digits";
    "sha1" (BINARY) => Is(DataType::STRING), |a| digest(a, |b| to_hex(&sha1::Sha1::digest(b))), "the SHA-1 digest in hexadecimal digits";
    "sha2" (BINARY, INT) => Maybe(DataType::STRING), sha2_digest, "the SHA-2 digest of so many bits in hexadecimal digits";
    "crc32" (BINARY) => Is(DataType::Long), |a| { let b = a.binary(0)?; a.longs(|r| i64::from(crc32fast::hash(b.value(r)))) }, "the CRC-32 checksum";
    "url_encode" (TEXT) => Is(DataType::STRING), |a| { let t = a.text(0)?; a.texts(|r| url_encode(t.value(r))) }, "the text as a part of a form's URL";
    "url_decode" (TEXT) => Is(DataType::STRING), |a| url_decode_rows(a, false), "the text that a part of a form's URL stands for";
    "try_url_decode" (TEXT) => Maybe(DataType::STRING), |a| url_decode_rows(a, true), "the same, null where it cannot be decoded";
    "parse_url" (TEXT, TEXT; TEXT = Absent) => Maybe(DataType::STRING), |a| parse_url(a, false), "a part of a URL";
    "try_parse_url" (TEXT, TEXT; TEXT = Absent) => Maybe(DataType::STRING), |a| parse_url(a, true), "a part of a URL, null where it is none";
}

fn to_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| _ = write!(out, "{byte:02x}"));
    out
}

fn digest(a: &Args, digest: fn(&[u8]) -> String) -> Result<ArrayRef> {
    let bytes = a.binary(0)?;
    a.texts(|r| digest(bytes.value(r)))
}

fn sha2_digest(a: &Args) -> Result<ArrayRef> {
    use sha2::{Sha224, Sha256, Sha384, Sha512};
    let (bytes, bits) = (a.binary(0)?, a.int(1)?);
    a.try_texts(|r| {
        let bytes = bytes.value(r);
        Ok(Some(match bits.value(r) {
            224 => to_hex(&<Sha224 as sha2::Digest>::digest(bytes)),
            0 | 256 => to_hex(&<Sha256 as sha2::Digest>::digest(bytes)),
            384 => to_hex(&<Sha384 as sha2::Digest>::digest(bytes)),
            512 => to_hex(&<Sha512 as sha2::Digest>::digest(bytes)),
            _ => return Ok(None),
        }))
    })
}

fn conversion(text: &str, format: &str, suggestion: &str) -> SparkError {
    SparkError::new(&error_class::CONVERSION_INVALID_INPUT)
        .param("str", format!("'{text}'"))
        .param("fmt", format!("'{format}'"))
        .param("targetType", "\"BINARY\"")
        .param("suggestion", format!("`{suggestion}`"))
}

/// Bytes from base 64 with blanks anywhere and the padding left out at will.
fn bytes_from_base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let dense: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    engine.decode(dense).ok()
}

fn unbase64(a: &Args) -> Result<ArrayRef> {
    let text = a.text(0)?;
    a.try_binaries(|r| {
        bytes_from_base64(text.value(r)).map(Some).ok_or_else(|| conversion(text.value(r), "BASE64", "try_to_binary"))
    })
}

/// What `to_binary` takes: nothing but padding behind padding, and a padding, if any, that completes four characters.
fn is_strict_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let digits = body.bytes().filter(|b| !b.is_ascii_whitespace()).count();
    let padding = text.len() - body.len();
    let is_complete = if padding > 0 { (digits + padding).is_multiple_of(4) } else { digits % 4 != 1 };
    !body.contains('=') && padding <= 2 && is_complete
}

pub(super) fn strict_unbase64(a: &Args, is_try: bool) -> Result<ArrayRef> {
    let text = a.text(0)?;
    a.try_binaries(|r| {
        let text = text.value(r);
        match Some(text).filter(|text| is_strict_base64(text)).and_then(bytes_from_base64) {
            None if !is_try => Err(conversion(text, "BASE64", "try_to_binary")),
            bytes => Ok(bytes),
        }
    })
}

fn hex(a: &Args) -> Result<ArrayRef> {
    use arrow::datatypes::DataType as Arrow;
    let array = a.array(0)?;
    if let Arrow::Utf8 | Arrow::Binary = array.data_type() {
        let bytes = arrow::compute::cast(array, &Arrow::Binary).map_err(from_arrow)?;
        let bytes = bytes.as_binary::<i32>();
        return a.texts(|r| to_hex(bytes.value(r)).to_uppercase());
    }
    let longs = arrow::compute::cast(array, &Arrow::Int64).map_err(from_arrow)?;
    let longs = longs.as_primitive::<Int64Type>();
    a.texts(|r| format!("{:X}", longs.value(r)))
}

/// Bytes from hexadecimal digits; an odd number of them has a 0 before the first.
pub(crate) fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<Vec<u8>>>()?;
    let (head, rest) = digits.split_at(digits.len() % 2);
    Some(head.iter().copied().chain(rest.chunks(2).map(|pair| pair[0] * 16 + pair[1])).collect())
}

pub(crate) fn unhex(a: &Args, is_try: bool) -> Result<ArrayRef> {
    let text = a.text(0)?;
    a.try_binaries(|r| match bytes_from_hex(text.value(r)) {
        None if !is_try => Err(conversion(text.value(r), "HEX", "try_to_binary")),
        bytes => Ok(bytes),
    })
}

const CHARSETS: &str = "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8";

fn no_charset(function: &str, charset: &str) -> SparkError {
    SparkError::new(&error_class::INVALID_PARAMETER_VALUE_CHARSET)
        .param("functionName", format!("`{function}`"))
        .param("parameter", "`charset`")
        .param("charset", charset)
        .param("charsets", CHARSETS)
}

/// A character or byte that has no place in the character set.
fn malformed(function: &str, charset: &str) -> SparkError {
    SparkError::new(&error_class::MALFORMED_CHARACTER_CODING)
        .param("function", format!("`{function}`"))
        .param("charset", charset)
}

fn encode(a: &Args) -> Result<ArrayRef> {
    let (text, charset) = (a.text(0)?, a.text(1)?);
    a.try_binaries(|r| {
        let (text, given) = (text.value(r), charset.value(r));
        let each = |limit: u32| {
            let byte = |c: char| u8::try_from(u32::from(c)).ok().filter(|byte| u32::from(*byte) < limit);
            text.chars().map(byte).collect::<Option<Vec<u8>>>().ok_or_else(|| malformed("encode", given))
        };
        let utf16 = |write: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(write).collect::<Vec<u8>>();
        Ok(Some(match given.to_uppercase().as_str() {
            "UTF-8" => text.as_bytes().to_vec(),
            "US-ASCII" => each(0x80)?,
            "ISO-8859-1" => each(0x100)?,
            "UTF-16BE" => utf16(u16::to_be_bytes),
            "UTF-16LE" => utf16(u16::to_le_bytes),
            "UTF-16" if text.is_empty() => Vec::new(),
            "UTF-16" => [vec![0xfe, 0xff], utf16(u16::to_be_bytes)].concat(),
            "UTF-32" => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            _ => return Err(no_charset("encode", given)),
        }))
    })
}

pub(crate) fn decode(a: &Args) -> Result<ArrayRef> {
    let (bytes, charset) = (a.binary(0)?, a.text(1)?);
    a.try_texts(|r| decoded(bytes.value(r), charset.value(r)).map(Some))
}

fn decoded(bytes: &[u8], charset: &str) -> Result<String> {
    let utf16 = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| read(*pair)).collect();
        String::from_utf16(&units).ok().filter(|_| bytes.len().is_multiple_of(2))
    };
    let found = match charset.to_uppercase().as_str() {
        "UTF-8" => String::from_utf8(bytes.to_vec()).ok(),
        "US-ASCII" => bytes.iter().map(|b| b.is_ascii().then(|| char::from(*b))).collect(),
        "ISO-8859-1" => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        "UTF-16BE" => utf16(bytes, u16::from_be_bytes),
        "UTF-16LE" => utf16(bytes, u16::from_le_bytes),
        "UTF-16" => match bytes {
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            _ => utf16(bytes, u16::from_be_bytes),
        },
        "UTF-32" => {
            let (words, rest) = bytes.as_chunks::<4>();
            let text: Option<String> = words.iter().map(|word| char::from_u32(u32::from_be_bytes(*word))).collect();
            text.filter(|_| rest.is_empty())
        }
        _ => return Err(no_charset("decode", charset)),
    };
    found.ok_or_else(|| malformed("decode", charset))
}

fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b if b.is_ascii_alphanumeric() => out.push(char::from(b)),
            b => _ = write!(out, "%{b:02X}"),
        }
    }
    out
}

/// The text that a part of a form's URL stands for; `None` where an escape is cut off or no number.
pub(crate) fn url_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                out.push((digit(bytes.next())? * 16 + digit(bytes.next())?) as u8);
            }
            other => out.push(other),
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn url_decode_rows(a: &Args, is_try: bool) -> Result<ArrayRef> {
    let text = a.text(0)?;
    a.try_texts(|r| match url_decode(text.value(r)) {
        None if !is_try => Err(SparkError::new(&error_class::CANNOT_DECODE_URL).param("url", text.value(r))),
        decoded => Ok(decoded),
    })
}

fn parse_url(a: &Args, is_try: bool) -> Result<ArrayRef> {
    let (text, part) = (a.text(0)?, a.text(1)?);
    let key = if a.len() > 2 { Some(a.text(2)?) } else { None };
    let raises = a.context.ansi && !is_try;
    a.try_texts(|r| {
        let url = Url::split(text.value(r));
        match url {
            Some(url) => Ok(url.part(part.value(r), key.map(|key| key.value(r)))),
            None if raises => Err(SparkError::new(&error_class::INVALID_URL).param("url", text.value(r))),
            None => Ok(None),
        }
    })
}

/// A URL's parts as they are written, as Java's URI has them.
struct Url<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn split(text: &'a str) -> Option<Self> {
        if text.chars().any(|c| c.is_whitespace() || "<>\"{}|\\^`".contains(c)) {
            return None;
        }
        let (rest, fragment) = cut(text, '#');
        let (rest, query) = cut(rest, '?');
        let is_scheme = |s: &&str| s.starts_with(|c: char| c.is_ascii_alphabetic()) && !s.contains('/');
        let (scheme, rest) = match rest.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Some(Self { scheme, authority, path, query, fragment })
    }

    fn part(&self, part: &str, key: Option<&str>) -> Option<String> {
        if let Some(key) = key {
            let values = self.query.filter(|_| part == "QUERY")?.split('&');
            return values.filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v.to_owned());
        }
        let text = match part {
            "HOST" => self.host().filter(|host| !host.is_empty()),
            "PATH" => Some(self.path),
            "QUERY" => self.query,
            "REF" => self.fragment,
            "PROTOCOL" => self.scheme,
            "AUTHORITY" => self.authority,
            "USERINFO" => self.authority?.rsplit_once('@').map(|(user, _)| user),
            "FILE" => {
                let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
                return Some(format!("{}{query}", self.path));
            }
            _ => None,
        };
        text.map(str::to_owned)
    }

    fn host(&self) -> Option<&'a str> {
        let authority = self.authority?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host.starts_with('[') {
            return host.find(']').map(|end| &host[..=end]);
        }
        Some(host.split_once(':').map_or(host, |(host, _)| host))
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}
