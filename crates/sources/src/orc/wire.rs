//! The messages of ORC files, as far as they are written.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct PostScript {
    #[prost(uint64, tag = "1")]
    pub(super) footer_length: u64,
    #[prost(int32, optional, tag = "2")]
    pub(super) compression: Option<i32>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) compression_block_size: Option<u64>,
    #[prost(uint32, repeated, tag = "4")]
    pub(super) version: Vec<u32>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) metadata_length: Option<u64>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) writer_version: Option<u32>,
    #[prost(string, tag = "8000")]
    pub(super) magic: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Footer {
    #[prost(uint64, optional, tag = "1")]
    pub(super) header_length: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) content_length: Option<u64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) stripes: Vec<StripeInformation>,
    /// The root first, each before those inside it.
    #[prost(message, repeated, tag = "4")]
    pub(super) types: Vec<Type>,
    #[prost(uint64, optional, tag = "6")]
    pub(super) number_of_rows: Option<u64>,
    #[prost(uint32, optional, tag = "9")]
    pub(super) writer: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StripeInformation {
    #[prost(uint64, optional, tag = "1")]
    pub(super) offset: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) index_length: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) data_length: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) footer_length: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) number_of_rows: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Type {
    #[prost(enumeration = "Kind", optional, tag = "1")]
    pub(super) kind: Option<i32>,
    #[prost(uint32, repeated, tag = "2")]
    pub(super) subtypes: Vec<u32>,
    #[prost(string, repeated, tag = "3")]
    pub(super) field_names: Vec<String>,
    #[prost(uint32, optional, tag = "5")]
    pub(super) precision: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) scale: Option<u32>,
    #[prost(message, repeated, tag = "7")]
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Kind {
    Boolean = 0,
    Byte = 1,
    Short = 2,
    Int = 3,
    Long = 4,
    Float = 5,
    Double = 6,
    String = 7,
    Binary = 8,
    Timestamp = 9,
    List = 10,
    Map = 11,
    Struct = 12,
    Union = 13,
    Decimal = 14,
    Date = 15,
    Varchar = 16,
    Char = 17,
    TimestampInstant = 18,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StripeFooter {
    #[prost(message, repeated, tag = "1")]
    pub(super) streams: Vec<Stream>,
    /// One per column; an empty one is the plain encoding.
    #[prost(message, repeated, tag = "2")]
    pub(super) columns: Vec<ColumnEncoding>,
    #[prost(string, optional, tag = "3")]
    pub(super) writer_timezone: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Stream {
    #[prost(enumeration = "StreamKind", optional, tag = "1")]
    pub(super) kind: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) column: Option<u32>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) length: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum StreamKind {
    Present = 0,
    Data = 1,
    Length = 2,
    Secondary = 5,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ColumnEncoding {
    #[prost(int32, optional, tag = "1")]
    pub(super) kind: Option<i32>,
}
