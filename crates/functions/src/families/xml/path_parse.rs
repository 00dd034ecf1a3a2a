//! XPath 1.0 as a tree.

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    Negative(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    /// Steps from the root, from the nodes at hand, or from what an expression gives.
    Path {
        start: Start,
        steps: Vec<Step>,
    },
}

/// Where a path begins.
#[derive(Clone, Debug)]
pub(super) enum Start {
    Root,
    Here,
    Of(Box<Expr>, Vec<Expr>),
}

/// A step of a path.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expr>,
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axis {
    Child,
    Attribute,
    Itself,
    Parent,
    Descendant,
    DescendantOrItself,
    Ancestor,
    FollowingSibling,
    PrecedingSibling,
}

/// Which nodes a step keeps.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Any,
    Name(String),
    Text,
    Node,
}

/// Operators from the weakest to the strongest.
const LEVELS: &[&[&str]] =
    &[&["or"], &["and"], &["!=", "="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "div", "mod"], &["|"]];

/// How deep expressions may stand in each other.
const DEPTH_MAX: usize = 100;

/// `None` where the text is no XPath, or uses what is not supported.
pub(super) fn parse(text: &str) -> Option<Expr> {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    let expr = parser.binary(0)?;
    parser.blanks();
    parser.rest.is_empty().then_some(expr)
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

impl<'a> Parser<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(token) {
            // A word ends where its letters end.
            Some(rest) if !(token.starts_with(char::is_alphabetic) && rest.starts_with(is_name)) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn binary(&mut self, level: usize) -> Option<Expr> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        self.depth += 1;
        if self.depth > DEPTH_MAX * LEVELS.len() {
            return None;
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            left = Expr::Binary(operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn unary(&mut self) -> Option<Expr> {
        if self.take("-") {
            return Some(Expr::Negative(Box::new(self.unary()?)));
        }
        self.blanks();
        let first = self.rest.chars().next()?;
        if first.is_ascii_digit() || (first == '.' && self.rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            let end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(self.rest.len());
            let (digits, rest) = self.rest.split_at(end);
            self.rest = rest;
            return digits.parse().ok().map(Expr::Number);
        }
        if matches!(first, '\'' | '"') {
            let (text, rest) = self.rest[1..].split_once(first)?;
            self.rest = rest;
            return Some(Expr::Text(text.to_owned()));
        }
        if first == '(' {
            self.take("(");
            let inner = self.binary(0)?;
            if !self.take(")") {
                return None;
            }
            return self.after(inner);
        }
        if let Some(call) = self.call() {
            return self.after(call?);
        }
        self.path()
    }

    /// Predicates and steps behind an expression.
    fn after(&mut self, inner: Expr) -> Option<Expr> {
        let predicates = self.predicates()?;
        self.blanks();
        if predicates.is_empty() && !self.rest.starts_with('/') {
            return Some(inner);
        }
        let mut steps = Vec::new();
        if self.rest.starts_with('/') {
            self.separator(&mut steps);
            self.steps(&mut steps)?;
        }
        Some(Expr::Path { start: Start::Of(Box::new(inner), predicates), steps })
    }

    /// A call of a function; `None` where none begins here.
    fn call(&mut self) -> Option<Option<Expr>> {
        let end = self.rest.find(|c: char| !is_name(c))?;
        let (name, rest) = self.rest.split_at(end);
        if !rest.trim_start().starts_with('(') || matches!(name, "text" | "node" | "comment" | "") {
            return None;
        }
        self.rest = rest;
        self.take("(");
        let mut arguments = Vec::new();
        if self.take(")") {
            return Some(Some(Expr::Call(name.to_owned(), arguments)));
        }
        loop {
            match self.binary(0) {
                Some(argument) => arguments.push(argument),
                None => return Some(None),
            }
            if self.take(")") {
                return Some(Some(Expr::Call(name.to_owned(), arguments)));
            }
            if !self.take(",") {
                return Some(None);
            }
        }
    }

    fn path(&mut self) -> Option<Expr> {
        let mut steps = Vec::new();
        let start = if self.rest.starts_with('/') { Start::Root } else { Start::Here };
        if self.rest == "/" {
            self.rest = "";
            return Some(Expr::Path { start, steps });
        }
        self.separator(&mut steps);
        self.steps(&mut steps)?;
        Some(Expr::Path { start, steps })
    }

    /// `/` or `//`
    fn separator(&mut self, steps: &mut Vec<Step>) -> bool {
        if self.take("//") {
            steps.push(Step { axis: Axis::DescendantOrItself, test: Test::Node, predicates: Vec::new() });
            return true;
        }
        self.take("/")
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Option<()> {
        loop {
            let step = self.step()?;
            steps.push(step);
            if !self.separator(steps) {
                return Some(());
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        if self.take("..") {
            return Some(Step { axis: Axis::Parent, test: Test::Node, predicates: Vec::new() });
        }
        if self.take(".") {
            return Some(Step { axis: Axis::Itself, test: Test::Node, predicates: Vec::new() });
        }
        let axis = self.axis();
        let test = if self.take("*") {
            Test::Any
        } else {
            let end = self.rest.find(|c: char| !(is_name(c))).unwrap_or(self.rest.len());
            let (name, rest) = self.rest.split_at(end);
            if name.is_empty() {
                return None;
            }
            self.rest = rest;
            match (name, self.take("()")) {
                ("text", true) => Test::Text,
                ("node", true) => Test::Node,
                (_, true) => return None,
                (name, false) => Test::Name(name.to_owned()),
            }
        };
        Some(Step { axis, test, predicates: self.predicates()? })
    }

    fn axis(&mut self) -> Axis {
        const AXES: [(&str, Axis); 10] = [
            ("@", Axis::Attribute),
            ("attribute::", Axis::Attribute),
            ("child::", Axis::Child),
            ("self::", Axis::Itself),
            ("parent::", Axis::Parent),
            ("descendant-or-self::", Axis::DescendantOrItself),
            ("descendant::", Axis::Descendant),
            ("ancestor::", Axis::Ancestor),
            ("following-sibling::", Axis::FollowingSibling),
            ("preceding-sibling::", Axis::PrecedingSibling),
        ];
        self.blanks();
        for (text, axis) in AXES {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return axis;
            }
        }
        Axis::Child
    }

    fn predicates(&mut self) -> Option<Vec<Expr>> {
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.binary(0)?);
            if !self.take("]") {
                return None;
            }
        }
        Some(predicates)
    }
}
