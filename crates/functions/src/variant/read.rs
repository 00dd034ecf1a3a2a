//! Values of the binary format, as they lie.

use arrow::array::{Array, ArrayRef, AsArray};
use firesteel_model::{Result, SparkError, error_class};

/// A value and the names its objects use.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    bytes: &'a [u8],
    metadata: &'a [u8],
}

/// What a value is.
pub(crate) enum Kind<'a> {
    Null,
    Boolean(bool),
    Long(i64),
    Float(f32),
    Double(f64),
    /// The digits, and how many stand behind the point; trailing zeros are gone.
    Decimal(i128, u8),
    Date(i32),
    Timestamp(i64),
    TimestampNtz(i64),
    String(&'a str),
    Binary(&'a [u8]),
    Uuid(&'a [u8]),
    Object(Fields<'a>),
    Array(Elements<'a>),
}

/// The fields of an object, ordered by name.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    parts: Parts<'a>,
    ids: &'a [u8],
    id_size: usize,
}

/// The elements of an array.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a> {
    parts: Parts<'a>,
}

#[derive(Clone, Copy)]
struct Parts<'a> {
    count: usize,
    offsets: &'a [u8],
    offset_size: usize,
    data: &'a [u8],
    metadata: &'a [u8],
}

pub(super) fn malformed() -> SparkError {
    SparkError::new(&error_class::MALFORMED_VARIANT)
}

/// Row by row, the values of a VARIANT column.
pub(crate) fn variants(array: &ArrayRef) -> Vec<Option<Value<'_>>> {
    let parts = array.as_struct();
    let (value, metadata) = (parts.column(0).as_binary::<i32>(), parts.column(1).as_binary::<i32>());
    (0..array.len()).map(|row| array.is_valid(row).then(|| Value::new(value.value(row), metadata.value(row)))).collect()
}

/// An unsigned number of up to four bytes, the lowest first.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + size)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

fn whole<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

impl<'a> Value<'a> {
    pub(crate) fn new(bytes: &'a [u8], metadata: &'a [u8]) -> Self {
        Self { bytes, metadata }
    }

    /// The value alone, with its own bytes and no others behind them, and the metadata.
    pub(crate) fn pair(self) -> Result<(&'a [u8], &'a [u8])> {
        let length = self.length().ok_or_else(malformed)?;
        Ok((self.bytes.get(..length).ok_or_else(malformed)?, self.metadata))
    }

