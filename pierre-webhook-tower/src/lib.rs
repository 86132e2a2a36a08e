#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod layer;
mod observe;
mod rejection;
mod service;
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

#[cfg(feature = "axum")]
pub use extract::MissingVerifyWebhookLayer;
pub use {
    body::{ResponseBody, VerifiedBody},
    future::ResponseFuture,
    layer::VerifyWebhookLayer,
    rejection::{ProblemResponse, Rejection, RejectionResponse},
    service::VerifyWebhook,
    webhook::Webhook,
};
