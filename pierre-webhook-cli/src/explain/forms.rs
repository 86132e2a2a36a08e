//! The forms that a secret, a body or the signed content takes in practice.

pub(super) mod body;
pub(super) mod content;
mod json;
pub(super) mod secret;
