//! The error of every rejected request: the user's or the default one, with the rejection in the response's
//! extensions.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use crate::rejection::Rejection;

pub(crate) struct Rejected {
    pub(crate) error: actix_web::Error,
    pub(crate) rejection: Rejection,
}

impl ResponseError for Rejected {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        response.extensions_mut().insert(self.rejection.clone());
        response
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}
