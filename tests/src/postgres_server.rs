//! A real PostgreSQL on loopback: a cluster of its own in a temporary directory. It is stopped by its process id.

mod owner;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use self::owner::Owner;
use crate::redis_server::free_port;

/// If this variable is set, a missing PostgreSQL is a failure: a skipped test looks like one that passed.
const REQUIRED: &str = "PIERRE_WEBHOOK_REQUIRE_POSTGRES";

const PATIENCE: Duration = Duration::from_secs(30);

/// A running `postgres`.
pub struct PostgresServer {
    process: Child,
    port: u16,
    directory: PathBuf,
    programs: PathBuf,
    owner: Owner,
}

impl PostgresServer {
    /// Returns the server that the tests of this process share, or starts it. `None`, with a message, if PostgreSQL
    /// isn't installed. It ends once nobody uses it.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Starts one. Returns `None`, with a message, if PostgreSQL isn't installed or this isn't Linux, whose /proc tells
    /// which processes to suspend.
    pub fn start() -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return skip("PostgreSQL is only tested on Linux");
        }
        let Some(programs) = programs() else { return skip("PostgreSQL is not installed") };
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pierre-webhook-postgres-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        let owner = Owner::find();
        owner.take(&directory);
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.args(["--auth", "trust", "--username", "postgres", "--no-sync", "--pgdata"]);
        initdb.arg(directory.join("data"));
        let made = owner.run(&mut initdb).stdin(Stdio::null()).output().expect("initdb");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // A port that is free now may be taken by the time PostgreSQL binds it.
        for _ in 0..20 {
            let port = free_port();
            let process = spawn(&programs, owner, &directory, port);
            let mut server = Self {
                process,
                port,
                directory: directory.clone(),
                programs: programs.clone(),
                owner,
            };
            if server.is_up() {
                return Some(server);
            }
            server.kill();
            // The next one has the directory.
            server.directory = PathBuf::new();
        }
        panic!("postgres does not start");
    }

    /// Gives a directory to the user that the server runs as.
    pub fn give(&self, directory: &Path) {
        self.owner.take(directory);
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a configuration in the form of a key and a value each.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates an empty database, and returns its name.
    pub fn create_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name} STRATEGY file_copy"));
        name
    }

    /// Executes a statement with `psql`, and returns what it prints: rows without headers, columns separated by `|`.
    pub fn execute(&self, database: &str, sql: &str) -> String {
        let done = self.psql(database, sql).output().expect("psql");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql]);
        psql.arg(self.url(database)).env("PGCONNECT_TIMEOUT", "5").stdin(Stdio::null());
        psql
    }

    /// Ends it like a crash: all its processes at once, without a checkpoint.
    pub fn kill(&mut self) {
        self.signal("-QUIT");
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.process.kill();
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// Starts it again on the same port, with its data, and waits until it answers.
    pub fn start_again(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.process = spawn(&self.programs, self.owner, &self.directory, self.port);
            if self.is_up() {
                return;
            }
            assert!(Instant::now() < deadline, "postgres does not start again");
        }
    }

    /// Suspends all its processes, with their connections open, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        for process in self.processes() {
            send("-STOP", process);
        }
    }

    pub fn thaw(&self) {
        for process in self.processes() {
            send("-CONT", process);
        }
    }

    fn signal(&self, signal: &str) {
        send(signal, self.process.id());
    }

    /// The postmaster and its children.
    fn processes(&self) -> Vec<u32> {
        let parent = self.process.id();
        let is_child = |process: &u32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            let after_name = stat.rsplit(')').next().unwrap_or_default();
            after_name.split_whitespace().nth(1) == Some(&parent.to_string())
        };
        let all = fs::read_dir("/proc").expect("the processes").flatten();
        let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut processes: Vec<u32> = all.filter(is_child).collect();
        processes.insert(0, parent);
        processes
    }

    fn is_up(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            let asked = self.psql("postgres", "SELECT 1").stderr(Stdio::null()).output();
            if asked.is_ok_and(|answer| answer.status.success()) {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.directory.as_os_str().is_empty() {
            return;
        }
        self.thaw();
        self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn spawn(programs: &Path, owner: Owner, directory: &Path, port: u16) -> Child {
    let log = fs::File::create(directory.join("log")).expect("a file");
    let mut postgres = Command::new(programs.join("postgres"));
    postgres.arg("-D").arg(directory.join("data")).args(["-h", "127.0.0.1", "-k", ""]);
    postgres.args(["-p", &port.to_string(), "-c", "max_connections=200"]);
    owner
        .run(&mut postgres)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("postgres")
}

fn send(signal: &str, process: u32) {
    // It may have ended already.
    let _ =
        Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status();
}

/// Returns where the programs are: the newest version, or what the PATH has.
fn programs() -> Option<PathBuf> {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = packaged
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .max()
        .map(|(_, path)| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::split_paths(&path).collect::<Vec<_>>();
    newest.into_iter().chain(path).find(|directory| directory.join("initdb").exists())
}

fn skip<T>(reason: &str) -> Option<T> {
    static IS_PRINTED: Mutex<bool> = Mutex::new(false);
    assert!(std::env::var_os(REQUIRED).is_none(), "{reason}");
    let mut is_printed = IS_PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !std::mem::replace(&mut *is_printed, true) {
        let line = format!("SKIPPED: {reason}, so everything that needs it is skipped\n");
        // If it can't be printed, nothing is lost.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    None
}
