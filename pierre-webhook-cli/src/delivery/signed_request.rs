//! A delivery that is ready to be sent.

use pierre_webhook_core::{DeliveryHeaders, DeliveryId};

use crate::client::Outgoing;

/// A request, with what its own headers say about the delivery.
#[derive(Clone, Debug)]
pub(crate) struct SignedRequest {
    pub(crate) request: Outgoing,
    /// `None` if the event header is missing or invalid.
    pub(crate) id: Option<DeliveryId>,
    /// `None` if the signature header is missing or invalid.
    pub(crate) signed_at: Option<u64>,
}

impl SignedRequest {
    pub(crate) fn new(request: Outgoing) -> Self {
        let id = DeliveryHeaders::parse_event_type(&request.headers)
            .ok()
            .map(|event_type| DeliveryId::of(event_type, &request.body));
        let signed_at =
            DeliveryHeaders::parse(&request.headers).ok().map(|headers| headers.timestamp());
        Self { request, id, signed_at }
    }
}
