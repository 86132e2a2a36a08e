//! What Redis may forget with `appendfsync everysec`. If only Redis is killed, it usually forgets nothing, since the
//! operating system still has what it wrote. If the machine fails, it forgets the last second. That is simulated by
//! cutting off the end of the append-only file. Only those deliveries may be handled again, and none may be lost.

use std::{path::Path, sync::Arc};

use tokio::runtime::Runtime;

use crate::{
    append_only_file,
    backend::Backend,
    deliveries::Deliveries,
    histories::{Histories, History},
    journal::now,
    phase::{must_have_been_handled, must_succeed},
    redis::Redis,
    report::Report,
    senders::Sending,
    server::Work,
    servers::Servers,
};

/// One in this many completions is in the lost second.
const LOST: usize = 5;

pub(crate) fn report(directory: &Path, runtime: &Runtime, count: usize) -> Report {
    let everysec = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let mut store = Backend::Redis(Redis::with(&everysec).expect("a Redis, as before"));
    let deliveries = Arc::new(Deliveries::new(count));
    let ids = deliveries.ids();
    let servers = Servers::start(&store, Work::Quick, directory);
    let Redis { server: redis, .. } = store.redis();
    let send = || Sending::start(runtime, &servers.addresses(), &deliveries, 1).finish();
    let handled_since = |time| {
        let histories = Histories::settled(&ids, servers.lives());
        histories.of(|history| history.runs_since(time) > 0)
    };

    let mut report = Report::new(format!(
        "the lost second: {count} deliveries over a Redis with appendfsync everysec"
    ));
    must_succeed(&mut report, &send(), count);

    let killed = now();
    redis.restart();
    must_succeed(&mut report, &send(), count);
    let repeated = handled_since(killed).len();
    report.say(format!("handled again after Redis was killed, usually nothing: {repeated}"));

    redis.kill();
    let cut = append_only_file::cut(redis.directory(), count / LOST);
    let killed = now();
    redis.start_again();
    must_succeed(&mut report, &send(), count);
    let repeated = handled_since(killed);
    let others: Vec<_> = repeated.iter().copied().filter(|id| !cut.contains(id)).collect();
    report.must(
        !repeated.is_empty() && repeated.len() <= cut.len(),
        format!("handled again, of {} whose completion was cut off: {}", cut.len(), repeated.len()),
    );
    report.must_be_none_of("handled again, of the others", &others);

    let sent_again = now();
    let again = send();
    let histories = Histories::settled(&ids, servers.lives());
    report.must_be_none_of("lost", &histories.of(History::is_lost));
    report.must_be_none_of(
        "handled while another run was in progress",
        &histories.of(|history| history.overlaps().next().is_some()),
    );
    report.say(format!("sent once more: {}", again.answers()));
    let runs_again = histories.count(|history| history.runs_since(sent_again));
    must_have_been_handled(&mut report, &again, count, runs_again);
    report
}
