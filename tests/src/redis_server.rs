//! A real Redis on loopback, with a directory of its own. It is stopped by its process id.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// If this variable is set, a missing Redis is a failure: a skipped test looks like one that passed.
const REQUIRED: &str = "PIERRE_WEBHOOK_REQUIRE_REDIS";

/// Placeholder for a free port in the options.
pub const FREE_PORT: &str = "%port%";

const SENTINEL: &str = "--sentinel";

/// A running `redis-server`.
pub struct RedisServer {
    process: Child,
    port: u16,
    directory: PathBuf,
    options: Vec<String>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk. Returns `None`, with a message, if Redis isn't installed.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// Starts one that writes to disk before it answers a write.
    pub fn persistent() -> Option<Self> {
        Self::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts a sentinel, which watches nothing.
    pub fn sentinel() -> Option<Self> {
        Self::with(&[SENTINEL])
    }

    /// Starts one with further options.
    pub fn with(options: &[&str]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            return skip("redis-server is not installed");
        }
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pierre-webhook-redis-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        // A port that is free now may be taken by the time Redis binds it.
        for _ in 0..20 {
            std::fs::create_dir_all(&directory).expect("a directory");
            let options = options.iter().map(|option| match *option {
                FREE_PORT => free_port().to_string(),
                other => other.to_owned(),
            });
            let (port, options) = (free_port(), options.collect::<Vec<_>>());
            let process = spawn(port, &directory, &options);
            let mut server = Self { process, port, directory: directory.clone(), options };
            if server.is_up() {
                return Some(server);
            }
        }
        panic!("redis-server does not start");
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address())
    }

    /// Returns the directory with its files.
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// Kills it like `kill -9`.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        self.process.wait().expect("a process that ended");
    }

    /// Starts it again on the same port, with its data on disk. Doesn't wait until that is loaded.
    pub fn start_again(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            self.process = spawn(self.port, &self.directory, &self.options);
            // It exits at once if its port is taken.
            while matches!(self.process.try_wait(), Ok(None)) {
                if self.try_ask(&["PING"]).is_some() {
                    return;
                }
                assert!(Instant::now() < deadline, "redis-server does not start again");
                sleep(Duration::from_millis(2));
            }
            assert!(Instant::now() < deadline, "redis-server does not start again");
        }
    }

    /// Kills it and starts it again with its data.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
        assert!(self.is_up());
    }

    /// Kills it and starts it again without its data.
    pub fn restart_empty(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.directory).expect("a directory");
        std::fs::create_dir_all(&self.directory).expect("a directory");
        self.start_again();
        assert!(self.is_up());
    }

    /// Suspends it, with its connections open, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill");
        assert!(status.success());
    }

    /// Makes it a replica of a server that doesn't exist, so that it rejects writes.
    pub fn demote(&self) {
        assert_eq!(self.ask(&["REPLICAOF", "127.0.0.1", "1"]), Reply::Text("OK".into()));
    }

    pub fn promote(&self) {
        assert_eq!(self.ask(&["REPLICAOF", "NO", "ONE"]), Reply::Text("OK".into()));
    }

    /// Sends a command on a new connection.
    pub fn ask(&self, command: &[&str]) -> Reply {
        self.try_ask(command).expect("an answer")
    }

    fn try_ask(&self, command: &[&str]) -> Option<Reply> {
        let mut stream =
            TcpStream::connect_timeout(&self.address(), Duration::from_secs(2)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut request = format!("*{}\r\n", command.len());
        for word in command {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(request.as_bytes()).ok()?;
        Reply::read(&mut BufReader::new(stream))
    }

    /// Waits until this process has loaded its data. Returns `false` if it ended instead.
    fn is_up(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        let own = format!("process_id:{}\r\n", self.process.id());
        while Instant::now() < deadline {
            if self.process.try_wait().expect("a process").is_some() {
                return false;
            }
            match self.try_ask(&["INFO"]) {
                Some(Reply::Text(info)) if !info.contains(&own) => return false,
                Some(Reply::Text(info)) if info.contains("\nloading:0") => return true,
                Some(Reply::Text(info)) if info.contains("\nredis_mode:sentinel") => return true,
                // It is up, and requires a password.
                Some(Reply::Error(error)) if error.starts_with("NOAUTH") => return true,
                Some(_) | None => sleep(Duration::from_millis(2)),
            }
        }
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn spawn(port: u16, directory: &std::path::Path, options: &[String]) -> Child {
    let log = std::fs::File::create(directory.join("log")).expect("a file");
    let mut server = Command::new("redis-server");
    if options.iter().any(|option| option == SENTINEL) {
        // A sentinel writes to its configuration, so it needs a file.
        let configuration = directory.join("sentinel.conf");
        std::fs::write(&configuration, "").expect("a file");
        server.arg(configuration);
    }
    server
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--enable-debug-command", "local", "--dir"])
        .arg(directory)
        .args(options)
        .stdin(Stdio::null())
        .stdout(log)
        .spawn()
        .expect("redis-server")
}

/// Skips a test, or fails it if `PIERRE_WEBHOOK_REQUIRE_REDIS` is set.
///
/// Each reason is printed once per process, directly to standard error: the test harness would show it only for
/// failed tests.
pub fn skip<T>(reason: &'static str) -> Option<T> {
    static PRINTED: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    assert!(std::env::var_os(REQUIRED).is_none(), "{reason}");
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !printed.contains(&reason) {
        printed.push(reason);
        let line = format!("SKIPPED: {reason}, so everything that needs it is skipped\n");
        // If it can't be printed, nothing is lost.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    None
}

/// Returns a port of loopback on which nothing listens.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A reply of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Text(String),
    Error(String),
    Number(i64),
    Nil,
    List(Vec<Self>),
}

impl Reply {
    /// Returns the number. Panics if it isn't one.
    pub fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            other => panic!("not a number: {other:?}"),
        }
    }

    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let (kind, rest) = line.strip_suffix("\r\n")?.split_at_checked(1)?;
        Some(match kind {
            "+" => Self::Text(rest.to_owned()),
            "-" => Self::Error(rest.to_owned()),
            ":" => Self::Number(rest.parse().ok()?),
            "$" if rest == "-1" => Self::Nil,
            "$" => {
                let mut text = vec![0; rest.parse::<usize>().ok()?.checked_add(2)?];
                stream.read_exact(&mut text).ok()?;
                text.truncate(text.len() - 2);
                Self::Text(String::from_utf8(text).ok()?)
            }
            "*" => {
                let count: usize = rest.parse().ok()?;
                Self::List((0..count).map(|_| Self::read(stream)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}
