//! `man`: writes the manual pages.

use std::{fs, path::PathBuf};

use crate::{
    exit::{Exit, Failure},
    output::Output,
};

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder to write to, such as ~/.local/share/man/man1. It is created if it doesn't exist
    folder: PathBuf,
}

/// Writes a page for `command`, and one for each of its subcommands.
pub(crate) fn run(
    args: &ManArgs,
    command: clap::Command,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        return Err(Failure::usage("--json does not apply to man"));
    }
    let folder = args.folder.display();
    fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(command, &args.folder))
        .map_err(|error| Failure::io(format!("cannot write manual pages to {folder}"), &error))?;
    output.note(format_args!("wrote the manual pages to {folder}"));
    Ok(Exit::AsExpected)
}
