//! RFC 8259, nothing more: read in a loop, and kept in one list, so that no depth can exhaust the stack.

/// A JSON text. A value is named by its place.
#[derive(Debug)]
pub(super) struct Json<'a> {
    values: Vec<Value<'a>>,
    root: usize,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Boolean(bool),
    /// As it is spelled.
    Number(&'a str),
    Text(Text),
    Array(Vec<usize>),
    Object(Vec<(Text, usize)>),
}

/// A string; `None` where an escape is half of a surrogate pair, which no text can hold.
pub(super) type Text = Option<String>;

impl<'a> Json<'a> {
    pub(super) fn root(&self) -> &Value<'a> {
        &self.values[self.root]
    }

    pub(super) fn value(&self, place: usize) -> &Value<'a> {
        &self.values[place]
    }

    /// Whether a value or one inside of it holds a lone surrogate, or a number out of every range.
    pub(super) fn holds_what_no_type_holds(&self, place: usize) -> bool {
        let mut places = vec![place];
        while let Some(place) = places.pop() {
            let is_such = match self.value(place) {
                Value::Null | Value::Boolean(_) => false,
                Value::Number(number) => number.parse::<f64>().is_ok_and(f64::is_infinite),
                Value::Text(text) => text.is_none(),
                Value::Array(items) => {
                    places.extend(items);
                    false
                }
                Value::Object(members) => {
                    places.extend(members.iter().map(|(_, place)| place));
                    members.iter().any(|(name, _)| name.is_none())
                }
            };
            if is_such {
                return true;
            }
        }
        false
    }
}

/// `None` where it is not one JSON value with white space around it.
pub(super) fn parse(text: &str) -> Option<Json<'_>> {
    enum Open {
        Array(Vec<usize>),
        Object(Vec<(Text, usize)>, Text),
    }

    let mut reader = Reader { text };
    let mut values = Vec::new();
    let mut open = Vec::new();
    loop {
        // A value begins here, or a container whose first value does.
        reader.skip_space();
        let value = if reader.eat("[") {
            reader.skip_space();
            if !reader.eat("]") {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            Value::Array(Vec::new())
        } else if reader.eat("{") {
            reader.skip_space();
            if !reader.eat("}") {
                open.push(Open::Object(Vec::new(), reader.name()?));
                continue;
            }
            Value::Object(Vec::new())
        } else {
            reader.scalar()?
        };
        values.push(value);

        // A value ends here, and with it perhaps what it stands in.
        loop {
            let place = values.len() - 1;
            reader.skip_space();
            let container = match open.pop() {
                None if reader.text.is_empty() => return Some(Json { values, root: place }),
                None => return None,
                Some(Open::Array(mut items)) => {
                    items.push(place);
                    if reader.eat(",") {
                        open.push(Open::Array(items));
                        break;
                    }
                    reader.expect("]")?;
                    Value::Array(items)
                }
                Some(Open::Object(mut members, name)) => {
                    members.push((name, place));
                    if reader.eat(",") {
                        reader.skip_space();
                        open.push(Open::Object(members, reader.name()?));
                        break;
                    }
                    reader.expect("}")?;
                    Value::Object(members)
                }
            };
            values.push(container);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.text = self.text.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        let after = self.text.strip_prefix(token);
        self.text = after.unwrap_or(self.text);
        after.is_some()
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.eat(token).then_some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.text.chars();
        let next = characters.next();
        self.text = characters.as_str();
        next
    }

    fn scalar(&mut self) -> Option<Value<'a>> {
        if self.eat("null") {
            Some(Value::Null)
        } else if self.eat("true") {
            Some(Value::Boolean(true))
        } else if self.eat("false") {
            Some(Value::Boolean(false))
        } else if self.text.starts_with('"') {
            self.string().map(Value::Text)
        } else {
            self.number().map(Value::Number)
        }
    }

    fn name(&mut self) -> Option<Text> {
        let name = self.string()?;
        self.skip_space();
        self.expect(":")?;
        Some(name)
    }

    fn number(&mut self) -> Option<&'a str> {
        let start = self.text;
        self.eat("-");
        if !self.eat("0") {
            self.digits()?;
        }
        if self.eat(".") {
            self.digits()?;
        }
        if self.eat("e") || self.eat("E") {
            let _ = self.eat("+") || self.eat("-");
            self.digits()?;
        }
        Some(&start[..start.len() - self.text.len()])
    }

    /// One or more.
    fn digits(&mut self) -> Option<()> {
        let after = self.text.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let is_any = after.len() < self.text.len();
        self.text = after;
        is_any.then_some(())
    }

    /// Gathered as UTF-16, in which escapes are written: two of them may be one character.
    fn string(&mut self) -> Option<Text> {
        self.expect("\"")?;
        let mut units = Vec::new();
        loop {
            let character = match self.next()? {
                '"' => return Some(String::from_utf16(&units).ok()),
                '\0'..='\x1f' => return None,
                '\\' => match self.next()? {
                    'b' => '\x08',
                    'f' => '\x0c',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        units.push(self.unit()?);
                        continue;
                    }
                    itself @ ('"' | '\\' | '/') => itself,
                    _ => return None,
                },
                character => character,
            };
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }

    fn unit(&mut self) -> Option<u16> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + self.next()?.to_digit(16)?;
        }
        unit.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_rfc_8259_and_nothing_more() {
        for json in [
            "0",
            "-0",
            "10",
            "-1.50e+07",
            "1E400",
            " \t\r\n[ ] ",
            "{}",
            "[1,[2],{\"a\":{}}]",
            r#""\ud800""#,
            r#"{"a":1,"a":2}"#,
            r#""\u00e9é\"\/""#,
            "\"\x7f\"",
        ] {
            assert!(parse(json).is_some(), "{json}");
        }
        for other in [
            "",
            " ",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1e",
            "0x1",
            "NaN",
            "[1,]",
            "[,1]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "'a'",
            "\"",
            "\"\n\"",
            r#""\x""#,
            r#""\u12g4""#,
            "nul",
            "1 2",
            "[1",
            "{\"a\":1",
            "[1}",
            "\u{feff}0",
            "\x0c0",
            "[] x",
            "True",
        ] {
            assert!(parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn two_escapes_may_be_one_character() {
        let text = |json| match parse(json) {
            Some(json) => match json.root() {
                Value::Text(text) => text.clone(),
                other => panic!("{other:?}"),
            },
            None => panic!("{json}"),
        };
        assert_eq!(text(r#""\ud83d\ude00""#).as_deref(), Some("\u{1f600}"));
        assert_eq!(text(r#""\ude00\ud83d""#), None);
        assert_eq!(text(r#""\ud83d \ude00""#), None);
    }

    #[test]
    fn depth_is_no_matter() {
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert!(parse(&deep).is_some_and(|json| !json.holds_what_no_type_holds(json.root)));
    }
}
