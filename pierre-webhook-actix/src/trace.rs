//! One log event per rejection, with the feature `tracing`.

use std::fmt::Display;

use actix_web::http::{StatusCode, header::HeaderMap};

use crate::rejection::Rejection;

pub(crate) fn trace_rejection(rejection: &Rejection, headers: &HeaderMap) {
    trace(rejection.status(), rejection, rejection.tenant(), headers);
}

/// WARN for a 401, which is an attack or a wrong secret. ERROR for a 5xx, which is ours to fix. DEBUG for the rest.
#[cfg(feature = "tracing")]
pub(crate) fn trace(
    status: StatusCode,
    reason: &dyn Display,
    tenant: Option<&str>,
    headers: &HeaderMap,
) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: "pierre_webhook_actix",
                tracing::Level::$level,
                status = status.as_u16(),
                %reason,
                tenant,
                event_type = pierre_webhook_core::DeliveryHeaders::parse_event_type(headers).ok(),
                "webhook rejected"
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
pub(crate) fn trace(_: StatusCode, _: &dyn Display, _: Option<&str>, _: &HeaderMap) {}
