//! The schema of CSV files, from their header and values.

use firesteel_model::Result;
use firesteel_spec::{DataType, StructField};
use futures::StreamExt;

use super::options::CsvOptions;
use super::parse::{Fields, Records};
use crate::settings::Settings;
use crate::text::blocks::Source;
use crate::text::chunks::{Framing, records};
use crate::text::decimal::Digits;
use crate::text::numbers::parse_double;

/// Names from the first record of the first file that has one; types from a sample of all files, if asked for.
pub(crate) async fn infer(
    sources: &[Source],
    options: &CsvOptions,
    settings: &Settings,
) -> Result<Option<Vec<StructField>>> {
    let mut inference = Inference { options, settings, names: None, types: Vec::new(), seen: 0.0, taken: 0.0 };
    for source in sources {
        inference.file(source).await?;
        if inference.names.is_some() && !options.infer_schema {
            break;
        }
    }
    let Some(names) = inference.names else { return Ok(None) };
    let types = inference.types.into_iter().map(|data_type| match data_type {
        DataType::Null => DataType::STRING,
        other => other,
    });
    let types = types.chain(std::iter::repeat(DataType::STRING));
    Ok(Some(names.into_iter().zip(types).map(|(name, data_type)| StructField::new(name, data_type, true)).collect()))
}

struct Inference<'a> {
    options: &'a CsvOptions,
    settings: &'a Settings,
    names: Option<Vec<String>>,
    types: Vec<DataType>,
    seen: f64,
    taken: f64,
}

impl Inference<'_> {
    async fn file(&mut self, source: &Source) -> Result<()> {
        let mut chunks = self.options.layout.read(source, None).await?;
        let mut fields = Fields::default();
        let multi_line = self.options.layout.framing == Framing::Whole;
        let mut skip_header = self.options.header;
        while let Some(chunk) = chunks.next().await.transpose()? {
            for line in records(&chunk.text, &self.options.layout.framing) {
                let mut parser = Records::new(&self.options.dialect, line, multi_line);
                while parser.next(&mut fields).is_some() {
                    if self.names.is_none() {
                        self.names = Some(header(&fields, self.options, self.settings));
                    }
                    if std::mem::take(&mut skip_header) {
                        continue;
                    }
                    if !self.options.infer_schema {
                        return Ok(());
                    }
                    self.record(&fields);
                }
            }
        }
        Ok(())
    }

    /// Takes the share of records that `samplingRatio` asks for, evenly.
    fn record(&mut self, fields: &Fields) {
        self.seen += 1.0;
        if self.taken >= self.seen * self.options.sampling_ratio {
            return;
        }
        self.taken += 1.0;
        let columns = self.names.as_ref().map_or(0, Vec::len);
        self.types.resize(columns, DataType::Null);
        for (index, so_far) in self.types.iter_mut().enumerate() {
            if let Some(text) = fields.get(index, &self.options.dialect) {
                let this = infer_value(text, so_far, self.options, self.settings);
                *so_far = merge(so_far.clone(), this);
            }
        }
    }
}

/// Column names: `_c0` where there is no header or no name; names that stand twice get their index appended.
fn header(fields: &Fields, options: &CsvOptions, settings: &Settings) -> Vec<String> {
    let dialect = &options.dialect;
    if !options.header {
        return (0..fields.len()).map(|index| format!("_c{index}")).collect();
    }
    let fold = |name: &str| if settings.case_sensitive { name.to_owned() } else { name.to_lowercase() };
    let names: Vec<Option<&str>> = (0..fields.len()).map(|index| fields.get(index, dialect)).collect();
    let count = |name: &str| names.iter().flatten().filter(|other| fold(other) == fold(name)).count();
    let name = |(index, name): (usize, &Option<&str>)| match name {
        None | Some("") => format!("_c{index}"),
        Some(name) if count(name) > 1 => format!("{name}{index}"),
        Some(name) => (*name).to_owned(),
    };
    names.iter().enumerate().map(name).collect()
}

/// The type of a value. What does not fit the type so far is not tried again for the types before it.
fn infer_value(text: &str, so_far: &DataType, options: &CsvOptions, settings: &Settings) -> DataType {
    let rules = &options.rules;
    let step = match so_far {
        DataType::Null | DataType::Integer => 0,
        DataType::Long => 1,
        DataType::Decimal(..) => 2,
        DataType::Double => 3,
        DataType::Date => 4,
        DataType::TimestampNtz | DataType::Timestamp => 5,
        DataType::Boolean => 6,
        _ => return DataType::STRING,
    };
    if step <= 0 && text.parse::<i32>().is_ok() {
        return DataType::Integer;
    }
    if step <= 1 && text.parse::<i64>().is_ok() {
        return DataType::Long;
    }
    if step <= 2
        && let Some(digits) = Digits::parse(text).filter(|digits| digits.scale <= 0)
    {
        return DataType::Decimal(digits.precision(), 0);
    }
    let is_special = [&rules.nan, &rules.positive_inf, &rules.negative_inf].iter().any(|name| *name == text);
    if step <= 3 && (is_special || parse_double(text).is_some()) {
        return DataType::Double;
    }
    if step <= 4 && options.prefer_date && rules.is_inferred_date(text) {
        return DataType::Date;
    }
    if step <= 5 && settings.timestamp_is_ntz && rules.timestamp_ntz(text).is_some() {
        return DataType::TimestampNtz;
    }
    if step <= 5 && rules.timestamp(text).is_some() {
        return DataType::Timestamp;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return DataType::Boolean;
    }
    DataType::STRING
}

fn merge(left: DataType, right: DataType) -> DataType {
    use DataType::{Date, Decimal, Double, Integer, Long, Null, Timestamp, TimestampNtz};
    match (left, right) {
        (a, b) if a == b => a,
        (Null, other) | (other, Null) => other,
        (Integer, Long) | (Long, Integer) => Long,
        (Integer | Long, Double) | (Double, Integer | Long) => Double,
        (Decimal(p, _), Integer | Long) | (Integer | Long, Decimal(p, _)) => Decimal(p.max(20), 0),
        (Decimal(a, _), Decimal(b, _)) => Decimal(a.max(b), 0),
        (Decimal(..), Double) | (Double, Decimal(..)) => Double,
        (Date, Timestamp) | (Timestamp, Date) => Timestamp,
        (Date, TimestampNtz) | (TimestampNtz, Date) => TimestampNtz,
        (Timestamp, TimestampNtz) | (TimestampNtz, Timestamp) => Timestamp,
        _ => DataType::STRING,
    }
}
