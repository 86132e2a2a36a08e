//! Rule 3b: which verifier a request is checked with.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::{Future, Ready, ready},
    sync::Arc,
};

use arc_swap::ArcSwap;

use crate::verifier::Verifier;

/// Finds the verifier for a request: a fixed [`Verifier`], a [`LiveVerifier`], or a function of the
/// request's head that looks one up, by tenant for instance.
///
/// `Head` is what the adapter has of the request before its body: `http::request::Parts` in
/// pierre-webhook-tower, `HttpRequest` in pierre-webhook-actix.
///
/// A function takes what it needs out of the head first and then awaits, since its future must not borrow
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
/// An `async` block or an async closure that uses `parts` itself does not compile, nor does an `async fn` that
/// takes it: call one from the closure, `|parts: &Parts| look_up(tenants.clone(), tenant_of(parts))`.
///
/// # Answers
///
/// `Ok(None)`, no verifier for this request, is refused with the text and status of a wrong signature before
/// the body is read. That does not hide who is a tenant from one who tries: a probe that is stale, that
/// declares too large a body, or whose body breaks off, is answered otherwise by a tenant's verifier. An error is
/// refused with 503. Its cause is in neither the answer nor the adapters' log event, since it may hold a
/// password: it is the source of the rejection in the response's extensions, or log it in the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` finds no verifier for `{Head}`",
    note = "give a `Verifier`, a `LiveVerifier`, or a closure that annotates its argument: \
            `|head: &{Head}| {{ let id = ..; async move {{ Ok::<_, MyError>(..) }} }}`"
)]
pub trait FindVerifier<Head: ?Sized> {
    /// Why a look-up failed.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// The look-up under way.
    type Future: Future<Output = Result<Option<Verifier>, Self::Error>>;

    /// Starts the look-up. The future does not borrow from the head.
    fn find(&self, head: &Head) -> Self::Future;
}

impl<Head: ?Sized> FindVerifier<Head> for Verifier {
    type Error = Infallible;
    type Future = Ready<Result<Option<Verifier>, Infallible>>;

    fn find(&self, _: &Head) -> Self::Future {
        ready(Ok(Some(self.clone())))
    }
}

impl<Head: ?Sized> FindVerifier<Head> for LiveVerifier {
    type Error = Infallible;
    type Future = Ready<Result<Option<Verifier>, Infallible>>;

    fn find(&self, _: &Head) -> Self::Future {
        ready(Ok(Some(self.current())))
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

/// A verifier that can be replaced while requests are served, so that a secret is rotated without a
/// restart.
///
/// Clones share it: give one to the layer and keep one. A delivery that has begun is finished with the
/// verifier that it began with.
///
/// ```
/// use pierre_webhook_core::{LiveVerifier, Secret, Verifier};
///
/// let live = LiveVerifier::new(Verifier::new(Secret::new("old")?));
/// let for_the_layer = live.clone();
///
/// live.replace(Verifier::new(Secret::new("new")?).or_secret(Secret::new("old")?));
/// # let signature = Secret::new("new")?.sign(1, b"{}");
/// # assert!(for_the_layer.current().any_age().verify_signature(signature, b"{}").is_ok());
/// # Ok::<(), pierre_webhook_core::EmptySecret>(())
/// ```
#[derive(Clone)]
pub struct LiveVerifier {
    current: Arc<ArcSwap<Verifier>>,
}

impl LiveVerifier {
    /// Starts with this verifier.
    pub fn new(verifier: Verifier) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(verifier)) }
    }

    /// The verifier of this moment.
    pub fn current(&self) -> Verifier {
        Verifier::clone(&self.current.load())
    }

    /// Replaces the verifier for the deliveries that begin from now on; returns the one before.
    pub fn replace(&self, verifier: Verifier) -> Verifier {
        Arc::unwrap_or_clone(self.current.swap(Arc::new(verifier)))
    }
}

impl fmt::Debug for LiveVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveVerifier").field(&self.current()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Error as Refusal, secret::Secret};

    fn verifier(secret: &str) -> Verifier {
        Verifier::new(Secret::new(secret).unwrap()).any_age()
    }

    fn accepts(verifier: &Verifier, secret: &str) -> bool {
        let signature = Secret::new(secret).unwrap().sign(1, b"");
        match verifier.verify_signature(signature, b"") {
            Ok(_) => true,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::InvalidSignature);
                false
            }
        }
    }

    #[test]
    fn a_replaced_verifier_counts_from_then_on_for_every_clone() {
        let live = LiveVerifier::new(verifier("old"));
        let clone = live.clone();
        let before = clone.current();
        assert!(accepts(&live.replace(verifier("new")), "old"));
        assert!(accepts(&clone.current(), "new") && !accepts(&clone.current(), "old"));
        assert!(accepts(&before, "old"), "a delivery that has begun keeps its verifier");
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
