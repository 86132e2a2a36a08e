//! The database: of the inbox, of the runs and of their effects.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pierre_webhook_core::DeliveryId;
use pierre_webhook_inbox::{
    Inbox, Job,
    deadpool_postgres::{Manager, Pool},
    rusqlite::{Connection, params},
    tokio_postgres::{Config, NoTls},
};
use pierre_webhook_tests::postgres_server::PostgresServer;
use tokio::{runtime::Runtime, task::spawn_blocking};

use crate::verdict::{Row, Verdict};

/// How long the database may take to come back.
const PATIENCE: Duration = Duration::from_secs(60);

const INTEGER_KEY: [(&str, &str); 2] =
    [("sqlite", "INTEGER PRIMARY KEY AUTOINCREMENT"), ("postgres", "BIGSERIAL PRIMARY KEY")];

pub(crate) enum Server {
    Sqlite { folder: PathBuf },
    Postgres(Box<PostgresServer>),
}

impl Server {
    /// Returns `None` if it is not installed.
    pub(crate) fn start(store: &str) -> Option<Self> {
        if store == "postgres" {
            return PostgresServer::start().map(|server| Self::Postgres(Box::new(server)));
        }
        let name = format!("pierre-webhook-inbox-proof-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a directory");
        Some(Self::Sqlite { folder })
    }

    pub(crate) fn storage(&self) -> Storage {
        match self {
            Self::Sqlite { folder } => {
                Storage::named(folder.join("webhooks.db").to_str().expect("a path in UTF-8"))
            }
            Self::Postgres(server) => Storage::named(&server.url("postgres")),
        }
    }

    /// Kills the server and starts it again, if it is a process.
    pub(crate) fn crash(&mut self) -> bool {
        let Self::Postgres(server) = self else { return false };
        server.kill();
        server.start_again();
        true
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Sqlite { folder } = self {
            // If that fails, the system cleans up.
            fs::remove_dir_all(folder).ok();
        }
    }
}

#[derive(Clone)]
pub(crate) struct Storage {
    /// A path or a URL.
    name: String,
    pool: Option<Pool>,
    is_unfenced: bool,
}

/// What a run does.
pub(crate) struct Effect {
    pub(crate) id: DeliveryId,
    pub(crate) attempt: i64,
    pub(crate) repository: String,
    pub(crate) number: i64,
}

impl Storage {
    pub(crate) fn named(name: &str) -> Self {
        let pool = name.starts_with("postgres://").then(|| {
            let config: Config = name.parse().expect("a URL");
            Pool::builder(Manager::new(config, NoTls)).max_size(24).build().expect("a pool")
        });
        Self { name: name.to_owned(), pool, is_unfenced: false }
    }

    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    /// The same, for the effects of a worker.
    pub(crate) fn effects(&self, is_unfenced: bool) -> Self {
        Self { is_unfenced, ..self.clone() }
    }

