//! Redis, which each server reaches through a proxy of its own, and the ways in which it fails.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use pierre_webhook_core::DeliveryId;
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::{RedisServer, Reply},
};

use crate::{
    backend::Backend,
    faults::{Cause, Fault, LONGER_THAN_A_LEASE, QUICK, Scene},
    journal::now,
    servers::SERVERS,
    strike::FailedOver,
};

/// How many requests must be rejected because the store is down before it is started again.
const REJECTIONS: u64 = 20;
/// With this, it loses nothing that it has answered.
const DURABLE: [&str; 6] =
    ["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"];

pub(crate) const FAULTS: &[Fault] = &[
    Fault { name: "Redis restarted", may_cause: &[Cause::Unrecorded], strike: restart, ..QUICK },
    Fault { name: "Redis killed", may_cause: &[Cause::Unrecorded], strike: kill, ..QUICK },
    Fault {
        name: "Redis frozen for 4 s",
        may_cause: &[Cause::Unrecorded],
        strike: freeze,
        ..QUICK
    },
    Fault {
        name: "one server cut off from Redis for 4 s",
        may_cause: &[Cause::Unrecorded],
        strike: partition,
        ..QUICK
    },
    Fault {
        name: "failover to a replica that lags",
        may_cause: &[Cause::Unrecorded, Cause::RecordLost, Cause::Overlap],
        must_cause: &[Cause::RecordLost],
        prepare: add_replica,
        strike: fail_over,
        ..QUICK
    },
];

pub(crate) struct Redis {
    pub(crate) server: RedisServer,
    proxies: [Proxy; SERVERS],
    replica: Option<Replica>,
}

struct Replica {
    server: RedisServer,
    /// It follows the master through this.
    replication: Proxy,
}

impl Redis {
    pub(crate) fn start() -> Option<Self> {
        Self::with(&DURABLE)
    }

    pub(crate) fn with(options: &[&str]) -> Option<Self> {
        let server = RedisServer::with(options)?;
        let proxies = std::array::from_fn(|_| Proxy::to(server.address()));
        Some(Self { server, proxies, replica: None })
    }

    pub(crate) fn address(&self, server: usize) -> String {
        self.proxies[server].url()
    }
}

fn restart(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let redis = scene.store.redis();
        shut_down(&mut redis.server);
        scene.sending.wait_for_rejections(REJECTIONS);
        redis.server.start_again();
    });
}

fn kill(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let redis = scene.store.redis();
        redis.server.kill();
        scene.sending.wait_for_rejections(REJECTIONS);
        thread::sleep(LONGER_THAN_A_LEASE);
        redis.server.start_again();
    });
}

fn freeze(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let redis = scene.store.redis();
        redis.server.freeze();
        thread::sleep(LONGER_THAN_A_LEASE);
        redis.server.thaw();
    });
}

/// Drops all bytes, in both directions. The connections stay open.
fn partition(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let redis = scene.store.redis();
        let [proxy, ..] = &redis.proxies;
        proxy.set_new(Fate::Silent);
        proxy.set(Fate::Silent);
        thread::sleep(LONGER_THAN_A_LEASE);
        // Bytes are missing on the old connections, so they stay silent.
        proxy.set_new(Fate::Passes);
    });
}

/// Starts a replica, and waits until it follows.
fn add_replica(store: &mut Backend) {
    let redis = store.redis();
    let server = RedisServer::with(&DURABLE).expect("a Redis, as before");
    let replication = Proxy::to(redis.server.address());
    let master = replication.address();
    let [host, port] = [master.ip().to_string(), master.port().to_string()];
    assert_eq!(server.ask(&["REPLICAOF", &host, &port]), Reply::Text("OK".into()));
    let deadline = Instant::now() + Duration::from_secs(20);
    let follows = |reply: &Reply| matches!(reply, Reply::Text(info) if info.contains("master_link_status:up"));
    while !follows(&server.ask(&["INFO", "replication"])) {
        assert!(Instant::now() < deadline, "the replica does not follow");
        thread::sleep(Duration::from_millis(5));
    }
    redis.replica = Some(Replica { server, replication });
}

/// The replica misses the last writes. The servers are led to it once the master is dead, as a name would lead them.
fn fail_over(scene: &mut Scene<'_>) {
    let redis = scene.store.redis();
    let Replica { server, replication } = redis.replica.take().expect("a replica");
    scene.sending.wait_for_part(3, 10);
    let lags = now();
    replication.set(Fate::Silent);
    scene.sending.wait_for_part(4, 10);
    redis.server.kill();
    server.promote();
    let kept = completed(&server, scene.ids);
    let switched = now();
    for proxy in &redis.proxies {
        proxy.lead_to(server.address());
    }
    redis.server = server;
    scene.strike.outages.push(lags..now());
    scene.strike.failed_over = Some(FailedOver { lags, switched, kept });
}

/// Returns the deliveries that this server has as completed.
fn completed(server: &RedisServer, ids: &[DeliveryId]) -> BTreeSet<DeliveryId> {
    let keys: Vec<_> = ids.iter().map(|id| format!("pierre-webhook::{id}")).collect();
    let command: Vec<_> = ["MGET"].into_iter().chain(keys.iter().map(String::as_str)).collect();
    let Reply::List(values) = server.ask(&command) else { panic!("no list") };
    let is_done = |value: &Reply| matches!(value, Reply::Text(text) if text.starts_with("done:"));
    ids.iter().zip(&values).filter(|(_, value)| is_done(value)).map(|(id, _)| *id).collect()
}

/// Shuts Redis down gracefully, and waits until it has ended.
fn shut_down(redis: &mut RedisServer) {
    let mut stream = TcpStream::connect(redis.address()).expect("Redis");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream.write_all(b"SHUTDOWN\r\n").expect("Redis");
    let mut error = String::new();
    stream.read_to_string(&mut error).expect("an end");
    assert_eq!(error, "");
    redis.kill();
}
