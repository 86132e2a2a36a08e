//! A JSON body as other libraries would have written it.

use crate::json_members::{Parts, parts};

/// Deeper values than real payloads have are left alone.
const DEEPEST: u8 = 64;

/// How JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) layout: Layout,
    pub(super) order: Order,
    pub(super) escapes: Escapes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As JavaScript and Go do.
    Compact,
    /// As Python does.
    Spaced,
    Indented(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    AsItIs,
    /// By name.
    Sorted,
    /// As the service documents its fields; others behind them.
    Documented,
}

/// What is escaped besides what must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escapes {
    /// `\/`, as PHP does.
    pub(super) slash: bool,
    /// `\u00e9` for all that is not ASCII, as Python and PHP do.
    pub(super) ascii: bool,
    /// `\u003c` for `<`, `>` and `&`, as Go does.
    pub(super) html: bool,
}

impl Style {
    /// Every style, the likelier first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        const LAYOUTS: [Layout; 5] = [
            Layout::Compact,
            Layout::Spaced,
            Layout::Indented("  "),
            Layout::Indented("    "),
            Layout::Indented("\t"),
        ];
        let escapes = (0..8_u8).map(|bits| Escapes {
            slash: bits & 1 > 0,
            ascii: bits & 2 > 0,
            html: bits & 4 > 0,
        });
        escapes.flat_map(|escapes| {
            [Order::AsItIs, Order::Documented, Order::Sorted].into_iter().flat_map(move |order| {
                LAYOUTS.into_iter().map(move |layout| Self { layout, order, escapes })
            })
        })
    }

    pub(super) fn words(self) -> String {
        let mut words = match self.layout {
            Layout::Compact => "written compactly".to_owned(),
            Layout::Spaced => "written with spaces after , and :".to_owned(),
            Layout::Indented("\t") => "indented by tabs".to_owned(),
            Layout::Indented(indent) => format!("indented by {}", indent.len()),
        };
        words.push_str(match self.order {
            Order::AsItIs => "",
            Order::Sorted => ", its members sorted",
            Order::Documented => ", its members in the documented order",
        });
        for (is_escaped, more) in [
            (self.escapes.slash, r", / as \/"),
            (self.escapes.ascii, r", all but ASCII as \u escapes"),
            (self.escapes.html, r", < > & as \u003c \u003e \u0026"),
        ] {
            words.push_str(if is_escaped { more } else { "" });
        }
        words
    }
}

/// A JSON value; numbers, which could be written in many ways, as they stand.
pub(super) enum Node {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Text(String),
    Token(String),
}

impl Node {
    /// `None` where it is not JSON, too deep, or has text that is none.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let whole: Box<serde_json::value::RawValue> = serde_json::from_str(json).ok()?;
        Self::parse_within(whole.get(), DEEPEST)
    }

    fn parse_within(json: &str, depth: u8) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        Some(match parts(json) {
            Some(Parts::Object(members)) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, raw)| Some((name, Self::parse_within(raw.get(), depth)?)))
                    .collect::<Option<_>>()?,
            ),
            Some(Parts::Array(elements)) => Self::Array(
                elements
                    .iter()
                    .map(|raw| Self::parse_within(raw.get(), depth))
                    .collect::<Option<_>>()?,
            ),
            None if json.starts_with('"') => Self::Text(serde_json::from_str(json).ok()?),
            None if json.starts_with(['{', '[']) => return None,
            None => Self::Token(json.to_owned()),
        })
    }

    pub(super) fn write(&self, style: Style) -> String {
        let mut out = String::new();
        Writer { style, out: &mut out }.value(self, 0);
        out
    }
}

struct Writer<'a> {
    style: Style,
    out: &'a mut String,
}

