#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod extractor;
mod middleware;
mod observe;
mod rejected;
mod rejection;
#[cfg(feature = "test-util")]
mod test_request;
mod unread;
mod verification;
mod webhook;

// So that a service needs one dependency.
#[doc(no_inline)]
pub use pierre_webhook_core::{
    Delivery, DeliveryHeaders, DeliveryId, EVENT_HEADER, EmptySecret, Error, Event, FindVerifier,
    LiveVerifier, PROBLEM_JSON, ParseDeliveryIdError, PendingDelivery, PushEvent,
    RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent, Repository,
    SIGNATURE_HEADER, Secret, SecretFromEnvError, Signature, SyncFailure, UnknownEvent, Verifier,
    problem_json,
};

#[cfg(feature = "metrics")]
#[doc(no_inline)]
pub use pierre_webhook_core::metrics;
#[cfg(feature = "test-util")]
#[doc(no_inline)]
pub use pierre_webhook_core::{TestClock, TestDelivery};

#[cfg(feature = "test-util")]
pub use test_request::test_request;
pub use {
    config::{MissingWebhookConfig, WebhookConfig},
    extractor::WebhookBodyTaken,
    middleware::{VerifyWebhook, VerifyWebhookMiddleware},
    rejection::Rejection,
    webhook::Webhook,
};
