//! Finds the verifier for a request (rule 3b).

use std::{
    convert::Infallible,
    error::Error,
    future::{Future, Ready, ready},
};

use crate::{live::LiveVerifier, verifier::Verifier};

/// Finds the verifier for a request: a fixed [`Verifier`], a [`LiveVerifier`], or a function that looks one up
/// by what the request's head says, the tenant for instance.
///
/// `Head` is the part of a request that an adapter has before the body: `http::request::Parts` in
/// pierre-webhook-tower, `HttpRequest` in pierre-webhook-actix.
///
/// A function first takes what it needs out of the head and then awaits, because its future must not borrow
/// from the head:
///
/// ```
/// # use std::{collections::HashMap, convert::Infallible, sync::Arc};
/// # use pierre_webhook_core::{FindVerifier, Secret, Verifier};
/// # struct Parts { path: String }
/// # fn layer<V: FindVerifier<Parts>>(_: V) {}
/// # let tenants: Arc<HashMap<String, Verifier>> = Arc::default();
/// layer(move |parts: &Parts| {
///     let tenants = Arc::clone(&tenants);
///     let tenant = parts.path.strip_prefix("/webhooks/").unwrap_or_default().to_owned();
///     async move { Ok::<_, Infallible>(tenants.get(&tenant).cloned()) }
/// });
/// ```
///
/// An `async` block or async closure that uses `parts` itself doesn't compile, nor does an `async fn` that takes
/// it. Call an `async fn` from the closure instead: `|parts: &Parts| look_up(tenants.clone(), tenant_of(parts))`.
///
/// Name the tenant with [`Verifier::tenant`], and take it from [`Delivery::tenant`](crate::Delivery::tenant) in
/// the handler.
///
/// # Answers
///
/// `Ok(None)` means that there is no verifier for this request. It is rejected before the body is read, with the
/// text and status of a wrong signature.
///
/// An error is rejected with 503. Neither the response nor the adapters' log event carries its cause, which may
/// hold a password. Log the cause in the function, or read it from the source of the rejection in the response's
/// extensions.
///
/// # Security
///
/// A lookup runs for requests that nobody has authenticated, and may take as long as the adapter allows: actix
/// bounds it together with the body, tower needs a timeout outside of the layer.
///
/// The answer to `Ok(None)` doesn't hide which tenants exist from somebody who tries: a tenant's verifier answers
/// differently to a request that is stale, declares too large a body, sends `Expect: 100-continue`, or breaks off
/// in its body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` finds no verifier for `{Head}`",
    note = "give a `Verifier`, a `LiveVerifier`, or a closure that annotates its argument: \
            `|head: &{Head}| {{ let id = ..; async move {{ Ok::<_, MyError>(..) }} }}`"
)]
pub trait FindVerifier<Head: ?Sized> {
    /// Why a lookup failed.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// The running lookup.
    type Future: Future<Output = Result<Option<Verifier>, Self::Error>>;

    /// Starts the lookup. The future doesn't borrow from the head.
    fn find(&self, head: &Head) -> Self::Future;

    /// Returns the verifier if it is the same for every request, so that no lookup is needed. Adapters ask this
    /// first. Default: `None`.
    fn without_lookup(&self) -> Option<Verifier> {
        None
    }
}

impl<Head: ?Sized> FindVerifier<Head> for Verifier {
    type Error = Infallible;
    type Future = Ready<Result<Option<Verifier>, Infallible>>;

    fn find(&self, _: &Head) -> Self::Future {
        ready(Ok(Some(self.clone())))
    }

    fn without_lookup(&self) -> Option<Verifier> {
        Some(self.clone())
    }
}

impl<Head: ?Sized> FindVerifier<Head> for LiveVerifier {
    type Error = Infallible;
    type Future = Ready<Result<Option<Verifier>, Infallible>>;

    fn find(&self, _: &Head) -> Self::Future {
        ready(Ok(Some(self.current())))
    }

    fn without_lookup(&self) -> Option<Verifier> {
        Some(self.current())
    }
}

impl<Head: ?Sized, F, Fut, E> FindVerifier<Head> for F
where
    F: Fn(&Head) -> Fut,
    Fut: Future<Output = Result<Option<Verifier>, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Error = E;
    type Future = Fut;

    fn find(&self, head: &Head) -> Self::Future {
        self(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Error as VerifyError, secret::Secret};

    fn verifier(secret: &str) -> Verifier {
        Verifier::new(Secret::new(secret).unwrap()).any_age()
    }

    fn accepts(verifier: &Verifier, secret: &str) -> bool {
        let signature = Secret::new(secret).unwrap().sign(1, b"");
        match verifier.verify_signature(signature, b"") {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, VerifyError::InvalidSignature);
                false
            }
        }
    }

    #[test]
    fn a_function_of_the_head_is_a_finder() {
        fn found<V: FindVerifier<str>>(finder: &V, head: &str) -> V::Future {
            finder.find(head)
        }
        let finder =
            |head: &str| ready(Ok::<_, Infallible>((head == "known").then(|| verifier("s"))));
        let known = found(&finder, "known").into_inner().unwrap();
        assert!(accepts(&known.unwrap(), "s"));
        assert!(found(&finder, "other").into_inner().unwrap().is_none());
        assert!(found(&verifier("s"), "any").into_inner().unwrap().is_some());
    }
}
