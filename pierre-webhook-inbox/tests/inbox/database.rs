//! An empty database of each kind, and a way to let its time pass.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use pierre_webhook_inbox::{
    Inbox,
    deadpool_postgres::{Manager, Pool},
    rusqlite::Connection,
    tokio_postgres::{Config, NoTls},
};
use pierre_webhook_tests::postgres_server::PostgresServer;

pub(crate) enum Database {
    Sqlite(Folder),
    Postgres { server: Arc<PostgresServer>, name: String, pool: Pool },
}

impl Database {
    pub(crate) fn sqlite() -> Option<Self> {
        Some(Self::Sqlite(Folder::new()))
    }

    /// `None` if PostgreSQL isn't installed.
    pub(crate) fn postgres() -> Option<Self> {
        let server = PostgresServer::shared()?;
        let name = server.create_database();
        let pool = pool(&server.url(&name), 16);
        Some(Self::Postgres { server, name, pool })
    }

    /// Opens the inbox, as another process would.
    pub(crate) async fn inbox(&self) -> Inbox {
        match self {
            Self::Sqlite(folder) => Inbox::sqlite(folder.file()).await.unwrap(),
            Self::Postgres { pool, .. } => Inbox::postgres(pool.clone()).await.unwrap(),
        }
    }

    /// Lets time pass, by moving all stored times into the past.
    pub(crate) fn pass(&self, time: Duration) {
        self.move_times("-", time);
    }

    /// Sets the clock back, by moving all stored times into the future.
    pub(crate) fn set_back(&self, time: Duration) {
        self.move_times("+", time);
    }

    fn move_times(&self, sign: &str, time: Duration) {
        let milliseconds = time.as_millis();
        let by = match self {
            Self::Sqlite(_) => format!("{sign} {milliseconds}"),
            Self::Postgres { .. } => format!("{sign} {milliseconds} * interval '1 millisecond'"),
        };
        self.execute(&format!(
            "UPDATE pierre_delivery
             SET received_at = received_at {by}, due = due {by}, ended_at = ended_at {by}"
        ));
    }

    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let connection = folder.connect();
                connection.execute_batch(sql).unwrap();
            }
            Self::Postgres { server, name, .. } => {
                server.execute(name, sql);
            }
        }
    }

    /// Returns the number that this query selects.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(folder) => folder.connect().query_row(sql, [], |row| row.get(0)).unwrap(),
            Self::Postgres { server, name, .. } => server.execute(name, sql).parse().unwrap(),
        }
    }
}

pub(crate) fn pool(url: &str, size: usize) -> Pool {
    let config: Config = url.parse().unwrap();
    Pool::builder(Manager::new(config, NoTls)).max_size(size).build().unwrap()
}

/// A folder that is removed in the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pierre-webhook-inbox-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("webhooks.db")
    }

    pub(crate) fn connect(&self) -> Connection {
        let connection = Connection::open(self.file()).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
