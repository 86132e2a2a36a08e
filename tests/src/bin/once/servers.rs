//! The two servers, and all processes that they have run as.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{child::Child, journal::alive};

pub(crate) const SERVERS: usize = 2;

/// A server is killed when it has this many runs in progress, so that some haven't ended when the kill happens.
const AT_WORK: usize = 3;
/// How long to wait for that. It usually happens at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The addresses of the servers. A restarted server listens on another port.
pub(crate) struct Addresses([Mutex<SocketAddr>; SERVERS]);

impl Addresses {
    pub(crate) fn of(&self, server: usize) -> SocketAddr {
        *self.0[server].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, server: usize, address: SocketAddr) {
        *self.0[server].lock().unwrap_or_else(PoisonError::into_inner) = address;
    }
}

/// A process that was or is a server.
pub(crate) struct Life {
    pub(crate) journal: PathBuf,
    /// If it was killed, a time at which it was still alive.
    pub(crate) killed: Option<u64>,
}

pub(crate) struct Servers {
    children: [Option<Child>; SERVERS],
    addresses: Arc<Addresses>,
    lives: Vec<Life>,
    redis: String,
    directory: PathBuf,
}

impl Servers {
    pub(crate) fn start(redis: String, directory: &Path) -> Self {
        fs::create_dir_all(failed(directory)).expect("a directory");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses = Addresses([nowhere; SERVERS].map(Mutex::new));
        let mut servers = Self {
            children: [const { None }; SERVERS],
            addresses: Arc::new(addresses),
            lives: Vec::new(),
            redis,
            directory: directory.to_owned(),
        };
        (0..SERVERS).for_each(|server| servers.start_again(server));
        servers
    }

    pub(crate) fn start_again(&mut self, server: usize) {
        let journal = self.directory.join(format!("journal-{}", self.lives.len()));
        let child = Child::start(&self.redis, journal, &failed(&self.directory));
        self.addresses.change(server, child.address);
        self.lives.push(Life { journal: child.journal.clone(), killed: None });
        self.children[server] = Some(child);
    }

    /// Kills a server while it is working.
    pub(crate) fn kill(&mut self, server: usize) {
        let child = self.children[server].take().expect("a server that is alive");
        let deadline = Instant::now() + PATIENCE;
        while alive(&child.journal) < AT_WORK && Instant::now() < deadline {
            thread::yield_now();
        }
        let journal = child.journal.clone();
        let killed = child.kill();
        for life in self.lives.iter_mut().filter(|life| life.journal == journal) {
            life.killed = Some(killed);
        }
    }

    pub(crate) fn addresses(&self) -> Arc<Addresses> {
        Arc::clone(&self.addresses)
    }

    pub(crate) fn lives(&self) -> &[Life] {
        &self.lives
    }
}

fn failed(directory: &Path) -> PathBuf {
    directory.join("failed")
}
