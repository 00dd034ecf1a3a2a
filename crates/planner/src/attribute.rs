//! Columns as the user sees them and how a name finds them.

use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use firesteel_functions::call::Typed;
use firesteel_spec::types::{FILE_METADATA, quote, quote_if_needed};
use firesteel_spec::{DataType, StructField};

/// The name of file metadata above a select list that does not give it: none that a user writes.
pub(crate) const FILE_OF_ROW: &str = "\u{0}_metadata";

/// A column of a resolved plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its unique name in the logical plan.
    pub column: String,
    /// The name the user knows.
    pub name: String,
    /// The table or alias it came through, outermost part first; empty for a computed column.
    pub qualifier: Vec<String>,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// JSON text of Spark's column metadata.
    pub metadata: Option<String>,
    /// Not part of `*`: the other side's key of a USING join, file metadata.
    pub is_hidden: bool,
}

impl Attribute {
    /// The column in DataFusion's terms.
    pub fn expr(&self) -> Expr {
        Expr::Column(Column::new_unqualified(self.column.clone()))
    }

    /// The column as an expression with its type.
    pub fn typed(&self) -> Typed {
        Typed { expr: self.expr(), data_type: self.data_type.clone(), nullable: self.nullable, sql: self.name.clone() }
    }

    /// The field that the user sees.
    pub fn field(&self) -> StructField {
        StructField {
            name: self.name.clone(),
            data_type: self.data_type.clone(),
            nullable: self.nullable,
            metadata: self.metadata.clone(),
        }
    }

    /// Whether it is the hidden column of a table of files.
    pub(crate) fn is_file_metadata(&self) -> bool {
        self.is_hidden && self.name == FILE_METADATA
    }

    /// Whether it tells the file that a row is from: that column, also above select lists that do not give it.
    pub(crate) fn tells_file(&self) -> bool {
        self.is_file_metadata() || (self.is_hidden && self.name == FILE_OF_ROW)
    }

    /// The name with its qualifier, quoted: what suggestions and messages show.
    pub fn qualified_name(&self) -> String {
        let parts: Vec<_> = self.qualifier.iter().chain([&self.name]).map(|p| quote(p)).collect();
        parts.join(".")
    }
}

/// How names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameMatch {
    /// `spark.sql.caseSensitive`
    pub(crate) case_sensitive: bool,
}

/// What a name found: attributes, and how many of the name's parts were used up; the rest are struct fields.
#[derive(Debug)]
pub(crate) struct NameHit<'a> {
    pub(crate) attributes: Vec<&'a Attribute>,
    pub(crate) parts_used: usize,
}

impl NameMatch {
    /// Whether two names are the same.
    pub(crate) fn same(self, left: &str, right: &str) -> bool {
        if self.case_sensitive {
            left == right
        } else {
            left.eq_ignore_ascii_case(right) || left.to_lowercase() == right.to_lowercase()
        }
    }

    /// Finds a dotted name: qualified matches first (longest qualifier), then the bare column.
    ///
    /// Guarantees: hidden attributes answer only where no visible one does.
    pub(crate) fn find<'a>(self, attributes: &'a [Attribute], parts: &[String]) -> Option<NameHit<'a>> {
        for used in (1..=parts.len().min(4)).rev() {
            let (qualifier, name) = (&parts[..used - 1], &parts[used - 1]);
            let matches = |a: &&Attribute| self.same(&a.name, name) && self.qualifier_ends_with(a, qualifier);
            let mut found: Vec<_> = attributes.iter().filter(|a| !a.is_hidden).filter(matches).collect();
            if found.is_empty() {
                found = attributes.iter().filter(|a| a.is_hidden).filter(matches).collect();
            }
            found.dedup_by(|a, b| a.column == b.column);
            if !found.is_empty() {
                return Some(NameHit { attributes: found, parts_used: used });
            }
        }
        None
    }

    /// Attributes whose qualifier is (or ends with) the target of `t.*`.
    pub(crate) fn qualifier_ends_with(self, attribute: &Attribute, qualifier: &[String]) -> bool {
        let own = &attribute.qualifier;
        qualifier.len() <= own.len()
            && own[own.len() - qualifier.len()..].iter().zip(qualifier).all(|(a, b)| self.same(a, b))
    }
}

/// Up to five names nearest to the one that was not found, best first, quoted for the message.
pub(crate) fn suggestions(attributes: &[Attribute], parts: &[String]) -> Vec<String> {
    let wanted = parts.join(".").to_lowercase();
    let mut scored: Vec<(usize, String)> = Vec::new();
    let several_qualifiers = attributes.iter().any(|a| a.qualifier != attributes[0].qualifier);
    for attribute in attributes.iter().filter(|a| !a.is_hidden) {
        let shown = if several_qualifiers { attribute.qualified_name() } else { quote(&attribute.name) };
        let compared = if parts.len() > 1 || several_qualifiers {
            attribute.qualifier.iter().chain([&attribute.name]).cloned().collect::<Vec<_>>().join(".")
        } else {
            attribute.name.clone()
        };
        let score = edit_distance(&wanted, &compared.to_lowercase());
        if !scored.iter().any(|(_, name)| *name == shown) {
            scored.push((score, shown));
        }
    }
    scored.sort();
    scored.into_iter().take(5).map(|(_, name)| name).collect()
}

/// The dotted name, each part quoted where it must be.
pub(crate) fn dotted(parts: &[String]) -> String {
    parts.iter().map(|p| quote_if_needed(p)).collect::<Vec<_>>().join(".")
}

pub(crate) fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substitute = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(qualifier: &[&str], name: &str) -> Attribute {
        Attribute {
            column: format!("{name}#{}", qualifier.join("_")),
            name: name.to_owned(),
            qualifier: qualifier.iter().map(|q| (*q).to_owned()).collect(),
            data_type: DataType::Long,
            nullable: true,
            metadata: None,
            is_hidden: false,
        }
    }

    fn parts(name: &str) -> Vec<String> {
        name.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn names_find_columns_by_qualifier_case_and_field() {
        let names = NameMatch { case_sensitive: false };
        let columns = [attribute(&["db", "t"], "A"), attribute(&["u"], "b"), attribute(&["u"], "a")];
        assert_eq!(names.find(&columns, &parts("a")).map(|h| h.attributes.len()), Some(2));
        assert_eq!(names.find(&columns, &parts("t.a")).map(|h| (h.attributes.len(), h.parts_used)), Some((1, 2)));
        assert_eq!(names.find(&columns, &parts("db.T.a.x")).map(|h| h.parts_used), Some(3));
        assert_eq!(names.find(&columns, &parts("b.x.y")).map(|h| h.parts_used), Some(1));
        assert!(names.find(&columns, &parts("v.a")).is_none());
        assert!(NameMatch { case_sensitive: true }.find(&columns, &parts("B")).is_none());
    }

    #[test]
    fn suggestions_come_nearest_first() {
        let columns = [attribute(&[], "country"), attribute(&[], "count"), attribute(&[], "zone")];
        assert_eq!(suggestions(&columns, &parts("coumtry")), ["`country`", "`count`", "`zone`"]);
    }
}
