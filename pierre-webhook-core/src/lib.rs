#![doc = include_str!("../README.md")]

mod delivery;
mod error;
mod event;
mod find;
mod headers;
mod hex;
mod mac;
mod pending;
mod secret;
mod signature;
mod text;
mod verifier;

pub use delivery::{Delivery, DeliveryId, ParseDeliveryIdError};
pub use error::{Error, PROBLEM_JSON, problem_json};
pub use event::{
    Event, PushEvent, RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent,
    Repository, SyncFailure, UnknownEvent,
};
pub use find::{FindVerifier, LiveVerifier};
pub use headers::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER};
pub use pending::PendingDelivery;
pub use secret::{EmptySecret, Secret, SecretFromEnvError};
pub use signature::Signature;
pub use verifier::Verifier;
