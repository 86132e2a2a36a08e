//! All tests of the suite are one binary, so that the frameworks are linked only once.

mod bodies;
mod compositions;
mod connection;
mod core;
mod docs;
mod faults;
mod find;
mod held_open;
mod json_test_suite;
mod panics;
mod printed;
mod properties;
mod readiness;
mod rejection;
mod table;
mod trace;
