//! Senders that retry until they get a success.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Runtime,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    connection::{Answer, Connection},
    deliveries::Deliveries,
    servers::{Addresses, SERVERS},
    tally::{Next, Tally},
};

const SENDERS: u64 = 64;
/// How far from its place in the order a delivery may be sent. Close enough that some copies arrive while the first is
/// being handled, and others after it.
const SPREAD: u64 = 300;
/// A sender waits as long as it is asked to, but at most this long. If it waited whole seconds, it would miss the
/// faults.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(20);

/// Deliveries that are being sent.
pub(crate) struct Sending<'a> {
    runtime: &'a Runtime,
    senders: JoinSet<()>,
    tally: Arc<watch::Sender<Tally>>,
    total: usize,
    patience: Duration,
}

impl<'a> Sending<'a> {
    /// Starts to send each delivery this many times.
    pub(crate) fn start(
        runtime: &'a Runtime,
        addresses: &Arc<Addresses>,
        deliveries: &Arc<Deliveries>,
        times: usize,
    ) -> Self {
        let total = deliveries.count * times;
        let patience = Duration::from_secs(60) + Duration::from_millis(10) * total as u32;
        let order = Arc::new(order(deliveries.count, times));
        let next = Arc::new(AtomicUsize::new(0));
        let tally = Arc::new(watch::Sender::new(Tally::default()));
        let mut senders = JoinSet::new();
        for seed in 1..=SENDERS {
            let mut sender = Sender {
                addresses: Arc::clone(addresses),
                deliveries: Arc::clone(deliveries),
                tally: Arc::clone(&tally),
                connections: [const { None }; SERVERS],
                random: Random::new(seed),
                deadline: Instant::now() + patience,
            };
            let (order, next) = (Arc::clone(&order), Arc::clone(&next));
            let all = async move {
                while let Some(number) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sender.deliver(*number).await;
                }
            };
            senders.spawn_on(all, runtime.handle());
        }
        Self { runtime, senders, tally, total, patience }
    }

    /// Waits until this fraction is answered with success.
    pub(crate) fn wait_for_part(&self, numerator: usize, denominator: usize) {
        let part = self.total * numerator / denominator;
        self.wait_for("the senders make no progress", |tally| tally.succeeded >= part);
    }

    /// Waits until this many more requests were rejected because the store was down.
    pub(crate) fn wait_for_rejections(&self, more: u64) {
        let enough = self.tally.borrow().store_down + more;
        self.wait_for("no sender finds the store down", |tally| tally.store_down >= enough);
    }

    fn wait_for(&self, otherwise: &str, is_enough: impl FnMut(&Tally) -> bool) {
        let mut tally = self.tally.subscribe();
        let waiting = async { timeout(self.patience, tally.wait_for(is_enough)).await.is_ok() };
        assert!(self.runtime.block_on(waiting), "{otherwise}");
    }

    /// Waits for the rest. If the deadline passes first, fewer than all have succeeded.
    pub(crate) fn finish(self) -> Tally {
        self.runtime.block_on(self.senders.join_all());
        self.tally.send_replace(Tally::default())
    }
}

/// Returns the number of each delivery `times` times, not far from each other.
fn order(count: usize, times: usize) -> Vec<usize> {
    let mut random = Random::new(0);
    let numbers = (0..count).flat_map(|number| std::iter::repeat_n(number, times));
    let mut order: Vec<_> =
        numbers.map(|n| ((n * times) as u64 + random.below(SPREAD), n)).collect();
    order.sort_by_key(|(place, _)| *place);
    order.into_iter().map(|(_, number)| number).collect()
}

struct Sender {
    addresses: Arc<Addresses>,
    deliveries: Arc<Deliveries>,
    tally: Arc<watch::Sender<Tally>>,
    connections: [Option<Connection>; SERVERS],
    random: Random,
    deadline: Instant,
}

impl Sender {
    async fn deliver(&mut self, number: usize) {
        let first = self.deliveries.request(number);
        let mut is_signed_anew = false;
        while Instant::now() < self.deadline {
            let answer = match is_signed_anew {
                false => self.exchange(&first).await,
                true => self.exchange(&self.deliveries.request(number)).await,
            };
            let answer = answer.ok();
            let mut next = Next::Nothing;
            self.tally.send_modify(|tally| next = tally.count(answer.as_ref()));
            match next {
                Next::Nothing => return,
                Next::Retry => {
                    let asked = answer.and_then(|answer| answer.retry_after);
                    sleep(asked.map_or(PAUSE, Duration::from_secs).min(LONGEST_PAUSE)).await;
                }
            }
            is_signed_anew = !is_signed_anew;
        }
    }

    /// Sends a request to one of the servers, over the open connection if there is one.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let server = self.random.below(SERVERS as u64) as usize;
        let address = self.addresses.of(server);
        let kept = self.connections[server].take().filter(|kept| kept.address == address);
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(address).await?,
        };
        let answer = connection.exchange(request).await?;
        self.connections[server] = Some(connection);
        Ok(answer)
    }
}

/// Xorshift: the choices are the same in every run, but not their timing.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
