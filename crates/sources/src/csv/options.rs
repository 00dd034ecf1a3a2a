//! Spark's options of CSV.

use firesteel_model::{Result, SparkError};

use crate::error::bad_option;
use crate::options::{Options, unescape};
use crate::settings::Settings;
use crate::text::chunks::{Framing, Layout};
use crate::text::mode::Mode;
use crate::text::parse::ValueRules;

/// What to do with a quote inside a quoted value that is not escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnescapedQuotes {
    StopAtClosingQuote,
    StopAtDelimiter,
    SkipValue,
    RaiseError,
}

/// The shape of records.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) separator: String,
    pub(crate) quote: Option<char>,
    pub(crate) escape: Option<char>,
    pub(crate) escape_of_escape: Option<char>,
    pub(crate) comment: Option<char>,
    pub(crate) trim_start: bool,
    pub(crate) trim_end: bool,
    pub(crate) null_value: String,
    pub(crate) empty_value: String,
    pub(crate) unescaped_quotes: UnescapedQuotes,
    pub(crate) max_columns: usize,
    pub(crate) max_chars_per_column: Option<usize>,
}

/// The options of a CSV read.
#[derive(Clone, Debug)]
pub(crate) struct CsvOptions {
    pub(crate) dialect: Dialect,
    pub(crate) layout: Layout,
    pub(crate) rules: ValueRules,
    pub(crate) mode: Mode,
    pub(crate) header: bool,
    pub(crate) infer_schema: bool,
    pub(crate) sampling_ratio: f64,
    pub(crate) prefer_date: bool,
    pub(crate) enforce_schema: bool,
    pub(crate) corrupt_column: String,
}

impl CsvOptions {
    /// Reads the options.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let multi_line = options.flag("multiLine", false)?;
        let framing = match options.get("lineSep") {
            _ if multi_line => Framing::Whole,
            Some("\n" | "\r\n" | "\r") | None => Framing::Lines,
            Some(separator) => Framing::Separated(separator.to_owned()),
        };
        let corrupt = options.get("columnNameOfCorruptRecord").unwrap_or(&settings.corrupt_record_column);
        Ok(Self {
            dialect: Dialect::new(options, false)?,
            layout: Layout::new(framing, options.get_either("encoding", "charset"))?,
            rules: ValueRules::new(options, settings)?,
            mode: Mode::of(options),
            header: options.flag("header", false)?,
            infer_schema: options.flag("inferSchema", false)?,
            sampling_ratio: options.ratio("samplingRatio")?,
            prefer_date: options.flag("preferDate", true)?,
            enforce_schema: options.flag("enforceSchema", true)?,
            corrupt_column: corrupt.to_owned(),
        })
    }
}

impl Dialect {
    /// Reads the options; blanks around values go by default when writing.
    pub(crate) fn new(options: &Options, is_writing: bool) -> Result<Self> {
        let separator = unescape(options.get_either("sep", "delimiter").unwrap_or(","));
        if separator.is_empty() {
            return Err(bad_option("sep", &separator, "non-empty text"));
        }
        let quote = options.character("quote", Some('"'))?;
        let escape = options.character("escape", Some('\\'))?;
        let escape_of_escape = match options.character("charToEscapeQuoteEscaping", None)? {
            None if escape != quote => escape,
            given => given,
        };
        let integer = |name: &str, default: i64| Ok::<_, SparkError>(options.integer(name)?.unwrap_or(default));
        Ok(Self {
            separator,
            quote,
            escape,
            escape_of_escape,
            comment: options.character("comment", None)?,
            trim_start: options.flag("ignoreLeadingWhiteSpace", is_writing)?,
            trim_end: options.flag("ignoreTrailingWhiteSpace", is_writing)?,
            null_value: options.get("nullValue").unwrap_or_default().to_owned(),
            empty_value: options.get("emptyValue").unwrap_or(if is_writing { "\"\"" } else { "" }).to_owned(),
            unescaped_quotes: match options.get("unescapedQuoteHandling").map(str::to_ascii_uppercase).as_deref() {
                None | Some("STOP_AT_DELIMITER" | "BACK_TO_DELIMITER") => UnescapedQuotes::StopAtDelimiter,
                Some("STOP_AT_CLOSING_QUOTE") => UnescapedQuotes::StopAtClosingQuote,
                Some("SKIP_VALUE") => UnescapedQuotes::SkipValue,
                Some("RAISE_ERROR") => UnescapedQuotes::RaiseError,
                Some(other) => return Err(bad_option("unescapedQuoteHandling", other, "way to handle quotes")),
            },
            max_columns: usize::try_from(integer("maxColumns", 20480)?).unwrap_or(usize::MAX),
            max_chars_per_column: usize::try_from(integer("maxCharsPerColumn", -1)?).ok(),
        })
    }
}
