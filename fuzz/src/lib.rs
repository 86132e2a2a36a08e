//! What the fuzz targets share: inputs as text, the crates' answers, and an oracle that knows what they
//! should be.

pub mod chunks;
pub mod delivery;
pub mod drive;
pub mod exchange;
pub mod fields;
pub mod inner;
pub mod menu;
pub mod observed;
pub mod oracle;
pub mod pairs;
pub mod script;
pub mod seeds;
pub mod signed_body;
mod time;
mod variants;
pub mod vectors;
