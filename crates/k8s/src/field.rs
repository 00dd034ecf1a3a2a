//! Where in a resource something stands: `spec.conf."spark.sql.shuffle.partitions"`.

use std::fmt;
use std::str::FromStr;

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The field or key of this name.
    Key(String),
    /// The item at this place, from 0.
    Index(usize),
}

/// The way from a resource's root to one of its values; empty for the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(pub Vec<Segment>);

/// A rule that a resource breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct FieldError {
    /// The value at fault.
    pub path: FieldPath,
    /// What is wrong with it.
    pub message: String,
}

/// Text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldPathError {
    /// Two dots in a row, or a dot at an end.
    #[error("an empty name between dots")]
    EmptyName,
    /// A quotation mark without its partner.
    #[error("a quotation mark is not closed")]
    Unclosed,
    /// Square brackets without a number.
    #[error("\"[{0}\" is no index; write for example [0]")]
    Index(String),
    /// Something between a closing mark and the next dot.
    #[error("\"{0}\" follows a closed name; a dot belongs there")]
    Trailing(String),
}

impl FieldPath {
    /// This path and one more field.
    #[must_use]
    pub fn key(&self, name: impl Into<String>) -> Self {
        self.and(Segment::Key(name.into()))
    }

    /// This path and an item of the list there.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.and(Segment::Index(index))
    }

    /// Both ways, one after the other.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// The path of the value that holds this one; the root's is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    fn and(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

/// Names that hold a dot stand in quotation marks.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(name) => {
                    if place > 0 {
                        f.write_str(".")?;
                    }
                    if name.is_empty() || name.contains(['.', '[', '"', ' ']) {
                        write!(f, "\"{name}\"")?;
                    } else {
                        f.write_str(name)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (name, after) = quoted.split_once('"').ok_or(FieldPathError::Unclosed)?;
                segments.push(Segment::Key(name.to_owned()));
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(FieldPathError::EmptyName);
                }
                segments.push(Segment::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            while let Some(bracket) = rest.strip_prefix('[') {
                let fail = || FieldPathError::Index(bracket.to_owned());
                let (index, after) = bracket.split_once(']').ok_or_else(fail)?;
                segments.push(Segment::Index(index.parse().map_err(|_| fail())?));
                rest = after;
            }
            if rest.is_empty() {
                return Ok(Self(segments));
            }
            rest = rest.strip_prefix('.').ok_or_else(|| FieldPathError::Trailing(rest.to_owned()))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_it_is_shown() {
        for text in ["spec", "spec.executor.count", "spec.conf.\"spark.sql.ansi.enabled\"", "spec.args[2]", "a[0][1].b"]
        {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn malformed_paths_are_refused() {
        for (text, error) in [
            ("", FieldPathError::EmptyName),
            ("spec..count", FieldPathError::EmptyName),
            ("spec.", FieldPathError::EmptyName),
            ("spec.\"a", FieldPathError::Unclosed),
            ("args[x]", FieldPathError::Index("x]".into())),
            ("args[1", FieldPathError::Index("1".into())),
            ("\"a\"b", FieldPathError::Trailing("b".into())),
        ] {
            assert_eq!(text.parse::<FieldPath>(), Err(error), "{text}");
        }
    }
}
