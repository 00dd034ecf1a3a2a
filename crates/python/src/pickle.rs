//! [`PythonValue`]: constants in Python's pickle format, as little of it as Spark's values need.

/// A value as Spark keeps it: dates are days, moments microseconds, structs tuples.
#[derive(Clone, Debug, PartialEq)]
pub enum PythonValue {
    /// `None`
    None,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `decimal.Decimal`, by its digits.
    Decimal(String),
    /// `str`
    Text(String),
    /// `bytes`
    Bytes(Vec<u8>),
    /// `list`
    List(Vec<PythonValue>),
    /// `tuple`
    Tuple(Vec<PythonValue>),
    /// `dict`
    Dict(Vec<(PythonValue, PythonValue)>),
}

/// Opcodes of pickle's protocol 3.
mod opcode {
    pub(super) const PROTOCOL: &[u8] = &[0x80, 3];
    pub(super) const STOP: u8 = b'.';
    pub(super) const MARK: u8 = b'(';
    pub(super) const NONE: u8 = b'N';
    pub(super) const TRUE: u8 = 0x88;
    pub(super) const FALSE: u8 = 0x89;
    pub(super) const LONG: u8 = 0x8a;
    pub(super) const FLOAT: u8 = b'G';
    pub(super) const TEXT: u8 = b'X';
    pub(super) const BYTES: u8 = b'B';
    pub(super) const EMPTY_LIST: u8 = b']';
    pub(super) const APPENDS: u8 = b'e';
    pub(super) const TUPLE: u8 = b't';
    pub(super) const TUPLE_OF_ONE: u8 = 0x85;
    pub(super) const EMPTY_DICT: u8 = b'}';
    pub(super) const SET_ITEMS: u8 = b'u';
    pub(super) const DECIMAL: &[u8] = b"cdecimal\nDecimal\n";
    pub(super) const CALL: u8 = b'R';
}

impl PythonValue {
    /// The value, pickled.
    pub fn pickled(&self) -> Vec<u8> {
        let mut bytes = opcode::PROTOCOL.to_vec();
        self.write(&mut bytes);
        bytes.push(opcode::STOP);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::None => bytes.push(opcode::NONE),
            Self::Bool(true) => bytes.push(opcode::TRUE),
            Self::Bool(false) => bytes.push(opcode::FALSE),
            Self::Int(value) => {
                bytes.extend([opcode::LONG, 8]);
                bytes.extend(value.to_le_bytes());
            }
            Self::Float(value) => {
                bytes.push(opcode::FLOAT);
                bytes.extend(value.to_be_bytes());
            }
            Self::Decimal(digits) => {
                bytes.extend(opcode::DECIMAL);
                sized(bytes, opcode::TEXT, digits.as_bytes());
                bytes.extend([opcode::TUPLE_OF_ONE, opcode::CALL]);
            }
            Self::Text(text) => sized(bytes, opcode::TEXT, text.as_bytes()),
            Self::Bytes(value) => sized(bytes, opcode::BYTES, value),
            Self::List(values) => {
                bytes.extend([opcode::EMPTY_LIST, opcode::MARK]);
                values.iter().for_each(|value| value.write(bytes));
                bytes.push(opcode::APPENDS);
            }
            Self::Tuple(values) => {
                bytes.push(opcode::MARK);
                values.iter().for_each(|value| value.write(bytes));
                bytes.push(opcode::TUPLE);
            }
            Self::Dict(entries) => {
                bytes.extend([opcode::EMPTY_DICT, opcode::MARK]);
                for (key, value) in entries {
                    key.write(bytes);
                    value.write(bytes);
                }
                bytes.push(opcode::SET_ITEMS);
            }
        }
    }
}

/// Bytes after their number; no constant of a query comes near the limit.
fn sized(bytes: &mut Vec<u8>, opcode: u8, value: &[u8]) {
    bytes.push(opcode);
    bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_python_reads_them() {
        let text = PythonValue::Text("é".to_owned());
        assert_eq!(text.pickled(), [&[0x80, 3, b'X', 2, 0, 0, 0][..], "é".as_bytes(), b"."].concat());
        assert_eq!(PythonValue::Int(-1).pickled(), [&[0x80, 3, 0x8a, 8][..], &[255; 8], b"."].concat());
        let nested = PythonValue::List(vec![PythonValue::Tuple(vec![PythonValue::None]), PythonValue::Bool(true)]);
        assert_eq!(nested.pickled(), [&[0x80, 3][..], b"](", b"(Nt", &[0x88], b"e."].concat());
    }
}
