//! What the fuzz targets share: inputs as text, the crates' answers, and an oracle that knows what they
//! should be.

pub mod delivery;
pub mod drive;
pub mod exchange;
pub mod fields;
pub mod inner;
pub mod menu;
pub mod observed;
pub mod oracle;
pub mod script;

// Shared with the workspace's tests by path: a dependency on that package would build every adapter.
#[cfg(test)]
#[path = "../../tests/src/json_test_suite.rs"]
pub mod json_test_suite;
#[path = "../../tests/src/scripted.rs"]
pub mod scripted;
#[cfg(test)]
#[path = "../../tests/src/vectors.rs"]
pub mod vectors;
