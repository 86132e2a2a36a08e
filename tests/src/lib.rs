//! What the tests share: the delivery table, servers on loopback, and a client that sends what it is told.

pub mod client;
pub mod http2;
pub mod redis_server;
pub mod sample;
pub mod scripted;
pub mod server;
pub mod table;
pub mod vectors;

/// Its snippets are tests too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
