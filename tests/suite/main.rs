//! One binary, so that the frameworks are linked once.

mod core;
