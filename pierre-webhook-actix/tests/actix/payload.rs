//! Bodies for an extractor that is called without a server.

use actix_web::{dev::Payload, error::PayloadError};
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use pierre_webhook_tests::scripted::Silent;

pub(crate) fn payload(body: impl Body<Data = Bytes, Error = PayloadError> + 'static) -> Payload {
    Payload::Stream { payload: Box::pin(body.into_data_stream()) }
}

/// A body that never yields anything.
pub(crate) fn silent() -> Payload {
    payload(Silent.map_err(|never| match never {}))
}
