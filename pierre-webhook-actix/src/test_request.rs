//! A delivery as a request of actix's own tests.

use actix_web::test::TestRequest;
use pierre_webhook_core::{Secret, TestDelivery};

/// Makes a signed POST request of a [`TestDelivery`].
///
/// ```
/// use actix_web::{App, rt::System, test, web};
/// use pierre_webhook_actix::{Secret, TestDelivery, Verifier, Webhook, WebhookConfig, test_request};
///
/// async fn receive(webhook: Webhook) -> String {
///     webhook.event_type().to_owned()
/// }
///
/// let secret = Secret::new("test")?;
/// let config = WebhookConfig::new(Verifier::new(secret.clone()));
/// let app = App::new().app_data(config).route("/webhooks", web::post().to(receive));
///
/// # System::new().block_on(async {
/// let app = test::init_service(app).await;
/// let request = test_request(&TestDelivery::push(), &secret).uri("/webhooks").to_request();
/// assert_eq!(test::call_and_read_body(&app, request).await, "push");
/// # });
/// # Ok::<(), pierre_webhook_actix::EmptySecret>(())
/// ```
///
/// # Panics
///
/// If the event type given to [`TestDelivery::new`] can't be a header value.
#[track_caller]
pub fn test_request<E>(delivery: &TestDelivery<E>, secret: &Secret) -> TestRequest {
    let request = TestRequest::post()
        .insert_header(("content-type", "application/json"))
        .set_payload(delivery.body());
    delivery.headers(secret).into_iter().fold(request, TestRequest::insert_header)
}
