//! Headers as pairs: a field each for name and value, until a name is empty.

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};

use crate::{
    fields::{FieldWriter, Fields},
    menu,
};

pub type Pair = (Vec<u8>, Vec<u8>);

/// The input of the target `headers`.
#[derive(Debug, PartialEq)]
pub struct Pairs {
    pub pairs: Vec<Pair>,
}

impl Pairs {
    pub fn to_input(&self) -> Vec<u8> {
        let mut writer = FieldWriter::default();
        write(&self.pairs, menu::VALUES, &mut writer);
        writer.into_input()
    }
}

impl<'a> Arbitrary<'a> for Pairs {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut fields = Fields::new(u.bytes(u.len())?);
        let pairs = read(&mut fields, |value| value.expand(menu::VALUES));
        Ok(Self { pairs })
    }
}

pub(crate) fn read<'a>(
    fields: &mut Fields<'a>,
    value: impl Fn(&crate::fields::Field<'a>) -> Vec<u8>,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    loop {
        let name = fields.field();
        if name.is_empty() {
            return pairs;
        }
        pairs.push((name.expand(menu::NAMES), value(&fields.field())));
    }
}

pub(crate) fn write<P: AsRef<[u8]>>(pairs: &[Pair], values: &[P], writer: &mut FieldWriter) {
    for (name, value) in pairs {
        writer.field(name, menu::NAMES);
        writer.field(value, values);
    }
    writer.text("");
}
