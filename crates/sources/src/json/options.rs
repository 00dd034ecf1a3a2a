//! Spark's options of JSON.

use firesteel_model::Result;

use crate::options::Options;
use crate::settings::Settings;
use crate::text::chunks::{Framing, Layout};
use crate::text::mode::Mode;
use crate::text::parse::ValueRules;

/// What the parser lets pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leniency {
    pub(crate) comments: bool,
    pub(crate) unquoted_names: bool,
    pub(crate) single_quotes: bool,
    pub(crate) leading_zeros: bool,
    pub(crate) non_numeric: bool,
    pub(crate) any_escape: bool,
    pub(crate) control_characters: bool,
}

/// The options of a JSON read.
#[derive(Clone, Debug)]
pub(crate) struct JsonOptions {
    pub(crate) layout: Layout,
    pub(crate) rules: ValueRules,
    pub(crate) mode: Mode,
    pub(crate) leniency: Leniency,
    pub(crate) primitives_as_string: bool,
    pub(crate) prefers_decimal: bool,
    pub(crate) drop_field_if_all_null: bool,
    pub(crate) infer_timestamp: bool,
    pub(crate) sampling_ratio: f64,
    pub(crate) corrupt_column: String,
}

impl JsonOptions {
    /// Reads the options.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let framing = match options.get("lineSep") {
            _ if options.flag("multiLine", false)? => Framing::Whole,
            Some("\n" | "\r\n" | "\r") | None => Framing::Lines,
            Some(separator) => Framing::Separated(separator.to_owned()),
        };
        let corrupt = options.get("columnNameOfCorruptRecord").unwrap_or(&settings.corrupt_record_column);
        Ok(Self {
            layout: Layout::new(framing, options.get_either("encoding", "charset"))?,
            rules: ValueRules::new(options, settings)?,
            mode: Mode::of(options),
            leniency: Leniency {
                comments: options.flag("allowComments", false)?,
                unquoted_names: options.flag("allowUnquotedFieldNames", false)?,
                single_quotes: options.flag("allowSingleQuotes", true)?,
                leading_zeros: options.flag("allowNumericLeadingZeros", false)?,
                non_numeric: options.flag("allowNonNumericNumbers", true)?,
                any_escape: options.flag("allowBackslashEscapingAnyCharacter", false)?,
                control_characters: options.flag("allowUnquotedControlChars", false)?,
            },
            primitives_as_string: options.flag("primitivesAsString", false)?,
            prefers_decimal: options.flag("prefersDecimal", false)?,
            drop_field_if_all_null: options.flag("dropFieldIfAllNull", false)?,
            infer_timestamp: options.flag("inferTimestamp", false)?,
            sampling_ratio: options.ratio("samplingRatio")?,
            corrupt_column: corrupt.to_owned(),
        })
    }
}
