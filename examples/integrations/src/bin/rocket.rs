//! rocket, which has no tower: a data guard over core alone. A handler can only get a delivery that was verified.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --manifest-path examples/integrations/Cargo.toml --bin rocket
//! ```

use std::{env, error::Error, io::Cursor, net::SocketAddr};

use bytes::BytesMut;
use pierre_webhook_core::{
    Delivery, DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier,
};
use pierre_webhook_integrations::deploy;
use rocket::{
    Config, Data, Request, Response,
    data::{ByteUnit, FromData, Outcome},
    fairing::AdHoc,
    http::Status,
    post,
    response::{self, Responder},
    routes,
    tokio::io::AsyncReadExt as _,
};

/// A verified delivery.
struct Webhook(Delivery);

/// Why there is none, answered as the other adapters do.
#[derive(Debug)]
enum Rejection {
    Invalid(pierre_webhook_core::Error),
    /// The connection failed before the body ended.
    Incomplete,
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Webhook {
    type Error = Rejection;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        match verify(request, data).await {
            Ok(delivery) => Outcome::Success(Self(delivery)),
            Err(rejection) => Outcome::Error((Status::Unauthorized, rejection)),
        }
    }
}

async fn verify(request: &Request<'_>, data: Data<'_>) -> Result<Delivery, Rejection> {
    let verifier = request.rocket().state::<Verifier>().expect("a verifier, by `manage`");
    // The length that is declared is checked before the body is read.
    let names = [SIGNATURE_HEADER, EVENT_HEADER, "content-length"];
    let values = |name| request.headers().get(name).map(move |value| (name, value));
    let headers = DeliveryHeaders::parse(names.into_iter().flat_map(values))?;

    let mut pending = verifier.begin(&headers)?;
    // `push` keeps the limit.
    let mut body = data.open(ByteUnit::max_value());
    let mut chunk = BytesMut::new();
    while body.read_buf(&mut chunk).await.map_err(|_| Rejection::Incomplete)? > 0 {
        pending.push(chunk.split().freeze())?;
    }
    Ok(pending.finish()?)
}

impl From<pierre_webhook_core::Error> for Rejection {
    fn from(error: pierre_webhook_core::Error) -> Self {
        Self::Invalid(error)
    }
}

impl<'r> Responder<'r, 'static> for Rejection {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let Self::Invalid(error) = self else { return Err(Status::BadRequest) };
        let problem = error.problem_json();
        let mut response = Response::build();
        response.status(Status::new(error.status_code()));
        for (name, value) in error.headers() {
            response.raw_header(*name, *value);
        }
        response.sized_body(problem.len(), Cursor::new(problem)).ok()
    }
}

#[post("/webhooks", data = "<webhook>")]
fn receive(webhook: Result<Webhook, Rejection>) -> Result<Status, Rejection> {
    let Webhook(delivery) = webhook?;
    deploy(&delivery);
    Ok(Status::NoContent)
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let address: SocketAddr = address.parse()?;
    let config = Config { address: address.ip(), port: address.port(), ..Config::default() };

    rocket::custom(config)
        .manage(Verifier::new(secret))
        .mount("/", routes![receive])
        .attach(AdHoc::on_liftoff("address", |rocket| {
            Box::pin(async move {
                let Config { address, port, .. } = rocket.config();
                println!("listening on http://{address}:{port}/webhooks");
            })
        }))
        .launch()
        .await?;
    Ok(())
}
