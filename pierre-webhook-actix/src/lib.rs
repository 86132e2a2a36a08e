#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod extractor;
mod refused;
mod rejection;
mod trace;

// A handler needs these as well: one dependency is enough.
#[doc(no_inline)]
pub use pierre_webhook_core::*;

pub use {
    config::{MissingWebhookConfig, WebhookConfig},
    extractor::{Webhook, WebhookBodyTaken},
    rejection::Rejection,
};
