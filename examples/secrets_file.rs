//! Reads secrets from a file, one per line: the current one first, then the previous ones that are still accepted.

use std::{io, path::Path};

use pierre_webhook_tower::{Secret, Verifier};

/// Returns a verifier that accepts the secrets in this file.
pub(crate) async fn read(path: &Path) -> io::Result<Verifier> {
    verifier(&tokio::fs::read(path).await?)
}

/// The newline at the end of a line isn't part of the secret, so `echo` and `printf` write the same secret. Everything
/// else is: a carriage return or a space at the end makes a different secret.
fn verifier(text: &[u8]) -> io::Result<Verifier> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut secrets = text.split(|byte| *byte == b'\n').zip(1..).map(|(line, number)| {
        Secret::new(line).map_err(|error| invalid(format!("line {number}: {error}")))
    });
    let current = secrets.next().ok_or_else(|| invalid("no secret".to_owned()))??;
    secrets.try_fold(Verifier::new(current), |verifier, previous| Ok(verifier.or_secret(previous?)))
}

/// The message names the line, never its content.
fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str, secret: &str) -> bool {
        let signature = Secret::new(secret).unwrap().sign(1, b"{}");
        verifier(text.as_bytes()).unwrap().any_age().verify_signature(signature, b"{}").is_ok()
    }

    #[test]
    fn each_line_is_a_secret_without_its_newline() {
        for text in ["new", "new\n", "new\nold", "new\nold\n"] {
            assert!(accepts(text, "new"), "{text:?}");
            assert_eq!(accepts(text, "old"), text.contains("old"), "{text:?}");
        }
    }

    #[test]
    fn everything_else_in_a_line_is_part_of_its_secret() {
        assert!(accepts("new \r\n", "new \r") && !accepts("new \r\n", "new"));
    }

    #[test]
    fn an_empty_line_is_an_error_that_names_the_line() {
        for (text, line) in [("", 1), ("\n", 1), ("new\n\n", 2), ("new\n \nold", 2)] {
            let error = verifier(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("line {line}: Empty secret is not allowed"));
        }
    }
}
