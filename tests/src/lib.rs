//! What the tests share: the delivery table, servers on loopback, and a client that sends exactly what it is given.

pub mod client;
pub mod http2;
pub mod postgres_server;
pub mod redis_server;
pub mod sample;
pub mod scripted;
pub mod server;
pub mod table;
pub mod vectors;

/// The README's snippets are tests too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
