//! The signing secret of a subscription.

use std::{env, fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{hex, mac::Key};

/// The signing secret of a webhook subscription: bytes, taken as they stand. A trailing newline makes a
/// different secret.
///
/// # Security
///
/// What is kept is the HMAC key state, not the secret. All clones share it, `Debug` does not print it, and
/// it is wiped when the last clone is dropped. What the caller passed in stays the caller's to wipe; copies
/// that moving a value left behind, on the stack for instance, are not reached.
///
/// ```
/// use pierre_webhook_core::Secret;
///
/// let secret = Secret::new("whsec_k3yForDocsOnly_2f6c")?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(Secret::new(" \n").is_err());
/// # Ok::<(), pierre_webhook_core::EmptySecret>(())
/// ```
#[derive(Clone)]
pub struct Secret {
    key: Arc<Key>,
}

impl Secret {
    /// A secret of these bytes.
    ///
    /// # Errors
    ///
    /// [`EmptySecret`] where there are none, or white space alone (bytes 09 to 0D and 20): such a secret
    /// would accept what anyone can sign, and comes from a setting that was never filled in.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, EmptySecret> {
        let secret = secret.as_ref();
        if secret.iter().all(|byte| matches!(byte, 0x09..=0x0D | b' ')) {
            return Err(EmptySecret);
        }
        Ok(Self { key: Arc::new(Key::new(secret)) })
    }

    /// The secret in an environment variable, which need not be UTF-8 on Unix.
    ///
    /// # Errors
    ///
    /// [`SecretFromEnvError`], which names the variable and never its value.
    pub fn from_env(variable: &str) -> Result<Self, SecretFromEnvError> {
        let value = env::var_os(variable)
            .ok_or_else(|| SecretFromEnvError::Missing { variable: variable.to_owned() })?;
        let value = Zeroizing::new(value.into_encoded_bytes());
        Self::new(&*value)
            .map_err(|EmptySecret| SecretFromEnvError::Empty { variable: variable.to_owned() })
    }

    /// The `X-Pierre-Signature` value of a delivery signed at `timestamp` (Unix seconds): what the service
    /// sends, for tests and tools.
    ///
    /// ```
    /// # use pierre_webhook_core::{Secret, Verifier};
    /// let secret = Secret::new("whsec_k3yForDocsOnly_2f6c")?;
    /// let signature = secret.sign(1_790_000_000, b"{}");
    /// assert!(signature.starts_with("t=1790000000,sha256="));
    /// assert_eq!(Verifier::new(secret).any_age().verify_signature(signature, b"{}"), Ok(1_790_000_000));
    /// # Ok::<(), pierre_webhook_core::EmptySecret>(())
    /// ```
    pub fn sign(&self, timestamp: u64, body: &[u8]) -> String {
        let timestamp = timestamp.to_string();
        let mac = self.key.mac(timestamp.as_bytes(), body);
        format!("t={timestamp},sha256={}", hex::encode(&mac))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret of no bytes, or of white space alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Empty secret is not allowed")]
#[non_exhaustive]
pub struct EmptySecret;

/// Why an environment variable holds no secret.
///
/// `Debug` is the text too, since that is what a `main` that returns it prints.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFromEnvError {
    /// The variable is not set.
    #[error(
        "the environment variable {variable} is not set: it must hold the webhook's signing secret"
    )]
    #[non_exhaustive]
    Missing {
        /// The variable's name.
        variable: String,
    },
    /// The variable is set, but to nothing or to white space alone.
    #[error("Empty secret is not allowed: the environment variable {variable} is blank")]
    #[non_exhaustive]
    Empty {
        /// The variable's name.
        variable: String,
    },
}

impl fmt::Debug for SecretFromEnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_white_space_alone_is_refused_when_it_is_made() {
        for empty in ["", " ", "\t\n\x0b\x0c\r "] {
            assert_eq!(Secret::new(empty).unwrap_err(), EmptySecret, "{empty:?}");
        }
        assert_eq!(EmptySecret.to_string(), "Empty secret is not allowed");
    }

    #[test]
    fn white_space_beside_a_secret_is_part_of_it() {
        let body = b"{}";
        let plain = Secret::new("s").unwrap().sign(1, body);
        assert_ne!(Secret::new("s\n").unwrap().sign(1, body), plain);
        assert_ne!(Secret::new("\u{a0}").unwrap().sign(1, body), plain);
    }

    #[test]
    fn the_signature_is_the_official_formula() {
        // openssl: printf '1790000000.{}' | openssl dgst -sha256 -hmac s
        assert_eq!(
            Secret::new("s").unwrap().sign(1_790_000_000, b"{}"),
            "t=1790000000,sha256=a6c9fa4ed99ccbd8d4571072051f0e70573e2e6bae3f7e50d7fee619fdb3c615"
        );
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = Secret::from_env("PIERRE_WEBHOOK_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("PIERRE_WEBHOOK_NO_SUCH_VARIABLE"));
    }
}
