//! One binary, so that the frameworks are linked once.

mod bodies;
mod compositions;
mod connection;
mod core;
mod docs;
mod faults;
mod find;
mod panics;
mod printed;
mod properties;
mod rejection;
mod table;
mod trace;
