//! One event for each refusal, where the feature `tracing` is on.

use std::fmt::Display;

use actix_web::http::{StatusCode, header::HeaderMap};

use crate::rejection::Rejection;

pub(crate) fn trace_refusal(rejection: &Rejection, headers: &HeaderMap) {
    trace(rejection.status(), rejection, headers);
}

/// A 401 may be an attack or a wrong secret, a 5xx is ours to mend, and the rest is noise until one looks
/// for it.
#[cfg(feature = "tracing")]
pub(crate) fn trace(status: StatusCode, reason: &dyn Display, headers: &HeaderMap) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: "pierre_webhook_actix",
                tracing::Level::$level,
                status = status.as_u16(),
                %reason,
                event_type = pierre_webhook_core::DeliveryHeaders::parse_event_type(headers).ok(),
                "webhook refused"
            )
        };
    }
    if status == StatusCode::UNAUTHORIZED {
        event!(WARN);
    } else if status.is_server_error() {
        event!(ERROR);
    } else {
        event!(DEBUG);
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn trace(_: StatusCode, _: &dyn Display, _: &HeaderMap) {}