impl Writer<'_> {
    fn value(&mut self, node: &Node, depth: usize) {
        match node {
            Node::Token(token) => self.out.push_str(token),
            Node::Text(text) => self.text(text),
            Node::Array(elements) => {
                self.list('[', ']', elements.iter(), depth, |this, element, depth| {
                    this.value(element, depth);
                })
            }
            Node::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                match self.style.order {
                    Order::AsItIs => {}
                    Order::Sorted => members.sort_by(|(a, _), (b, _)| a.cmp(b)),
                    Order::Documented => members.sort_by_key(|(name, _)| documented_place(name)),
                }
                self.list('{', '}', members.into_iter(), depth, |this, (name, member), depth| {
                    this.text(name);
                    this.out.push_str(if this.style.layout == Layout::Compact {
                        ":"
                    } else {
                        ": "
                    });
                    this.value(member, depth);
                });
            }
        }
    }

    fn list<T>(
        &mut self,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        depth: usize,
        mut write: impl FnMut(&mut Self, T, usize),
    ) {
        let is_empty = items.len() == 0;
        let inside = depth.saturating_add(1);
        self.out.push(open);
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push_str(if self.style.layout == Layout::Spaced { ", " } else { "," });
            }
            self.line(inside);
            write(self, item, inside);
        }
        if !is_empty {
            self.line(depth);
        }
        self.out.push(close);
    }

    fn line(&mut self, depth: usize) {
        if let Layout::Indented(indent) = self.style.layout {
            self.out.push('\n');
            self.out.push_str(&indent.repeat(depth));
        }
    }

    fn text(&mut self, text: &str) {
        let Escapes { slash, ascii, html } = self.style.escapes;
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '/' if slash => self.out.push_str("\\/"),
                '\0'..='\u{1f}' => self.unit(character),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => self.unit(character),
                '\u{7f}'.. if ascii => self.unit(character),
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }

    fn unit(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            self.out.push_str(&format!("\\u{unit:04x}"));
        }
    }
}

/// The place of a documented field among its siblings.
fn documented_place(name: &str) -> usize {
    // No name is of two objects, so that one list orders them all.
    const NAMES: [&str; 15] = [
        "type",
        "repository",
        "org",
        "ref",
        "before",
        "after",
        "customer_id",
        "pushed_at",
        "run_count",
        "is_first_sync",
        "started_at",
        "completed_at",
        "error",
        "id",
        "url",
    ];
    let place = NAMES.iter().position(|documented| *documented == name);
    place.unwrap_or(if name == "repo_name" { NAMES.len() } else { usize::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(json: &str, layout: Layout, order: Order, escapes: [bool; 3]) -> String {
        let [slash, ascii, html] = escapes;
        let style = Style { layout, order, escapes: Escapes { slash, ascii, html } };
        Node::parse(json).unwrap().write(style)
    }

    const PLAIN: [bool; 3] = [false; 3];

    #[test]
    fn json_is_written_as_the_libraries_do() {
        let json = r#" {"b": [1.0, {}], "a/é": "<\u000b\ud83d\ude00>", "e": []} "#;
        assert_eq!(
            write(json, Layout::Compact, Order::AsItIs, PLAIN),
            r#"{"b":[1.0,{}],"a/é":"<\u000b😀>","e":[]}"#
        );
        assert_eq!(
            write(json, Layout::Spaced, Order::Sorted, [true, true, false]),
            r#"{"a\/\u00e9": "<\u000b\ud83d\ude00>", "b": [1.0, {}], "e": []}"#
        );
        assert_eq!(
            write(json, Layout::Indented("  "), Order::AsItIs, [false, false, true]),
            "{\n  \"b\": [\n    1.0,\n    {}\n  ],\n  \"a/é\": \"\\u003c\\u000b😀\\u003e\",\n  \"e\": []\n}"
        );
    }

    #[test]
    fn the_documented_order_is_given_back() {
        let json = r#"{"x":0,"after":1,"before":2,"repository":{"url":3,"id":4,"repo_name":5}}"#;
        assert_eq!(
            write(json, Layout::Compact, Order::Documented, PLAIN),
            r#"{"repository":{"id":4,"url":3,"repo_name":5},"before":2,"after":1,"x":0}"#
        );
    }

    #[test]
    fn what_cannot_be_written_again_is_left_alone() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        for json in ["", "{", "[1,]", r#""\ud800""#, "{} {}", &deep] {
            assert!(Node::parse(json).is_none(), "{json:.20}");
        }
    }

    #[test]
    fn each_style_has_words_of_its_own() {
        let mut words: Vec<_> = Style::all().map(Style::words).collect();
        assert_eq!(words.len(), 120);
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 120);
    }
}
