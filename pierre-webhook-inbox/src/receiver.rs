//! `Receiver`: stores what was verified, and answers.

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tower")]
mod tower;

use pierre_webhook_core::Delivery;

use crate::{answer::Answer, inbox::Inbox};

/// The handler that stores each verified delivery, and answers once it is committed. From
/// [`Inbox::receiver`].
///
/// | if the delivery | the response is |
/// | --- | --- |
/// | is committed, now or before | 200, empty |
/// | can't be stored: the database failed, or too many deliveries wait | 503 with `Retry-After: 5` |
/// | wasn't verified: the layer or the config is missing | 500 |
///
/// It is an axum handler, a tower service, or an actix handler, by the features:
///
/// ```
/// # use pierre_webhook_inbox::Inbox;
/// # use pierre_webhook_tower::{Verifier, VerifyWebhookLayer};
/// # fn app(inbox: &Inbox, verifier: Verifier) -> axum::Router {
/// use axum::{Router, routing::post};
///
/// let verify = VerifyWebhookLayer::new(verifier);
/// Router::new().route("/webhooks", post(inbox.receiver()).route_layer(verify))
/// # }
/// ```
///
/// ```
/// # use pierre_webhook_inbox::Inbox;
/// # use pierre_webhook_actix::WebhookConfig;
/// # fn configure(inbox: &Inbox, config: WebhookConfig, app: &mut actix_web::web::ServiceConfig) {
/// use actix_web::web;
///
/// app.app_data(config).route("/webhooks", web::post().to(inbox.receiver()));
/// # }
/// ```
///
/// A delivery that is being stored when its sender disconnects may be stored or not. If it is, it is
/// [`Known`](crate::Inserted::Known) when it comes again.
#[derive(Clone, Debug)]
pub struct Receiver {
    inbox: Inbox,
}

impl Inbox {
    /// Returns the handler that stores each verified delivery in this inbox.
    pub fn receiver(&self) -> Receiver {
        Receiver { inbox: self.clone() }
    }
}

impl Receiver {
    async fn store(&self, delivery: &Delivery) -> Answer {
        Answer::of(&self.inbox.insert(delivery).await)
    }
}
