//! JSON, parsed and written again the way other libraries write it.

mod node;
mod style;
mod write;

pub(super) use self::{node::Node, style::Style, write::write};
