//! What the tests share: the delivery table, servers on loopback, and a client that sends exactly what it is given.

pub mod client;
pub mod counted;
pub mod http2;
pub mod json_test_suite;
pub mod log;
pub mod postgres_server;
pub mod proxy;
pub mod redis_server;
pub mod rejections;
pub mod sample;
pub mod scripted;
pub mod secrecy;
pub mod server;
pub mod table;
pub mod vectors;

/// The README's snippets are tests too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
