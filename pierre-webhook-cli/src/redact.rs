//! Errors about the command line, which repeat what was typed.

use std::env;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{escape, secrets::VARIABLE};

/// Escapes what an error repeats, and removes what may be the secret.
pub(crate) fn redact(mut error: clap::Error) -> clap::Error {
    /// A shorter secret would match too much.
    const SHORTEST: usize = 8;
    let secret = env::var(VARIABLE).ok().filter(|secret| secret.len() >= SHORTEST);
    let is_unexpected = error.kind() == ErrorKind::UnknownArgument;
    let redact = |text: &str| match &secret {
        _ if is_unexpected && !text.starts_with('-') => "…".to_owned(),
        Some(secret) if text.contains(secret) => "…".to_owned(),
        _ => escape::text(text),
    };
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let redacted = match &value {
            ContextValue::String(text) => ContextValue::String(redact(text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| redact(text)).collect())
            }
            _ => continue,
        };
        if redacted != value {
            // clap's suggestion repeats the text too.
            error.remove(ContextKind::Suggested);
            error.insert(kind, redacted);
        }
    }
    error
}
