//! What an operator sees of each request: a log event for each rejection (feature `tracing`), and metrics (feature
//! `metrics`).

use std::fmt::Display;

use actix_web::http::{StatusCode, header::HeaderMap};

use crate::{rejection::Rejection, webhook::Webhook};

#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "only metrics need it"))]
pub(crate) fn accepted(webhook: &Webhook) {
    #[cfg(feature = "metrics")]
    pierre_webhook_core::metrics::accepted(webhook);
}

pub(crate) fn rejected(rejection: &Rejection, headers: &HeaderMap) {
    #[cfg(feature = "metrics")]
    pierre_webhook_core::metrics::rejected(
        rejection.error(),
        pierre_webhook_core::DeliveryHeaders::parse_event_type(headers).ok(),
        rejection.tenant(),
    );
    log(rejection.status(), rejection.error().code(), rejection, rejection.tenant(), headers);
}

/// Logs a mistake in the configuration of a route.
pub(crate) fn misconfigured(code: &'static str, mistake: &dyn Display, headers: &HeaderMap) {
    log(StatusCode::INTERNAL_SERVER_ERROR, code, mistake, None, headers);
}

/// WARN for a 401, which is an attack or a wrong secret. ERROR for a 5xx, which is ours to fix. DEBUG for the rest.
#[cfg(feature = "tracing")]
fn log(
    status: StatusCode,
    code: &'static str,
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
                code,
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
fn log(_: StatusCode, _: &'static str, _: &dyn Display, _: Option<&str>, _: &HeaderMap) {}
