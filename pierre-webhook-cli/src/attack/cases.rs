//! The cases, one table for each subject.

mod body;
mod legal;
mod payload;
mod signature;
mod timestamp;
mod wire;

use super::case::Case;

/// Every table, in the order in which the cases are sent.
const TABLES: [&[Case]; 7] = [
    legal::CASES,
    signature::CASES,
    timestamp::CASES,
    body::CASES,
    payload::CASES,
    wire::LEGAL_CASES,
    wire::CASES,
];

/// Returns every case, in order.
pub(super) fn all() -> impl Iterator<Item = &'static Case> {
    TABLES.into_iter().flatten()
}

#[cfg(test)]
mod tests;
