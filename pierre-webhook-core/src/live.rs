//! A verifier that can be replaced while requests are served.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

use crate::verifier::Verifier;

/// A verifier that can be replaced while requests are served, to rotate a secret without a restart.
///
/// Clones share it: give one to the layer or config and keep one.
///
/// A delivery is checked to its end by the verifier that was current when its headers were checked. That
/// verifier still applies its maximum age when the body is complete, so a replaced verifier accepts nothing
/// that was signed longer ago than its maximum age, however long a request is held open. With
/// [`any_age`](Verifier::any_age) nothing bounds it.
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

    /// Returns the current verifier.
    pub fn current(&self) -> Verifier {
        Verifier::clone(&self.current.load())
    }

    /// Replaces the verifier for deliveries whose headers are checked from now on. Returns the previous one.
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
    use crate::{error::Error, secret::Secret};

    fn verifier(secret: &str) -> Verifier {
        Verifier::new(Secret::new(secret).unwrap()).any_age()
    }

    fn accepts(verifier: &Verifier, secret: &str) -> bool {
        let signature = Secret::new(secret).unwrap().sign(1, b"");
        match verifier.verify_signature(signature, b"") {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, Error::InvalidSignature);
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
}
