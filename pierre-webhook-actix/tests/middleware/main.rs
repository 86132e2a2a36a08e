//! `VerifyWebhook`. What it has in common with the extractor and the layer is in the suite of `pierre-webhook-tests`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by a panic; clippy exempts test functions, but not their helpers"
)]

mod body;
mod log;
mod mistakes;
mod reach;
mod verifier;

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    test::{TestRequest, call_service, read_body},
};
use pierre_webhook_tests::client::Request;

/// Sends a request within the process.
fn test_request(of: Request) -> TestRequest {
    let length = of.body.len();
    let request = TestRequest::post().uri(of.path).set_payload(of.body);
    let request = request.append_header(("content-length", length));
    of.headers.into_iter().fold(request, |request, header| request.append_header(header))
}

/// The status and the body of the response.
async fn send<S, B>(app: &S, request: TestRequest) -> (u16, String)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let response = call_service(app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}
