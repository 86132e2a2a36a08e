//! Code that the benchmarks share.

pub mod measure;
pub mod rivals;
pub mod sample;
