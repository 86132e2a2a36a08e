//! The argument of `--forward`.

use std::str::FromStr;

use super::pattern::Pattern;
use crate::client::Target;

/// Which deliveries go to which URL.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) pattern: Pattern,
    pub(super) target: Target,
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pattern, target) =
            text.split_once('=').ok_or("not of the form push=URL or /path=URL")?;
        Ok(Self { pattern: pattern.parse()?, target: target.parse()? })
    }
}
