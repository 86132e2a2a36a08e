//! Payloads: generated ones of the documented events, and the `--body` argument.

mod body_arg;
mod event;
mod tree;

pub(crate) use self::{
    body_arg::BodyArg,
    event::{KnownEvent, Seed},
    tree::Tree,
};
