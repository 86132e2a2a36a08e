#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accepted;
mod clock;
mod delivery;
mod error;
mod event;
mod find;
mod header_value;
mod headers;
mod hex;
mod live;
mod mac;
#[cfg(feature = "metrics")]
pub mod metrics;
mod pending;
mod problem;
mod secret;
mod settings;
mod signature;
#[cfg(feature = "test-util")]
mod test_clock;
#[cfg(feature = "test-util")]
mod test_delivery;
mod verifier;

pub use delivery::{Delivery, DeliveryId, ParseDeliveryIdError};
pub use error::Error;
pub use event::{
    Event, PushEvent, RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent,
    Repository, SyncFailure, UnknownEvent,
};
pub use find::FindVerifier;
pub use headers::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER};
pub use live::LiveVerifier;
pub use pending::PendingDelivery;
pub use problem::{PROBLEM_JSON, problem_json};
pub use secret::{EmptySecret, Secret, SecretFromEnvError};
pub use signature::Signature;
pub use verifier::Verifier;
#[cfg(feature = "test-util")]
pub use {test_clock::TestClock, test_delivery::TestDelivery};
