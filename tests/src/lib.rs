//! What the tests share: the delivery table, servers on loopback, and a client that sends what it is told.

pub mod client;
pub mod sample;
pub mod server;
pub mod vectors;
