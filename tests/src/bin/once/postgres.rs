//! PostgreSQL, which each server reaches through a proxy of its own, and the ways in which it fails.

use std::{net::SocketAddr, thread};

use pierre_webhook_dedup::{
    deadpool_postgres::{Manager, Pool},
    tokio_postgres::NoTls,
};
use pierre_webhook_tests::{
    postgres_server::PostgresServer,
    proxy::{Fate, Proxy},
};

use crate::{
    faults::{Cause, Fault, LONGER_THAN_A_LEASE, QUICK, Scene},
    servers::SERVERS,
};

/// How many requests must be rejected because the store is down before it is started again.
const REJECTIONS: u64 = 20;

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "PostgreSQL killed, and started again at once",
        may_cause: &[Cause::Unrecorded],
        strike: restart,
        ..QUICK
    },
    Fault {
        name: "PostgreSQL killed for over 4 s",
        may_cause: &[Cause::Unrecorded],
        strike: kill,
        ..QUICK
    },
    Fault {
        name: "PostgreSQL frozen for 4 s",
        may_cause: &[Cause::Unrecorded],
        strike: freeze,
        ..QUICK
    },
    Fault {
        name: "one server cut off from PostgreSQL for 4 s",
        may_cause: &[Cause::Unrecorded],
        strike: partition,
        ..QUICK
    },
];

pub(crate) struct Postgres {
    server: PostgresServer,
    proxies: [Proxy; SERVERS],
}

impl Postgres {
    pub(crate) fn start() -> Option<Self> {
        let server = PostgresServer::start()?;
        let target = SocketAddr::from(([127, 0, 0, 1], server.port()));
        Some(Self { server, proxies: std::array::from_fn(|_| Proxy::to(target)) })
    }

    pub(crate) fn address(&self, server: usize) -> String {
        format!("postgres://postgres@{}/postgres", self.proxies[server].address())
    }
}

/// The pool of a process under test.
pub(crate) fn pool(address: &str) -> Pool {
    let manager = Manager::new(address.parse().expect("a URL"), NoTls);
    Pool::builder(manager).max_size(16).build().expect("a pool")
}

fn restart(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let server = &mut scene.store.postgres().server;
        server.kill();
        scene.sending.wait_for_rejections(REJECTIONS);
        server.start_again();
    });
}

fn kill(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let server = &mut scene.store.postgres().server;
        server.kill();
        scene.sending.wait_for_rejections(REJECTIONS);
        thread::sleep(LONGER_THAN_A_LEASE);
        server.start_again();
    });
}

fn freeze(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let server = &scene.store.postgres().server;
        server.freeze();
        thread::sleep(LONGER_THAN_A_LEASE);
        server.thaw();
    });
}

/// Drops all bytes, in both directions. The connections stay open.
fn partition(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let [proxy, ..] = &scene.store.postgres().proxies;
        proxy.set_new(Fate::Silent);
        proxy.set(Fate::Silent);
        thread::sleep(LONGER_THAN_A_LEASE);
        // Bytes are missing on the old connections, so they stay silent.
        proxy.set_new(Fate::Passes);
    });
}