    /// Opens the inbox, as soon as the database is up.
    pub(crate) async fn open(&self) -> Inbox {
        let start = Instant::now();
        loop {
            let opened = match &self.pool {
                Some(pool) => Inbox::postgres(pool.clone()).await,
                None => Inbox::sqlite(&self.name).await,
            };
            match opened {
                Ok(inbox) => return inbox,
                Err(error) if start.elapsed() > PATIENCE => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    pub(crate) fn create_tables(&self) {
        let kind = usize::from(self.pool.is_some());
        let key = INTEGER_KEY[kind].1;
        self.execute(&format!(
            "CREATE TABLE run (seq {key}, id TEXT NOT NULL, is_after_record BOOLEAN NOT NULL);
             CREATE TABLE effect (
                seq {key}, id TEXT NOT NULL, attempt BIGINT NOT NULL, repository TEXT NOT NULL, number BIGINT NOT NULL
             );
             CREATE INDEX effect_id ON effect (id);"
        ));
    }

    fn execute(&self, sql: &str) {
        match &self.pool {
            Some(pool) => Runtime::new().expect("a runtime").block_on(async {
                let client = pool.get().await.expect("a connection");
                client.batch_execute(sql).await.expect("a statement that succeeds");
            }),
            None => {
                let connection = connect(Path::new(&self.name)).expect("the file");
                connection.execute_batch("PRAGMA journal_mode = WAL;").expect("WAL");
                connection.execute_batch(sql).expect("a statement that succeeds");
            }
        }
    }

    /// Writes down that a run began, and whether it was taken although an earlier attempt had completed the delivery.
    pub(crate) async fn began(&self, effect: &Effect) -> Result<(), String> {
        let (id, attempt) = (effect.id.to_string(), effect.attempt);
        match &self.pool {
            Some(pool) => {
                let client = pool.get().await.map_err(text)?;
                let sql = "INSERT INTO run (id, is_after_record)
                    SELECT $1, EXISTS (SELECT 1 FROM effect WHERE id = $1 AND attempt < $2)";
                client.execute(sql, &[&id, &attempt]).await.map_err(text)?;
                Ok(())
            }
            None => {
                self.blocking(move |connection| {
                    let sql = "INSERT INTO run (id, is_after_record)
                    SELECT ?1, EXISTS (SELECT 1 FROM effect WHERE id = ?1 AND attempt < ?2)";
                    connection.execute(sql, params![id, attempt]).map_err(text)?;
                    Ok(())
                })
                .await
            }
        }
    }

    /// Lets the effect take place in the transaction that completes the job.
    pub(crate) async fn take_place(&self, effect: Effect, job: Job) -> Result<(), String> {
        let Effect { id, attempt, repository, number } = effect;
        let id = id.to_string();
        let is_unfenced = self.is_unfenced;
        match &self.pool {
            Some(pool) => {
                let mut client = pool.get().await.map_err(text)?;
                let transaction = client.transaction().await.map_err(text)?;
                let sql = "INSERT INTO effect (id, attempt, repository, number) VALUES ($1, $2, $3, $4)";
                transaction.execute(sql, &[&id, &attempt, &repository, &number]).await.map_err(text)?;
                let is_ours = job.complete_in(&transaction).await.map_err(text)?;
                if is_ours || is_unfenced {
                    return transaction.commit().await.map_err(text);
                }
                transaction.rollback().await.map_err(text)
            }
            None => {
                self.blocking(move |connection| {
                    let transaction = connection.transaction().map_err(text)?;
                    let sql = "INSERT INTO effect (id, attempt, repository, number) VALUES (?1, ?2, ?3, ?4)";
                    transaction.execute(sql, params![id, attempt, repository, number]).map_err(text)?;
                    if job.complete_in(&transaction).map_err(text)? || is_unfenced {
                        return transaction.commit().map_err(text);
                    }
                    transaction.rollback().map_err(text)
                })
                .await
            }
        }
    }

    async fn blocking(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<(), String> + Send + 'static,
    ) -> Result<(), String> {
        let path = PathBuf::from(&self.name);
        spawn_blocking(move || work(&mut connect(&path).map_err(text)?)).await.map_err(text)?
    }

    /// Returns whether nothing waits or runs.
    pub(crate) async fn is_worked_off(inbox: &Inbox) -> bool {
        inbox.stats().await.is_ok_and(|stats| stats.ready == 0 && stats.running == 0)
    }

    pub(crate) fn verdict(&self, acknowledged: &[DeliveryId]) -> Verdict {
        let acknowledged: Vec<_> = acknowledged.iter().map(DeliveryId::to_string).collect();
        let effects = "SELECT id, repository, number FROM effect ORDER BY seq";
        let counts = "SELECT
            (SELECT count(*) FROM run),
            (SELECT count(*) FROM run WHERE is_after_record),
            (SELECT count(*) FROM pierre_delivery WHERE state = 'dead')";
        let (effects, counts): (Vec<Row>, [i64; 3]) = match &self.pool {
            Some(pool) => Runtime::new().expect("a runtime").block_on(async {
                let client = pool.get().await.expect("a connection");
                let rows = client.query(effects, &[]).await.expect("rows");
                let rows = rows.iter().map(|row| Row {
                    id: row.get(0),
                    repository: row.get(1),
                    number: row.get(2),
                });
                let row = client.query_one(counts, &[]).await.expect("a row");
                (rows.collect(), [0, 1, 2].map(|column| row.get(column)))
            }),
            None => {
                let connection = connect(Path::new(&self.name)).expect("the file");
                let mut statement = connection.prepare(effects).expect("a statement");
                let rows = statement.query_map([], |row| {
                    Ok(Row { id: row.get(0)?, repository: row.get(1)?, number: row.get(2)? })
                });
                let rows = rows.expect("rows").map(|row| row.expect("a row")).collect();
                let counts = connection
                    .query_row(counts, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]));
                (rows, counts.expect("a row"))
            }
        };
        let [runs, run_after_their_record, dead] =
            counts.map(|count| usize::try_from(count).unwrap_or_default());
        Verdict { runs, run_after_their_record, dead, ..Verdict::of(&acknowledged, &effects) }
    }
}

fn connect(path: &Path) -> Result<Connection, pierre_webhook_inbox::rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
