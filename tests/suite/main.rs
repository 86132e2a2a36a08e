//! All tests of the suite are one binary, so that the frameworks are linked only once.

mod connection;
mod core;
mod debug;
mod docs;
mod faults;
mod find;
mod held_open;
mod json_test_suite;
mod panics;
mod printed;
mod properties;
mod rejection;
mod table;
