//! An XML document as a tree.

/// A node's place in its document.
pub(super) type NodeId = usize;

/// The root, above the document's element.
pub(super) const ROOT: NodeId = 0;

/// What a node is.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Root,
    Element(String),
    Attribute(String, String),
    Text(String),
}

/// A node, its parent and what is below it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) parent: NodeId,
    pub(super) children: Vec<NodeId>,
    pub(super) attributes: Vec<NodeId>,
}

/// The nodes of a document, in its order.
#[derive(Debug)]
pub(super) struct Document {
    nodes: Vec<Node>,
}

/// How deep elements may stand in each other.
const DEPTH_MAX: usize = 500;

impl Document {
    /// `None` where the text is no XML.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text.trim_start_matches('\u{feff}'), document: Self { nodes: Vec::new() } };
        parser.document.push(Kind::Root, ROOT);
        parser.skip_misc()?;
        parser.element(ROOT, 0)?;
        parser.skip_misc()?;
        parser.rest.is_empty().then_some(parser.document)
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The document's element.
    pub(super) fn element(&self) -> NodeId {
        self.nodes[ROOT].children.first().copied().unwrap_or(ROOT)
    }

    /// The name of an element or attribute.
    pub(super) fn name(&self, id: NodeId) -> &str {
        match &self.nodes[id].kind {
            Kind::Element(name) | Kind::Attribute(name, _) => name,
            _ => "",
        }
    }

    /// All text at and below a node.
    pub(super) fn text(&self, id: NodeId) -> String {
        match &self.nodes[id].kind {
            Kind::Text(text) | Kind::Attribute(_, text) => text.clone(),
            _ => self.nodes[id].children.iter().map(|child| self.text(*child)).collect(),
        }
    }

    fn push(&mut self, kind: Kind, parent: NodeId) -> NodeId {
        self.nodes.push(Node { kind, parent, children: Vec::new(), attributes: Vec::new() });
        self.nodes.len() - 1
    }

    fn push_text(&mut self, text: &str, parent: NodeId) {
        if let Some(last) = self.nodes[parent].children.last().copied()
            && let Kind::Text(known) = &mut self.nodes[last].kind
        {
            known.push_str(text);
            return;
        }
        let id = self.push(Kind::Text(text.to_owned()), parent);
        self.nodes[parent].children.push(id);
    }
}

struct Parser<'a> {
    rest: &'a str,
    document: Document,
}

impl<'a> Parser<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(end)?;
        self.rest = after;
        Some(before)
    }

    /// Blanks, comments, instructions and the document type.
    fn skip_misc(&mut self) -> Option<()> {
        loop {
            self.skip_blanks();
            if self.take("<!--") {
                self.until("-->")?;
            } else if self.take("<?") {
                self.until("?>")?;
            } else if self.take("<!DOCTYPE") {
                self.until(">")?;
            } else {
                return Some(());
            }
        }
    }

    fn name(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'))).then_some(name)
    }

    fn element(&mut self, parent: NodeId, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX || !self.take("<") {
            return None;
        }
        let name = self.name()?;
        let id = self.document.push(Kind::Element(name.to_owned()), parent);
        self.document.nodes[parent].children.push(id);
        loop {
            self.skip_blanks();
            if self.take("/>") {
                return Some(());
            }
            if self.take(">") {
                break;
            }
            self.attribute(id)?;
        }
        self.content(id, name, depth)
    }

    fn attribute(&mut self, element: NodeId) -> Option<()> {
        let name = self.name()?.to_owned();
        self.skip_blanks();
        if !self.take("=") {
            return None;
        }
        self.skip_blanks();
        let quote = if self.take("\"") { "\"" } else { self.take("'").then_some("'")? };
        let value = unescaped(self.until(quote)?)?;
        let id = self.document.push(Kind::Attribute(name, value), element);
        self.document.nodes[element].attributes.push(id);
        Some(())
    }

    fn content(&mut self, id: NodeId, name: &str, depth: usize) -> Option<()> {
        loop {
            let at = self.rest.find('<')?;
            let (text, rest) = self.rest.split_at(at);
            self.rest = rest;
            if !text.is_empty() {
                self.document.push_text(&unescaped(text)?, id);
            }
            if self.take("</") {
                let ends = self.name()? == name;
                self.skip_blanks();
                return (self.take(">") && ends).then_some(());
            }
            if self.take("<![CDATA[") {
                let text = self.until("]]>")?;
                self.document.push_text(text, id);
            } else if self.take("<!--") {
                self.until("-->")?;
            } else if self.take("<?") {
                self.until("?>")?;
            } else {
                self.element(id, depth + 1)?;
            }
        }
    }
}

/// The text with its entities resolved.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let code = entity.strip_prefix('#')?;
                let number = match code.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => code.parse().ok()?,
                };
                char::from_u32(number)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let document =
            Document::parse("<?xml version='1.0'?><a x=\"1&lt;\"><b>t<!-- c --><![CDATA[<u>]]></b><c/></a>").unwrap();
        let a = document.element();
        assert_eq!((document.name(a), document.text(a)), ("a", "t<u>".to_owned()));
        assert_eq!(document.text(document.node(a).attributes[0]), "1<");
        for wrong in ["", "<a>", "<a></b>", "<a/><b/>", "<a>&x;</a>", "a"] {
            assert!(Document::parse(wrong).is_none(), "{wrong}");
        }
    }
}
