//! The two servers, and all processes that they have run as.

use std::{
    fs,
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    backend::Backend,
    child::Child,
    journal::{alive, now},
    server::Work,
};

pub(crate) const SERVERS: usize = 2;

/// A fault meets a server when it has this many runs in progress, so that some haven't ended when it happens.
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
    /// If it ended, a time at which it was still alive.
    pub(crate) killed: Option<u64>,
    /// If it was frozen, when.
    pub(crate) frozen: Option<Range<u64>>,
}

pub(crate) struct Servers {
    children: [Option<Child>; SERVERS],
    addresses: Arc<Addresses>,
    lives: Vec<Life>,
    work: Work,
    directory: PathBuf,
}

impl Servers {
    pub(crate) fn start(store: &Backend, work: Work, directory: &Path) -> Self {
        fs::create_dir_all(marks(directory)).expect("a directory");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses = Addresses([nowhere; SERVERS].map(Mutex::new));
        let mut servers = Self {
            children: [const { None }; SERVERS],
            addresses: Arc::new(addresses),
            lives: Vec::new(),
            work,
            directory: directory.to_owned(),
        };
        (0..SERVERS).for_each(|server| servers.start_again(server, store));
        servers
    }

    pub(crate) fn start_again(&mut self, server: usize, store: &Backend) {
        let journal = self.directory.join(format!("journal-{}", self.lives.len()));
        let (kind, address) = (store.kind().name(), store.address(server));
        let started = [kind, &address, self.work.name()];
        let child = Child::start(&started, journal, &marks(&self.directory));
        self.addresses.change(server, child.address);
        self.lives.push(Life { journal: child.journal.clone(), killed: None, frozen: None });
        self.children[server] = Some(child);
    }

    /// Kills a server while it is working.
    pub(crate) fn kill(&mut self, server: usize) {
        self.wait_for_work(server);
        let child = self.children[server].take().expect("a server that is alive");
        let journal = child.journal.clone();
        let killed = child.kill();
        self.life(&journal).killed = Some(killed);
    }

    /// Starts another process in the place of this server, and then shuts this one down.
    pub(crate) fn replace(&mut self, server: usize, store: &Backend) {
        self.wait_for_work(server);
        let child = self.children[server].take().expect("a server that is alive");
        self.start_again(server, store);
        let journal = child.journal.clone();
        let ended = child.shut_down();
        self.life(&journal).killed = Some(ended);
    }

    /// Suspends a server for this time while it is working. If `is_wrong` then, resumes it at once and returns false.
    pub(crate) fn freeze_unless(
        &mut self,
        server: usize,
        is_wrong: impl FnOnce() -> bool,
        time: Duration,
    ) -> bool {
        self.wait_for_work(server);
        let child = self.children[server].as_ref().expect("a server that is alive");
        let journal = child.journal.clone();
        let start = now();
        child.signal("-STOP");
        let is_right = !is_wrong();
        if is_right {
            thread::sleep(time);
        }
        let end = now();
        child.signal("-CONT");
        if is_right {
            self.life(&journal).frozen = Some(start..end);
        }
        is_right
    }

    fn wait_for_work(&self, server: usize) {
        let child = self.children[server].as_ref().expect("a server that is alive");
        let deadline = Instant::now() + PATIENCE;
        while alive(&child.journal) < AT_WORK && Instant::now() < deadline {
            thread::yield_now();
        }
    }

    fn life(&mut self, journal: &Path) -> &mut Life {
        self.lives.iter_mut().find(|life| life.journal == journal).expect("its life")
    }

    pub(crate) fn addresses(&self) -> Arc<Addresses> {
        Arc::clone(&self.addresses)
    }

    pub(crate) fn lives(&self) -> &[Life] {
        &self.lives
    }
}

/// The directory of the marks that the servers share.
fn marks(directory: &Path) -> PathBuf {
    directory.join("marks")
}
