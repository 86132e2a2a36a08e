//! Inputs as text: a seed can be read, and a mutation of one field leaves the others where they are.
//!
//! A field ends at a zero byte. `ff` takes the byte behind it as it stands; any other byte of the upper half
//! stands for a piece of the field's menu, so that one byte more or less is a whole member more or less.
//! What is no piece stands for itself, so that nothing is out of reach.

const END: u8 = 0;
const FIRST_PIECE: u8 = 0x80;
const LITERAL: u8 = 0xff;

/// Reads the fields of an input; behind its end they are empty.
#[derive(Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// A field as it stands in the input.
pub struct Field<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub fn field(&mut self) -> Field<'a> {
        let mut end = 0;
        while let Some(&byte) = self.rest.get(end).filter(|byte| **byte != END) {
            end += if byte == LITERAL { 2 } else { 1 };
        }
        let (field, rest) = self.rest.split_at(end.min(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        Field(field)
    }

    /// The last field, which a zero byte does not end.
    pub fn last(self) -> Field<'a> {
        Field(self.rest)
    }
}

impl Field<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn expand<P: AsRef<[u8]>>(&self, menu: &[P]) -> Vec<u8> {
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
    pub fn text(&self) -> Vec<u8> {
        self.expand::<&[u8]>(&[])
    }
}

/// Writes what [`Fields`] reads.
#[derive(Default)]
pub struct FieldWriter {
    input: Vec<u8>,
}

impl FieldWriter {
    pub fn field<P: AsRef<[u8]>>(&mut self, value: &[u8], menu: &[P]) {
        self.last(value, menu);
        self.input.push(END);
    }

    pub fn text(&mut self, value: impl AsRef<[u8]>) {
        self.field::<&[u8]>(value.as_ref(), &[]);
    }

    pub fn last<P: AsRef<[u8]>>(&mut self, mut value: &[u8], menu: &[P]) {
        while let [byte, after @ ..] = value {
            let piece = (FIRST_PIECE..LITERAL)
                .zip(menu)
                .filter(|(_, piece)| {
                    !piece.as_ref().is_empty() && value.starts_with(piece.as_ref())
                })
                .max_by_key(|(_, piece)| piece.as_ref().len());
            value = match piece {
                Some((code, piece)) => {
                    self.input.push(code);
                    &value[piece.as_ref().len()..]
                }
                None => {
                    if matches!(*byte, END | FIRST_PIECE..) {
                        self.input.push(LITERAL);
                    }
                    self.input.push(*byte);
                    after
                }
            };
        }
    }

    pub fn into_input(self) -> Vec<u8> {
        self.input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let menu = ["push", "pushed_at"];
        let every_byte: Vec<u8> = (0..=u8::MAX).collect();
        let mut writer = FieldWriter::default();
        writer.field(b"push pushed_at", &menu);
        writer.field(&every_byte, &menu);
        writer.text("");
        writer.last(b"\0\xff", &menu);
        let input = writer.into_input();
        assert!(input.starts_with(b"\x80 \x81\0"));

        let mut fields = Fields::new(&input);
        assert_eq!(fields.field().expand(&menu), b"push pushed_at");
        assert_eq!(fields.field().expand(&menu), every_byte);
        assert!(fields.field().is_empty());
        assert_eq!(fields.last().expand(&menu), b"\0\xff");
    }

    #[test]
    fn behind_the_end_of_an_input_fields_are_empty() {
        let mut fields = Fields::new(b"a\xff");
        assert_eq!(fields.field().text(), b"a");
        assert!(fields.field().is_empty());
        assert!(fields.last().is_empty());
    }
}
