//! The signing secret of a subscription.

use std::{env, fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{hex, mac::Key};

/// The signing secret of a webhook subscription, as bytes. Nothing is trimmed: a trailing newline makes a
/// different secret.
///
/// # Security
///
/// Only the HMAC key state is kept, not the secret. All clones share it, `Debug` doesn't print it, and it is
/// wiped when the last clone is dropped. Wiping what you passed in is up to you. Copies that moving a value
/// leaves behind, on the stack for instance, aren't wiped.
///
/// HMAC pads its key with zeros, so `"abc"` and `"abc\0"` are the same key to it.
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
    /// Makes a secret of these bytes.
    ///
    /// # Errors
    ///
    /// [`EmptySecret`] if there are no bytes, or only white space and NUL (bytes 00, 09 to 0D and 20). Such a
    /// secret comes from a setting that was never filled in, and anyone could sign with it: NUL bytes alone
    /// are the empty key to HMAC.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, EmptySecret> {
        let secret = secret.as_ref();
        if secret.iter().all(|byte| matches!(byte, 0x00 | 0x09..=0x0D | b' ')) {
            return Err(EmptySecret);
        }
        Ok(Self { key: Arc::new(Key::new(secret)) })
    }

    /// Reads the secret from an environment variable. On Unix it need not be UTF-8.
    ///
    /// # Errors
    ///
    /// [`SecretFromEnvError`] if the variable isn't set or is [empty](Self::new). It names the variable, never
    /// its value.
    pub fn from_env(variable: &str) -> Result<Self, SecretFromEnvError> {
        let value = env::var_os(variable)
            .ok_or_else(|| SecretFromEnvError::Missing { variable: variable.to_owned() })?;
        let value = Zeroizing::new(value.into_encoded_bytes());
        Self::new(&*value)
            .map_err(|EmptySecret| SecretFromEnvError::Empty { variable: variable.to_owned() })
    }

    /// Returns the `X-Pierre-Signature` value that the service sends for this body, signed at `timestamp`
    /// (Unix seconds). For tests and tools.
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

/// The error of a secret that is empty, or only white space and NUL bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Empty secret is not allowed")]
#[non_exhaustive]
pub struct EmptySecret;

/// Why an environment variable holds no secret.
///
/// `Debug` prints the same text as `Display`, since a `main` that returns this error prints it with `Debug`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFromEnvError {
    /// The variable isn't set.
    #[error(
        "the environment variable {variable} is not set: it must hold the webhook's signing secret"
    )]
    #[non_exhaustive]
    Missing {
        /// The variable's name.
        variable: String,
    },
    /// The variable is empty, or only white space and NUL bytes.
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
    fn a_secret_of_only_white_space_and_nul_is_rejected() {
        for empty in ["", " ", "\t\n\x0b\x0c\r ", "\0", "\0\0\n \0"] {
            assert_eq!(Secret::new(empty).unwrap_err(), EmptySecret, "{empty:?}");
        }
        assert_eq!(EmptySecret.to_string(), "Empty secret is not allowed");
    }

    #[test]
    fn white_space_around_a_secret_is_part_of_it() {
        let body = b"{}";
        let plain = Secret::new("s").unwrap().sign(1, body);
        assert_ne!(Secret::new("s\n").unwrap().sign(1, body), plain);
        assert_ne!(Secret::new("\u{a0}").unwrap().sign(1, body), plain);
    }

    #[test]
    fn a_trailing_nul_byte_is_not_part_of_a_secret() {
        let plain = Secret::new("s").unwrap().sign(1, b"{}");
        assert_eq!(Secret::new("s\0").unwrap().sign(1, b"{}"), plain, "HMAC pads with zeros");
        assert_ne!(Secret::new("\0s").unwrap().sign(1, b"{}"), plain);
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
