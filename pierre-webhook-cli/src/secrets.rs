//! The secrets: out of the environment or out of files, never out of an argument, and never printed.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pierre_webhook_core::Secret;
use zeroize::Zeroizing;

use crate::{exit::Failure, output::Output};

pub(crate) const VARIABLE: &str = "PIERRE_WEBHOOK_SECRET";

const HOW: &str = "no secret: set PIERRE_WEBHOOK_SECRET, or name a file that holds it, as in --secret-file secret.txt";

/// Where the secrets are.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Secret")]
pub(crate) struct SecretArgs {
    /// A file whose bytes are the secret, as they stand; in the place of PIERRE_WEBHOOK_SECRET. Repeatable: the
    /// first signs, all verify
    #[arg(long = "secret-file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// At least one secret. The first signs, all verify.
pub(crate) struct Secrets {
    first: Given,
    others: Vec<Given>,
}

struct Given {
    secret: Secret,
    bytes: Zeroizing<Vec<u8>>,
    /// Where it comes from, in words.
    origin: String,
    ends_with_white_space: bool,
}

impl SecretArgs {
    /// Reads the secrets: the files, or else the variable.
    pub(crate) fn read(&self) -> Result<Secrets, Failure> {
        let mut given = Vec::new();
        for (index, path) in (1..).zip(&self.files) {
            given.push(read_file(index, path)?);
        }
        if given.is_empty() {
            // An empty one is what is left of a variable that is not set elsewhere.
            let value = env::var_os(VARIABLE).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| Failure::usage(HOW))?;
            let bytes = Zeroizing::new(value.into_encoded_bytes());
            given.push(Given::new(VARIABLE.to_owned(), bytes)?);
        }
        let mut given = given.into_iter();
        let first = given.next().ok_or_else(|| Failure::usage(HOW))?;
        Ok(Secrets { first, others: given.collect() })
    }
}

/// The path is not repeated in the error: who mistakes the option for `--secret` has typed the secret there.
fn read_file(index: usize, path: &Path) -> Result<Given, Failure> {
    let origin = match index {
        1 => "the file of --secret-file".to_owned(),
        _ => format!("the file of --secret-file number {index}"),
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
    /// The one to sign with.
    pub(crate) fn signing(&self) -> &Secret {
        &self.first.secret
    }

    /// The others that are accepted.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Secret> {
        self.others.iter().map(|given| &given.secret)
    }

    /// Their bytes, for what core cannot be asked: whether another form of one of them matches.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.first).chain(&self.others).map(|given| &**given.bytes)
    }

    /// Says which of them end with white space: mostly a newline that an editor added. Nothing is trimmed.
    pub(crate) fn warn(&self, output: &Output) {
        for given in std::iter::once(&self.first).chain(&self.others) {
            if given.ends_with_white_space {
                output.warn(format_args!(
                    "{} ends with white space, which is taken as part of the secret",
                    given.origin
                ));
            }
        }
    }
}
