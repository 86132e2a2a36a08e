//! The store: what it records of a delivery, and what each request does to that.

use super::{DELIVERIES, Fault};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Store {
    pub(crate) records: [Record; DELIVERIES],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Record {
    #[default]
    Absent,
    Held(u8),
    /// Only with [`Fault::LeaseWithoutEnd`].
    HeldForever,
    Completed(u8),
}

impl Record {
    pub(crate) fn owner(&self) -> Option<u8> {
        match self {
            Self::Held(owner) | Self::Completed(owner) => Some(*owner),
            Self::Absent | Self::HeldForever => None,
        }
    }

    pub(crate) fn owner_mut(&mut self) -> Option<&mut u8> {
        match self {
            Self::Held(owner) | Self::Completed(owner) => Some(owner),
            Self::Absent | Self::HeldForever => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) delivery: usize,
    pub(crate) owner: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Claim,
    Renew,
    Complete,
    Release,
}

impl Store {
    /// Does what is asked for, at one instant, and returns whether it was granted.
    pub(crate) fn serve(&mut self, request: Request, fault: Option<Fault>) -> bool {
        let Some(record) = self.records.get_mut(request.delivery) else { return false };
        let owner = request.owner;
        let is_own = *record == Record::Held(owner);
        let (is_granted, after) = match (request.kind, *record) {
            (Kind::Claim, Record::Absent) => (true, Record::Held(owner)),
            (Kind::Claim, Record::Completed(_)) if fault == Some(Fault::ClaimIgnoresCompletion) => {
                (true, Record::Held(owner))
            }
            (Kind::Claim, Record::Held(_)) if fault == Some(Fault::OneOwnerForAll) => {
                (true, *record)
            }
            (Kind::Claim, _) => (is_own, *record),

            (Kind::Renew, Record::Absent) => (true, Record::Held(owner)),
            (Kind::Renew, Record::Held(_)) if fault == Some(Fault::RenewalIgnoresOwner) => {
                (true, Record::Held(owner))
            }
            (Kind::Renew, Record::Completed(_)) if fault == Some(Fault::RenewalRevives) => {
                (true, Record::Held(owner))
            }
            (Kind::Renew, _) => (is_own, *record),

            (Kind::Complete, Record::Absent) => (true, Record::Completed(owner)),
            (Kind::Complete, Record::Completed(by)) => (by == owner, *record),
            (Kind::Complete, _) if is_own => (true, Record::Completed(owner)),
            (Kind::Complete, _) => (false, *record),

            (Kind::Release, Record::Held(_)) if fault == Some(Fault::ReleaseIgnoresOwner) => {
                (true, Record::Absent)
            }
            (Kind::Release, _) if is_own => (true, Record::Absent),
            (Kind::Release, _) => (false, *record),
        };
        *record = match after {
            Record::Held(_) if fault == Some(Fault::LeaseWithoutEnd) => Record::HeldForever,
            after => after,
        };
        is_granted
    }
}
