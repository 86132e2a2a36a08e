//! The names of the metrics, and the keys of a scope.

use std::sync::Arc;

use metrics::{Key, Label};

pub(super) const CLAIMS: &str = "pierre_webhook_dedup_claims_total";
pub(super) const COMPLETIONS: &str = "pierre_webhook_dedup_completions_total";
pub(super) const LEASES_LOST: &str = "pierre_webhook_dedup_leases_lost_total";
pub(super) const UNRECORDED: &str = "pierre_webhook_dedup_unrecorded";

const CLAIM_OUTCOMES: [&str; 6] =
    ["claimed", "unclaimed", "completed", "in_progress", "shutting_down", "dedup_unavailable"];
const COMPLETION_OUTCOMES: [&str; 4] = ["recorded", "taken_over", "retrying", "not_recorded"];

/// The keys of a scope, so that counting doesn't allocate. The tenants of a scope share them: there may be any number of
/// those.
pub(crate) struct Keys {
    pub(super) claims: [(&'static str, Key); 6],
    pub(super) completions: [(&'static str, Key); 4],
    pub(super) leases_lost: Key,
    pub(super) unrecorded: Key,
}

impl Keys {
    pub(crate) fn of(scope: &Arc<str>) -> Self {
        let key = |name, outcome: Option<&'static str>| {
            let scope = Label::new("scope", scope.clone());
            let outcome = outcome.map(|outcome| Label::from_static_parts("outcome", outcome));
            Key::from_parts(name, [scope].into_iter().chain(outcome).collect::<Vec<_>>())
        };
        Self {
            claims: CLAIM_OUTCOMES.map(|outcome| (outcome, key(CLAIMS, Some(outcome)))),
            completions: COMPLETION_OUTCOMES
                .map(|outcome| (outcome, key(COMPLETIONS, Some(outcome)))),
            leases_lost: key(LEASES_LOST, None),
            unrecorded: key(UNRECORDED, None),
        }
    }
}
