//! Writes JSON in a style.

use std::fmt::Write as _;

use super::{
    node::Node,
    style::{Escapes, Layout, Order, Style},
};

/// Writes a value in a style.
pub(in crate::explain::forms) fn write(node: &Node, style: Style) -> String {
    let mut out = String::new();
    Writer { style, out: &mut out }.value(node, 0);
    out
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
                    Order::AsGiven => {}
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
            let _ = write!(self.out, "\\u{unit:04x}");
        }
    }
}

/// Returns the position of a documented field among its siblings.
fn documented_place(name: &str) -> usize {
    // No two objects share a field name, so one list orders all of them.
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
        super::write(&Node::parse(json).unwrap(), style)
    }

    const PLAIN: [bool; 3] = [false; 3];

    #[test]
    fn json_is_written_the_way_the_libraries_do() {
        let json = r#" {"b": [1.0, {}], "a/é": "<\u000b\ud83d\ude00>", "e": []} "#;
        assert_eq!(
            write(json, Layout::Compact, Order::AsGiven, PLAIN),
            r#"{"b":[1.0,{}],"a/é":"<\u000b😀>","e":[]}"#
        );
        assert_eq!(
            write(json, Layout::Spaced, Order::Sorted, [true, true, false]),
            r#"{"a\/\u00e9": "<\u000b\ud83d\ude00>", "b": [1.0, {}], "e": []}"#
        );
        assert_eq!(
            write(json, Layout::Indented("  "), Order::AsGiven, [false, false, true]),
            "{\n  \"b\": [\n    1.0,\n    {}\n  ],\n  \"a/é\": \"\\u003c\\u000b😀\\u003e\",\n  \"e\": []\n}"
        );
    }

    #[test]
    fn fields_are_put_into_the_documented_order() {
        let json = r#"{"x":0,"after":1,"before":2,"repository":{"url":3,"id":4,"repo_name":5}}"#;
        assert_eq!(
            write(json, Layout::Compact, Order::Documented, PLAIN),
            r#"{"repository":{"id":4,"url":3,"repo_name":5},"before":2,"after":1,"x":0}"#
        );
    }
}
