//! The delivery table over HTTP. Each request names its vector, and is checked with that vector's verifier.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use actix_web::HttpRequest;
use http::request::Parts;
use pierre_webhook_core::{FindVerifier, Verifier};

use crate::{
    client::{Request, Response},
    sample,
    vectors::{Answer, Vector, deliveries},
};

/// The header that names the vector whose verifier checks the request. Without it, the sample's verifier does.
const VECTOR_HEADER: &str = "x-vector";

/// Returns the vectors that HTTP can carry. (Servers themselves reject a control byte in a header.)
pub fn vectors() -> Vec<Vector> {
    deliveries().into_iter().filter(|vector| vector.name != "hdr-del-byte").collect()
}

pub fn request(vector: &Vector) -> Request {
    vector.headers.iter().fold(
        Request::new(vector.body.to_vec()).header(VECTOR_HEADER, vector.name.as_str()),
        |request, (name, value)| request.header(name, value.as_slice()),
    )
}

/// Converts a response: that of [`Handled::handle`](crate::server::Handled::handle), or a rejection.
pub fn answer(response: &Response) -> Answer {
    let body = response.json();
    if response.status == 200 {
        let event = body["event"].as_str().expect("an event").to_owned();
        Ok((event, body["timestamp"].as_u64().expect("a timestamp")))
    } else {
        assert_eq!(body["status"], response.status);
        Err(response.detail())
    }
}

/// The verifiers of all vectors.
#[derive(Clone)]
pub struct Verifiers(Arc<HashMap<String, Verifier>>);

impl Verifiers {
    pub fn of(vectors: &[Vector]) -> Self {
        let verifiers = vectors.iter().map(|vector| (vector.name.clone(), vector.verifier()));
        Self(Arc::new(verifiers.collect()))
    }

    pub fn for_axum(
        &self,
    ) -> impl FindVerifier<Parts, Future: Send> + Clone + Send + Sync + 'static {
        let verifiers = self.clone();
        move |parts: &Parts| {
            let name = parts.headers.get(VECTOR_HEADER).map(|name| name.as_bytes());
            std::future::ready(Ok::<_, Infallible>(verifiers.find(name)))
        }
    }

    pub fn for_actix(
        &self,
    ) -> impl FindVerifier<HttpRequest, Future: 'static> + Send + Sync + 'static {
        let verifiers = self.clone();
        move |request: &HttpRequest| {
            let name = request.headers().get(VECTOR_HEADER).map(|name| name.as_bytes());
            std::future::ready(Ok::<_, Infallible>(verifiers.find(name)))
        }
    }

    fn find(&self, name: Option<&[u8]>) -> Option<Verifier> {
        match name {
            Some(name) => self.0.get(str::from_utf8(name).ok()?).cloned(),
            None => Some(sample::verifier()),
        }
    }
}
