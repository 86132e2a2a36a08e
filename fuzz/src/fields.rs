//! Inputs as text: a seed can be read, and a mutation of one field leaves the others where they are.
//!
//! A field ends at a zero byte. `ff` takes the next byte literally. Any other byte from `80` on stands for a
//! piece of the field's menu, so one byte more or less is a whole member more or less. In a field without a
//! menu it stands for itself.

const END: u8 = 0;
const FIRST_PIECE: u8 = 0x80;
const LITERAL: u8 = 0xff;

/// A header: its name and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Reads the fields of an input. After its end they are empty.
#[derive(Clone)]
pub struct Fields<'a>(&'a [u8]);

/// A field as it stands in the input.
#[derive(Clone, Copy)]
pub struct Field<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub fn field(&mut self) -> Field<'a> {
        let mut end = 0;
        while let Some(&byte) = self.0.get(end).filter(|byte| **byte != END) {
            end += if byte == LITERAL { 2 } else { 1 };
        }
        let (field, rest) = self.0.split_at(end.min(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        Field(field)
    }

    /// The fields up to an empty one.
    pub fn list(&mut self) -> Vec<Field<'a>> {
        std::iter::from_fn(|| Some(self.field()).filter(|field| !field.0.is_empty())).collect()
    }

    /// Headers, a field each for name and value, up to an empty name.
    pub fn pairs(&mut self, value: impl Fn(Field<'a>) -> Vec<u8>) -> Vec<Pair> {
        let mut pairs = Vec::new();
        loop {
            let name = self.field();
            if name.0.is_empty() {
                return pairs;
            }
            pairs.push((name.expand(crate::menu::NAMES), value(self.field())));
        }
    }

    /// The last field, which a zero byte does not end.
    pub fn last(self) -> Field<'a> {
        Field(self.0)
    }
}

impl Field<'_> {
    pub fn expand<P: AsRef<[u8]>>(self, menu: &[P]) -> Vec<u8> {
        let mut expanded = Vec::new();
        let mut bytes = self.0.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                LITERAL => expanded.extend(bytes.next()),
                FIRST_PIECE.. if !menu.is_empty() => {
                    let piece = usize::from(byte - FIRST_PIECE) % menu.len();
                    expanded.extend(menu[piece].as_ref());
                }
                _ => expanded.push(byte),
            }
        }
        expanded
    }

    /// Without a menu: what a number or a script is written in.
    pub fn text(self) -> Vec<u8> {
        self.expand::<&[u8]>(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_text_pieces_and_literal_bytes() {
        let mut fields = Fields::new(b"\x80 \x81\x82\0\xff\x80\xff\0\0a\0b\0\0\x00\x80");
        assert_eq!(fields.field().expand(&["push", "ping"]), b"push pingpush");
        assert_eq!(fields.field().expand(&["push", "ping"]), b"\x80\0");
        assert_eq!(fields.list().len(), 2);
        assert_eq!(fields.last().text(), b"\0\x80");
        assert_eq!(Fields::new(b"\xff").field().text(), b"");
    }
}
