//! The error that a request is answered with which does not reach the handler: the user's or the default one,
//! and what belongs to every such answer.

use std::{
    cell::Cell,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::Payload,
    http::StatusCode,
    web::Bytes,
};

use crate::rejection::Rejection;

pub(crate) struct Refused {
    error: actix_web::Error,
    rejection: Option<Rejection>,
    payload: Cell<Payload>,
}

impl Refused {
    pub(crate) fn new(
        error: actix_web::Error,
        rejection: Option<Rejection>,
        payload: Payload,
    ) -> Self {
        Self { error, rejection, payload: Cell::new(payload) }
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        if let Some(rejection) = &self.rejection {
            response.extensions_mut().insert(rejection.clone());
        }
        let payload = self.payload.replace(Payload::None);
        response.map_body(|_, body| BoxBody::new(WithUnread { body, _payload: payload }))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

/// A response's body that keeps the request's payload until it is sent. Of a chunked payload that was
/// dropped unread, actix would read the rest, however long it is; for one that still lives it closes the
/// connection.
struct WithUnread {
    body: BoxBody,
    _payload: Payload,
}

impl MessageBody for WithUnread {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
