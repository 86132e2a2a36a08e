//! Tests the command as a user runs it: the real binary, real servers on loopback, temporary directories.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "a test may fail by panicking")]

mod command;
mod folder;
mod receivers;
mod stub_server;

mod attack;
mod explain;
#[cfg(feature = "inbox")]
mod inbox;
mod listen;
mod listen_forward;
mod replay;
mod scenario;
mod send;
#[cfg(unix)]
mod session;
mod sign;
#[cfg(feature = "tls")]
mod tls;
mod usage;
