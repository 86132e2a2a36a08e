//! What the tests share: the delivery table, and the servers and clients that it is driven through.

pub mod vectors;
