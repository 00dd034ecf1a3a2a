//! Values as JSON text.

use base64::Engine;
use firesteel_model::Result;

use super::read::{Kind, Value};
use crate::datetime::{Zone, write_date, write_timestamp};
use crate::families::write_json_text;
use crate::number::{write_decimal, write_double, write_float};

impl Value<'_> {
    /// Writes the value as JSON; timestamps stand in the zone.
    pub(crate) fn write_json(self, out: &mut String, zone: &Zone) -> Result<()> {
        let quoted = |out: &mut String, write: &dyn Fn(&mut String)| {
            out.push('"');
            write(out);
            out.push('"');
        };
        match self.kind()? {
            Kind::Null => out.push_str("null"),
            Kind::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
            Kind::Long(value) => out.push_str(&value.to_string()),
            Kind::Float(value) if value.is_finite() => write_float(out, value),
            Kind::Float(value) => quoted(out, &|out| write_float(out, value)),
            Kind::Double(value) if value.is_finite() => write_double(out, value),
            Kind::Double(value) => quoted(out, &|out| write_double(out, value)),
            Kind::Decimal(digits, scale) => write_decimal(out, digits, scale as i8, true),
            Kind::Date(days) => quoted(out, &|out| write_date(out, i64::from(days))),
            Kind::Timestamp(micros) => quoted(out, &|out| {
                let local = zone.to_local(micros);
                write_timestamp(out, local);
                let minutes = (local - micros) / 60_000_000;
                let sign = if minutes < 0 { '-' } else { '+' };
                out.push_str(&format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60));
            }),
            Kind::TimestampNtz(micros) => quoted(out, &|out| write_timestamp(out, micros)),
            Kind::String(text) => write_json_text(out, text),
            Kind::Binary(bytes) => {
                quoted(out, &|out| out.push_str(&base64::engine::general_purpose::STANDARD.encode(bytes)));
            }
            Kind::Uuid(bytes) => quoted(out, &|out| {
                for (i, byte) in bytes.iter().enumerate() {
                    if matches!(i, 4 | 6 | 8 | 10) {
                        out.push('-');
                    }
                    out.push_str(&format!("{byte:02x}"));
                }
            }),
            Kind::Object(fields) => {
                out.push('{');
                for i in 0..fields.len() {
                    if i > 0 {
                        out.push(',');
                    }
                    let (name, value) = fields.at(i)?;
                    write_json_text(out, name);
                    out.push(':');
                    value.write_json(out, zone)?;
                }
                out.push('}');
            }
            Kind::Array(elements) => {
                out.push('[');
                for i in 0..elements.len() {
                    if i > 0 {
                        out.push(',');
                    }
                    elements.at(i)?.write_json(out, zone)?;
                }
                out.push(']');
            }
        }
        Ok(())
    }
}
