#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod extractor;
mod rejected;
mod rejection;
#[cfg(feature = "test-util")]
mod test_request;
mod trace;
mod unread;

// So that a service needs one dependency.
#[doc(no_inline)]
pub use pierre_webhook_core::{
    Delivery, DeliveryHeaders, DeliveryId, EVENT_HEADER, EmptySecret, Error, Event, FindVerifier,
    LiveVerifier, PROBLEM_JSON, ParseDeliveryIdError, PendingDelivery, PushEvent,
    RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent, Repository,
    SIGNATURE_HEADER, Secret, SecretFromEnvError, Signature, SyncFailure, UnknownEvent, Verifier,
    problem_json,
};

#[cfg(feature = "test-util")]
#[doc(no_inline)]
pub use pierre_webhook_core::{TestClock, TestDelivery};

pub use {
    config::{MissingWebhookConfig, WebhookConfig},
    extractor::{Webhook, WebhookBodyTaken},
    rejection::Rejection,
};
#[cfg(feature = "test-util")]
pub use test_request::test_request;
