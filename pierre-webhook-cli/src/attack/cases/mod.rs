//! The cases. What must come of one is core's to say, but for faults of the wire that core does not see.

mod body;
mod legal;
mod payload;
mod signature;
mod timestamp;
mod wire;

use super::{
    maker::{Maker, Request},
    verdict::Expected,
};

/// One request, and what is wrong or unusual about it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// `None` where the settings leave nothing of it.
    pub(super) make: fn(&Maker) -> Option<Request>,
    /// `None`: what core says.
    pub(super) expected: Option<Expected>,
}

/// All of them, the legal ones first.
pub(super) const CASES: [&[Case]; 6] =
    [legal::CASES, signature::CASES, timestamp::CASES, body::CASES, payload::CASES, wire::CASES];

/// A case of which core knows what must come.
const fn case(
    name: &'static str,
    about: &'static str,
    make: fn(&Maker) -> Option<Request>,
) -> Case {
    Case { name, about, make, expected: None }
}

#[cfg(test)]
mod tests;
