//! A proxy between a client and a server, such as Redis, that fails like a network.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

/// What happens to the bytes of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Passes,
    /// They are dropped silently.
    Silent,
    /// Commands reach the server, and their answers are dropped.
    Unanswered,
    /// A command reaches the server, and the connection closes instead of answering.
    CutAtTheAnswer,
}

/// A running proxy on loopback. It stops when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    /// How long the first bytes of a new connection wait, and how long its other bytes wait.
    delays: Mutex<[Duration; 2]>,
    open: Mutex<Vec<Open>>,
    accepted: AtomicUsize,
    fate_of_new: AtomicU8,
    is_over: AtomicBool,
}

struct Open {
    fate: Arc<AtomicU8>,
    ends: [TcpStream; 2],
}

impl Proxy {
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            delays: Mutex::default(),
            open: Mutex::default(),
            accepted: AtomicUsize::new(0),
            fate_of_new: AtomicU8::new(Fate::Passes as u8),
            is_over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                accepting.serve(client.unwrap());
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections to another server, and closes the open ones.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap() = target;
        for open in &*self.shared.open.lock().unwrap() {
            open.end();
        }
    }

    /// Slows new connections down: their first answer takes the first of these times, and each other the second.
    pub fn slow_down_new(&self, connecting: Duration, answering: Duration) {
        *self.shared.delays.lock().unwrap() = [connecting, answering];
    }

    /// How many connections there were.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Sets the fate of the open connections.
    pub fn set(&self, fate: Fate) {
        for open in &*self.shared.open.lock().unwrap() {
            open.fate.store(fate as u8, Ordering::SeqCst);
        }
    }

    /// Sets the fate of new connections.
    pub fn set_new(&self, fate: Fate) {
        self.shared.fate_of_new.store(fate as u8, Ordering::SeqCst);
    }

    /// Waits until at most this many connections are open.
    pub async fn until_open(&self, most: usize) {
        let start = Instant::now();
        while self.shared.open.lock().unwrap().len() > most {
            assert!(start.elapsed() < Duration::from_secs(5), "connections leak");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for open in &*self.shared.open.lock().unwrap() {
            open.end();
        }
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(self: &Arc<Self>, client: TcpStream) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        let target = *self.target.lock().unwrap();
        let Ok(server) = TcpStream::connect(target) else { return };
        for end in [&client, &server] {
            end.set_nodelay(true).unwrap();
        }
        let fate = Arc::new(AtomicU8::new(self.fate_of_new.load(Ordering::SeqCst)));
        let delays = *self.delays.lock().unwrap();
        let ends = [client.try_clone().unwrap(), server.try_clone().unwrap()];
        self.open.lock().unwrap().push(Open { fate: Arc::clone(&fate), ends });

        let forth = (client.try_clone().unwrap(), server.try_clone().unwrap());
        for (from, to, is_answer) in [(forth.0, forth.1, false), (server, client, true)] {
            let (shared, fate) = (Arc::clone(self), Arc::clone(&fate));
            spawn(move || {
                let delays = if is_answer { delays } else { Default::default() };
                pass(from, to, &fate, is_answer, delays);
                shared.open.lock().unwrap().retain(|open| !Arc::ptr_eq(&open.fate, &fate));
            });
        }
    }
}

impl Open {
    fn end(&self) {
        for end in &self.ends {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    fate: &AtomicU8,
    is_answer: bool,
    [first, others]: [Duration; 2],
) {
    let mut bytes = [0; 64 * 1024];
    let mut delay = first;
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        sleep(std::mem::replace(&mut delay, others));
        let is = |other: Fate| fate.load(Ordering::SeqCst) == other as u8;
        if is_answer && is(Fate::CutAtTheAnswer) {
            break;
        }
        let is_lost = is(Fate::Silent) || (is_answer && is(Fate::Unanswered));
        if !is_lost && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
