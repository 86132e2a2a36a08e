//! Sends a delivery over HTTP.

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};

use crate::deliveries::Delivery;

/// The status of the response, and the reason in its body, if it has one.
pub(crate) type Answer = (u16, Option<String>);

/// Sends a delivery on a new connection.
pub(crate) async fn send(
    address: SocketAddr,
    delivery: &Delivery,
) -> Result<Answer, Box<dyn Error>> {
    const LONGEST: Duration = Duration::from_secs(3);
    timeout(LONGEST, exchange(address, delivery)).await?
}

async fn exchange(address: SocketAddr, delivery: &Delivery) -> Result<Answer, Box<dyn Error>> {
    let mut request = Request::post("/webhooks")
        .header(header::HOST, address.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Pierre-Webhook/1.0");
    for (name, value) in &delivery.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(delivery.body.clone())))?;

    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    connection.await??;

    let is_problem = head
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/problem+json");
    Ok((head.status.as_u16(), if body.is_empty() { None } else { Some(reason(&body, is_problem)) }))
}

/// Returns the `detail` of problem details (RFC 9457), or the body itself if it is something else.
fn reason(body: &[u8], is_problem: bool) -> String {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }

    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) if is_problem => problem.detail,
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}
