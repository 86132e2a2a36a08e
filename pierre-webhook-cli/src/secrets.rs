//! Secrets, read from the environment or from files: never taken from an argument, and never printed.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pierre_webhook_core::Secret;
use zeroize::Zeroizing;

use crate::{exit::Failure, output::Output};

pub(crate) const VARIABLE: &str = "PIERRE_WEBHOOK_SECRET";

const NO_SECRET: &str = "no secret: set PIERRE_WEBHOOK_SECRET, or name a file that holds it, as in --secret-file secret.txt";

/// Where to read the secrets.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Secret")]
pub(crate) struct SecretArgs {
    /// A file that holds the secret, byte for byte; replaces PIERRE_WEBHOOK_SECRET. Repeatable: the first secret
    /// signs, and all of them verify
    #[arg(long = "secret-file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// One or more secrets. The first signs, and all of them verify.
pub(crate) struct Secrets {
    first: Given,
    others: Vec<Given>,
}

struct Given {
    secret: Secret,
    bytes: Zeroizing<Vec<u8>>,
    /// Where it was read from, for messages.
    origin: String,
    ends_with_white_space: bool,
}

impl SecretArgs {
    /// Returns whether files are named.
    pub(crate) fn is_given(&self) -> bool {
        !self.files.is_empty()
    }

    /// Reads the files, or the variable if there are none.
    pub(crate) fn read(&self) -> Result<Secrets, Failure> {
        let mut given = Vec::new();
        for (index, path) in (1..).zip(&self.files) {
            given.push(read_file(index, path)?);
        }
        if given.is_empty() {
            // An empty variable counts as unset: `SECRET=$UNSET` leaves one.
            let value = env::var_os(VARIABLE).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| Failure::usage(NO_SECRET))?;
            let bytes = Zeroizing::new(value.into_encoded_bytes());
            given.push(Given::new(VARIABLE.to_owned(), bytes)?);
        }
        let mut given = given.into_iter();
        let first = given.next().ok_or_else(|| Failure::usage(NO_SECRET))?;
        Ok(Secrets { first, others: given.collect() })
    }
}

/// The error doesn't repeat the path: a user who took the option for `--secret` has typed the secret there.
fn read_file(index: usize, path: &Path) -> Result<Given, Failure> {
    let origin = match index {
        1 => "the file given to --secret-file".to_owned(),
        _ => format!("file {index} given to --secret-file"),
    };
    let bytes = fs::read(path)
        .map_err(|error| Failure::io(format_args!("cannot read {origin}"), &error))?;
    Given::new(origin, Zeroizing::new(bytes))
}

impl Given {
    fn new(origin: String, bytes: Zeroizing<Vec<u8>>) -> Result<Self, Failure> {
        let secret = Secret::new(&*bytes)
            .map_err(|error| Failure::usage(format!("{origin} holds no secret: {error}")))?;
        let ends_with_white_space =
            bytes.last().is_some_and(|byte| matches!(byte, 0x09..=0x0D | b' '));
        Ok(Self { secret, bytes, origin, ends_with_white_space })
    }
}

impl Secrets {
    /// Returns the secret to sign with.
    pub(crate) fn signing(&self) -> &Secret {
        &self.first.secret
    }

    /// Returns the other secrets that are accepted.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Secret> {
        self.others.iter().map(|given| &given.secret)
    }

    /// Returns a secret by its index: 0 is the one to sign with.
    pub(crate) fn get(&self, index: usize) -> Option<&Secret> {
        std::iter::once(self.signing()).chain(self.others()).nth(index)
    }

    /// Returns the bytes of each secret. Core doesn't expose them, and `explain` and `attack` derive keys from them.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.first).chain(&self.others).map(|given| &**given.bytes)
    }

    /// Warns about secrets that end with white space, usually a newline that an editor added. Nothing is trimmed.
    pub(crate) fn warn(&self, output: &Output) {
        for given in std::iter::once(&self.first).chain(&self.others) {
            if given.ends_with_white_space {
                output.warn(format_args!(
                    "{} ends with white space, which is used as part of the secret",
                    given.origin
                ));
            }
        }
    }
}
