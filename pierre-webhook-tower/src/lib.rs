#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod layer;
mod rejection;
mod service;
mod trace;
mod webhook;

// A handler needs these as well: one dependency is enough.
#[doc(no_inline)]
pub use pierre_webhook_core::*;

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
