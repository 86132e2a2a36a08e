//! A body to be signed: the input of the target `body`.

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};

use crate::{
    chunks::Chunks,
    fields::{FieldWriter, Fields},
    menu,
};

#[derive(Debug, PartialEq)]
pub struct SignedBody {
    pub chunks: Chunks,
    pub body: Vec<u8>,
}

impl SignedBody {
    pub fn to_input(&self) -> Vec<u8> {
        let mut writer = FieldWriter::default();
        writer.text(&self.chunks.sizes);
        writer.last(&self.body, menu::JSON);
        writer.into_input()
    }
}

impl<'a> Arbitrary<'a> for SignedBody {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut fields = Fields::new(u.bytes(u.len())?);
        let chunks = Chunks { sizes: fields.field().text() };
        Ok(Self { chunks, body: fields.last().expand(menu::JSON) })
    }
}