    /// Errors: `MALFORMED_VARIANT`.
    pub(crate) fn kind(self) -> Result<Kind<'a>> {
        self.find_kind().ok_or_else(malformed)
    }

    pub(crate) fn is_null(self) -> bool {
        self.bytes.first() == Some(&0)
    }

    fn find_kind(self) -> Option<Kind<'a>> {
        let header = *self.bytes.first()?;
        let info = usize::from(header >> 2);
        match header & 3 {
            0 => self.primitive(info),
            1 => std::str::from_utf8(self.bytes.get(1..1 + info)?).ok().map(Kind::String),
            2 => {
                let (id_size, count_size) = ((info >> 2 & 3) + 1, if info >> 4 & 1 == 1 { 4 } else { 1 });
                let count = number(self.bytes, 1, count_size)?;
                let start = 1 + count_size;
                let ids = self.bytes.get(start..start + count.checked_mul(id_size)?)?;
                let parts = self.parts(count, start + count * id_size, (info & 3) + 1)?;
                Some(Kind::Object(Fields { parts, ids, id_size }))
            }
            _ => {
                let count_size = if info >> 2 & 1 == 1 { 4 } else { 1 };
                let count = number(self.bytes, 1, count_size)?;
                Some(Kind::Array(Elements { parts: self.parts(count, 1 + count_size, (info & 3) + 1)? }))
            }
        }
    }

    fn parts(self, count: usize, start: usize, offset_size: usize) -> Option<Parts<'a>> {
        let end = start + count.checked_add(1)?.checked_mul(offset_size)?;
        let offsets = self.bytes.get(start..end)?;
        Some(Parts { count, offsets, offset_size, data: self.bytes.get(end..)?, metadata: self.metadata })
    }

    fn primitive(self, id: usize) -> Option<Kind<'a>> {
        let bytes = self.bytes;
        let sized = || bytes.get(5..5 + number(bytes, 1, 4)?);
        let decimal = |digits: i128| {
            let scale = *bytes.get(1)?;
            (scale <= 38).then(|| stripped(digits, scale))
        };
        Some(match id {
            0 => Kind::Null,
            1 => Kind::Boolean(true),
            2 => Kind::Boolean(false),
            3 => Kind::Long(i64::from(i8::from_le_bytes(whole(bytes, 1)?))),
            4 => Kind::Long(i64::from(i16::from_le_bytes(whole(bytes, 1)?))),
            5 => Kind::Long(i64::from(i32::from_le_bytes(whole(bytes, 1)?))),
            6 => Kind::Long(i64::from_le_bytes(whole(bytes, 1)?)),
            7 => Kind::Double(f64::from_le_bytes(whole(bytes, 1)?)),
            8 => decimal(i128::from(i32::from_le_bytes(whole(bytes, 2)?)))?,
            9 => decimal(i128::from(i64::from_le_bytes(whole(bytes, 2)?)))?,
            10 => decimal(i128::from_le_bytes(whole(bytes, 2)?))?,
            11 => Kind::Date(i32::from_le_bytes(whole(bytes, 1)?)),
            12 => Kind::Timestamp(i64::from_le_bytes(whole(bytes, 1)?)),
            13 => Kind::TimestampNtz(i64::from_le_bytes(whole(bytes, 1)?)),
            14 => Kind::Float(f32::from_le_bytes(whole(bytes, 1)?)),
            15 => Kind::Binary(sized()?),
            16 => Kind::String(std::str::from_utf8(sized()?).ok()?),
            20 => Kind::Uuid(bytes.get(1..17)?),
            _ => return None,
        })
    }

    /// How many bytes the value takes.
    fn length(self) -> Option<usize> {
        let header = *self.bytes.first()?;
        let info = usize::from(header >> 2);
        let of = |parts: Parts<'_>| {
            let rest = number(parts.offsets, parts.count * parts.offset_size, parts.offset_size)?;
            Some(self.bytes.len() - parts.data.len() + rest)
        };
        match header & 3 {
            0 => Some(match info {
                0..=2 => 1,
                3 => 2,
                4 => 3,
                5 | 11 | 14 => 5,
                6 | 7 | 12 | 13 => 9,
                8 => 6,
                9 => 10,
                10 => 18,
                15 | 16 => 5 + number(self.bytes, 1, 4)?,
                20 => 17,
                _ => return None,
            }),
            1 => Some(1 + info),
            _ => match self.find_kind()? {
                Kind::Object(fields) => of(fields.parts),
                Kind::Array(elements) => of(elements.parts),
                _ => None,
            },
        }
    }
}

fn stripped<'a>(mut digits: i128, mut scale: u8) -> Kind<'a> {
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Kind::Decimal(digits, scale)
}

/// The name with that id.
fn name(metadata: &[u8], id: usize) -> Option<&str> {
    let header = *metadata.first()?;
    if header & 15 != 1 {
        return None;
    }
    let size = usize::from(header >> 6) + 1;
    let count = number(metadata, 1, size)?;
    if id >= count {
        return None;
    }
    let offset = |i: usize| number(metadata, 1 + size + i.checked_mul(size)?, size);
    let strings = 1 + size + count.checked_add(1)?.checked_mul(size)?;
    std::str::from_utf8(metadata.get(strings + offset(id)?..strings + offset(id + 1)?)?).ok()
}

impl<'a> Parts<'a> {
    fn value(&self, i: usize) -> Option<Value<'a>> {
        let at = number(self.offsets, i.checked_mul(self.offset_size)?, self.offset_size)?;
        Some(Value { bytes: self.data.get(at..)?, metadata: self.metadata })
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn len(&self) -> usize {
        self.parts.count
    }

    /// Name and value of field `i`.
    pub(crate) fn at(&self, i: usize) -> Result<(&'a str, Value<'a>)> {
        let found = || {
            let id = number(self.ids, i.checked_mul(self.id_size)?, self.id_size)?;
            Some((name(self.parts.metadata, id)?, self.parts.value(i)?))
        };
        found().ok_or_else(malformed)
    }

    /// The value of the field of that name.
    pub(crate) fn get(&self, wanted: &str) -> Result<Option<Value<'a>>> {
        let (mut low, mut high) = (0, self.len());
        // Names are ordered by Java, in UTF-16, so that only plain text may be searched by halves.
        if high < 32 || !wanted.is_ascii() {
            for i in 0..high {
                let (name, value) = self.at(i)?;
                if name == wanted {
                    return Ok(Some(value));
                }
            }
            return Ok(None);
        }
        while low < high {
            let middle = usize::midpoint(low, high);
            let (name, value) = self.at(middle)?;
            match name.cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some(value)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}

impl<'a> Elements<'a> {
    pub(crate) fn len(&self) -> usize {
        self.parts.count
    }

    pub(crate) fn at(&self, i: usize) -> Result<Value<'a>> {
        self.parts.value(i).ok_or_else(malformed)
    }
}
