//! One binary, so that the frameworks are linked once.

mod connection;
mod core;
mod table;
