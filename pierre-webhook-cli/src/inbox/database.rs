//! `--database`: where the inbox is.

use std::{env, path::Path};

use pierre_webhook_inbox::{
    Inbox,
    deadpool_postgres::{Manager, Pool},
    tokio_postgres::{Config, NoTls},
};

use crate::exit::Failure;

const VARIABLE: &str = "PIERRE_WEBHOOK_DATABASE";

/// The inbox to open.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Inbox")]
pub(super) struct DatabaseArgs {
    /// A SQLite file, or a postgres:// URL without a password. A URL with a password belongs in the variable
    /// PIERRE_WEBHOOK_DATABASE, since other users of the machine see arguments. Connections are not encrypted
    #[arg(long, global = true, value_name = "FILE or URL")]
    database: Option<String>,
    /// The scope of the inbox, if it has one
    #[arg(long, global = true, default_value = "", hide_default_value = true)]
    scope: String,
}

impl DatabaseArgs {
    /// Opens the inbox. Creates no file: it may be a typing error.
    pub(super) async fn open(&self) -> Result<Inbox, Failure> {
        let variable = env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        let database = self.database.clone().or(variable);
        let database = database.ok_or_else(|| {
            Failure::usage(format!("no database: use --database, or set {VARIABLE}"))
        })?;
        let is_url = ["postgres://", "postgresql://"].iter().any(|it| database.starts_with(it));
        let opened = if is_url {
            Inbox::postgres(pool(&database)?).await
        } else if Path::new(&database).is_file() {
            Inbox::sqlite(&database).await
        } else {
            return Err(Failure::failed(format!("there is no file {database}")));
        };
        let inbox = opened
            .map_err(|error| Failure::failed(format!("the inbox could not be opened: {error}")))?;
        Ok(inbox.scope(self.scope.as_str()))
    }
}

fn pool(url: &str) -> Result<Pool, Failure> {
    // The error of the parser repeats no part of the URL.
    let config: Config = url.parse().map_err(|error| {
        Failure::usage(format!("the URL of the database is not valid: {error}"))
    })?;
    let manager = Manager::new(config, NoTls);
    Pool::builder(manager).max_size(2).build().map_err(|error| Failure::failed(error.to_string()))
}
