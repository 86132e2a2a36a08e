//! The argument `--body @file` or `--body -`.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use bytes::Bytes;

use crate::{exit::Failure, stdin};

/// Where to read a body.
#[derive(Clone, Debug)]
pub(crate) enum BodyArg {
    File(PathBuf),
    Stdin,
}

impl BodyArg {
    pub(crate) async fn read(&self) -> Result<Bytes, Failure> {
        match self {
            Self::File(path) => fs::read(path).map(Bytes::from).map_err(|error| {
                Failure::io(format_args!("cannot read {}", path.display()), &error)
            }),
            Self::Stdin => stdin::read().await,
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdin => None,
        }
    }
}

impl FromStr for BodyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            _ if text == "-" => Ok(Self::Stdin),
            Some(path) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err("neither @file nor -".to_owned()),
        }
    }
}
