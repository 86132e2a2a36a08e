//! What a fault did, and which repeated runs that explains.

use std::{collections::BTreeSet, ops::Range};

use pierre_webhook_core::DeliveryId;

use crate::{
    backend::Kind,
    histories::{History, Run},
};

pub(crate) struct Strike {
    /// How long a record may take, and the store to come back.
    slack: u64,
    /// When some or all servers could not reach the store.
    pub(crate) outages: Vec<Range<u64>>,
    pub(crate) failed_over: Option<FailedOver>,
}

pub(crate) struct FailedOver {
    /// Since then, the replica missed what was written.
    pub(crate) lags: u64,
    /// From then on, the servers were led to the replica.
    pub(crate) switched: u64,
    /// The deliveries that the replica had as completed.
    pub(crate) kept: BTreeSet<DeliveryId>,
}

impl Strike {
    pub(crate) fn of(kind: Kind) -> Self {
        let slack = kind.slack().as_nanos() as u64;
        Self { slack, outages: Vec::new(), failed_over: None }
    }

    /// Returns true if this run was done and could not be recorded before its lease expired.
    pub(crate) fn explains_unrecorded(&self, run: &Run) -> bool {
        let done = run.alive_until();
        run.killed.is_some()
            || run.was_frozen(self.slack)
            || self.outages.iter().any(|down| self.around(down).contains(&done))
    }

    fn around(&self, down: &Range<u64>) -> Range<u64> {
        down.start.saturating_sub(self.slack)..down.end.saturating_add(self.slack)
    }

    /// Returns true if the record of this delivery was acknowledged, and the replica didn't have it.
    pub(crate) fn lost_record(&self, id: DeliveryId, history: &History) -> bool {
        self.failed_over.as_ref().is_some_and(|over| {
            history.recorded.is_some_and(|at| at < over.switched) && !over.kept.contains(&id)
        })
    }

    /// Returns true if the claim of this run may have been lost while the work was in progress: its lease expired
    /// while its process was frozen, or the replica didn't have it.
    pub(crate) fn lost_claim(&self, run: &Run) -> bool {
        let is_missing = |over: &FailedOver| (over.lags..over.switched).contains(&run.start);
        run.was_frozen(0) || self.failed_over.as_ref().is_some_and(is_missing)
    }
}
