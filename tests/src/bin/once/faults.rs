//! The ways in which a service fails, and what each may cause.

use std::time::Duration;

use pierre_webhook_core::DeliveryId;

use crate::{
    backend::Backend,
    journal::now,
    senders::Sending,
    server::{LEASE, Work},
    servers::{SERVERS, Servers},
    strike::Strike,
};

pub(crate) const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(4);

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// What it may cause; anything else is a failure of the check.
    pub(crate) may_cause: &'static [Cause],
    /// What it must cause at least once, or it proves nothing.
    pub(crate) must_cause: &'static [Cause],
    pub(crate) work: Work,
    /// The longest time that a delivery may wait after its process has ended.
    pub(crate) longest_wait: Duration,
    /// Prepares the store, before anything is sent.
    pub(crate) prepare: fn(&mut Backend),
    /// Waits for a part of the deliveries, so that some are in progress, and fails.
    pub(crate) strike: fn(&mut Scene<'_>),
}

/// Why a delivery may be handled again, or twice at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A run didn't end, because its process did.
    CutOff,
    /// A run was done, and couldn't be recorded before its lease expired.
    Unrecorded,
    /// The store lost a record that it had acknowledged.
    RecordLost,
    /// A run went on after its claim was lost.
    Overlap,
    /// A process that was frozen after its claim ran it when it woke up.
    WokeUp,
}

/// What a fault can reach.
pub(crate) struct Scene<'a> {
    pub(crate) sending: &'a Sending<'a>,
    pub(crate) servers: &'a mut Servers,
    pub(crate) store: &'a mut Backend,
    pub(crate) ids: &'a [DeliveryId],
    pub(crate) strike: &'a mut Strike,
}

impl Scene<'_> {
    /// Notes when some servers couldn't reach the store.
    pub(crate) fn outage(&mut self, outage: impl FnOnce(&mut Self)) {
        let start = now();
        outage(self);
        self.strike.outages.push(start..now());
    }
}

/// Those that don't depend on the store.
pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "each server killed",
        may_cause: &[Cause::CutOff, Cause::Unrecorded],
        must_cause: &[Cause::CutOff],
        strike: kill,
        ..QUICK
    },
    Fault {
        name: "one server frozen for 4 s",
        may_cause: &[Cause::Unrecorded, Cause::Overlap, Cause::WokeUp],
        must_cause: &[Cause::Overlap],
        strike: freeze,
        ..QUICK
    },
    Fault {
        name: "each server replaced, with shutdown",
        may_cause: &[Cause::CutOff],
        must_cause: &[Cause::CutOff],
        work: Work::SometimesSlow,
        longest_wait: Duration::from_secs(1),
        prepare: |_| {},
        strike: deploy,
    },
];

/// What most faults have in common.
pub(crate) const QUICK: Fault = Fault {
    name: "nothing",
    may_cause: &[],
    must_cause: &[],
    work: Work::Quick,
    // A lease, and time for a sender to notice.
    longest_wait: LEASE.saturating_add(Duration::from_secs(1)),
    prepare: |_| {},
    strike: |_| {},
};

fn kill(scene: &mut Scene<'_>) {
    for (server, tenth) in (0..SERVERS).zip([1, 4]) {
        scene.sending.wait_for_part(tenth, 10);
        scene.servers.kill(server);
        scene.sending.wait_for_part(tenth + 1, 10);
        scene.servers.start_again(server, scene.store);
    }
}

fn freeze(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    // A process that is frozen in a transaction of SQLite keeps the other from the store, so nothing would overlap.
    while !scene.servers.freeze_unless(0, || scene.store.is_blocked(), LONGER_THAN_A_LEASE) {}
}

fn deploy(scene: &mut Scene<'_>) {
    for (server, tenth) in (0..SERVERS).zip([3, 6]) {
        scene.sending.wait_for_part(tenth, 10);
        scene.servers.replace(server, scene.store);
    }
}
