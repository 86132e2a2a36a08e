//! Sends deliveries while the servers are killed, Redis is restarted, and Redis is killed. No delivery may be lost,
//! and none may be handled again after its completion was recorded.

use std::{
    fmt,
    io::{Read, Write},
    net::TcpStream,
    ops::Range,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pierre_webhook_tests::redis_server::RedisServer;
use tokio::runtime::Runtime;

use crate::{
    deliveries::Deliveries,
    histories::{Histories, History, Run},
    journal::{Event, now},
    report::Report,
    senders::Sending,
    servers::Servers,
    tally::Tally,
};

/// How often each delivery is sent, not counting retries.
const TIMES: usize = 3;
/// How many requests must be rejected because the store is down before it is started again.
const REJECTIONS: u64 = 20;

/// `redis` must be configured so that it loses nothing that it has acknowledged.
pub(crate) fn report(
    mut redis: RedisServer,
    directory: &Path,
    runtime: &Runtime,
    count: usize,
) -> Report {
    let deliveries = Arc::new(Deliveries::new(count));
    let ids = deliveries.ids();
    let mut servers = Servers::start(redis.url(), directory);
    let addresses = servers.addresses();

    let start = Instant::now();
    let sending = Sending::start(runtime, &addresses, &deliveries, TIMES);
    for (server, tenth) in [(0, 1), (1, 3)] {
        sending.wait_for_part(tenth, 10);
        servers.kill(server);
        sending.wait_for_part(tenth + 1, 10);
        servers.start_again(server);
    }
    sending.wait_for_part(5, 10);
    let restarted = Outage::of(|| {
        shut_down(&mut redis);
        sending.wait_for_rejections(REJECTIONS);
        redis.start_again();
    });
    sending.wait_for_part(7, 10);
    let killed = Outage::of(|| {
        redis.kill();
        // With many deliveries, this takes longer than a lease.
        sending.wait_for_rejections(REJECTIONS.max(count as u64 / 10));
        redis.start_again();
    });
    let tally = sending.finish();
    let histories = Histories::settled(&ids, servers.lives());
    let time = start.elapsed();

    let sent_again = now();
    let again = Sending::start(runtime, &addresses, &deliveries, 1).finish();
    let runs_again = Histories::read(&ids, servers.lives()).count(|h| h.runs_since(sent_again));

    let mut report = Report::new(format!(
        "{count} deliveries, {TIMES} times each, to two servers over one Redis with appendfsync always"
    ));
    report.say(format!("{:.1} s: {}", time.as_secs_f64(), tally.answers()));
    report.say(format!(
        "meanwhile, one server was killed, then the other; Redis was restarted (down for {restarted}) and killed (down for {killed})"
    ));
    say_runs(&mut report, &histories);
    must_succeed(&mut report, &tally, count * TIMES);
    report.must_be_none_of("lost", &histories.of(History::is_lost));
    let handled_again = histories.of(|history| history.runs_after_recorded() > 0);
    report.must_be_none_of("handled again after the completion was recorded", &handled_again);
    let inexplicable = histories.of(|history| {
        history.repeated_unrecorded().is_some_and(|run| {
            let done = run.alive_until();
            run.killed.is_none() && !restarted.explains(done) && !killed.explains(done)
        })
    });
    report.must_be_none_of("handled again, although nothing prevented the record", &inexplicable);
    report.must_be_none_of(
        "handled while another run was in progress",
        &histories.of(History::overlaps),
    );
    report.say(format!("sent once more: {}", again.answers()));
    must_have_been_handled(&mut report, &again, count, runs_again);
    report
}

fn say_runs(report: &mut Report, histories: &Histories) {
    let ended_as = |event| histories.runs(|run| run.ended_as(event));
    report.say(format!(
        "{} runs of the handler: {} done, {} answered with 500 and retried, {} dropped, {} cut off by the kills",
        histories.runs(|_| true),
        ended_as(Event::Done),
        ended_as(Event::Failed),
        ended_as(Event::Dropped),
        histories.count(|history| history.cut_off().count()),
    ));
    report.say(format!(
        "handled again because they were cut off: {}",
        histories.count(|history| history.cut_off().filter(|is_done_after| *is_done_after).count())
    ));
    let repeated = |is_killed| {
        let is_meant = |run: &Run| run.killed.is_some() == is_killed;
        histories.of(|history| history.repeated_unrecorded().is_some_and(is_meant)).len()
    };
    report.say(format!(
        "handled again because they were done but not recorded: {} because of the kills, {} because Redis was down for longer than a lease",
        repeated(true),
        repeated(false)
    ));
    report.say(format!(
        "recorded by a server that was killed before it could write that to its journal: {}",
        histories.of(History::is_recorded_unsaid).len()
    ));
}

/// A time during which Redis was down.
struct Outage(Range<u64>);

impl Outage {
    fn of(outage: impl FnOnce()) -> Self {
        let start = now();
        outage();
        Self(start..now())
    }

    /// Returns true if work that was done at this time could not be recorded at once. A record takes at most a
    /// second, and Redis needs a while to load its data.
    fn explains(&self, done: u64) -> bool {
        let slack = Duration::from_secs(1).as_nanos() as u64;
        (self.0.start - slack..self.0.end + slack).contains(&done)
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", Duration::from_nanos(self.0.end - self.0.start).as_secs_f64())
    }
}

/// Checks that all were answered with success before the deadline, and that no response was wrong.
pub(crate) fn must_succeed(report: &mut Report, tally: &Tally, total: usize) {
    report.must_be_none("not answered with success in time", total - tally.succeeded);
    for wrong in tally.wrong.iter().take(10) {
        report.must(false, format!("a wrong response: {wrong}"));
    }
}

/// Checks that each got the response of a delivery that was handled before, and that no handler ran.
pub(crate) fn must_have_been_handled(
    report: &mut Report,
    again: &Tally,
    count: usize,
    runs: usize,
) {
    must_succeed(report, again, count);
    let empty = again.handled_before;
    report.must(empty == count as u64, format!("empty responses, one for each: {empty}"));
    report.must_be_none("handler runs caused by that", runs);
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
