//! A test case for a receiver.

use super::{raw_request::RawRequest, request_maker::RequestMaker, verdict::Expectation};

/// One request, and what is wrong or unusual about it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Returns `None` if the case doesn't apply under the current settings.
    pub(super) make: fn(&RequestMaker) -> Option<RawRequest>,
    /// `None` if core decides.
    pub(super) expected: Option<Expectation>,
}

impl Case {
    /// Creates a case that core decides.
    pub(super) const fn new(
        name: &'static str,
        about: &'static str,
        make: fn(&RequestMaker) -> Option<RawRequest>,
    ) -> Self {
        Self { name, about, make, expected: None }
    }
}
