//! Senders at work while the servers are killed, Redis is restarted, and Redis is killed: nothing is lost, and
//! nothing is handled again after its completion was recorded.

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

/// How often each delivery is sent, besides its retries.
const TIMES: usize = 3;
/// So many senders meet a store that is down before it comes back.
const REFUSALS: u64 = 20;

/// `redis` must lose nothing that it has answered.
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
        sending.wait_for_refusals(REFUSALS);
        redis.start_again();
    });
    sending.wait_for_part(7, 10);
    let killed = Outage::of(|| {
        redis.kill();
        // With many deliveries that takes longer than a lease.
        sending.wait_for_refusals(REFUSALS.max(count as u64 / 10));
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
        "meanwhile one server killed, then the other; Redis restarted (away for {restarted}), killed ({killed})"
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
    report.must_be_none_of("handled again, though nothing kept it from a record", &inexplicable);
    report.must_be_none_of("run while a run was alive", &histories.of(History::overlaps));
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
        "handled again because they were done and not recorded: {} by the kills, {} while Redis was away for longer than a lease",
        repeated(true),
        repeated(false)
    ));
    report.say(format!(
        "recorded by a server that was killed before it could say so: {}",
        histories.of(History::is_recorded_unsaid).len()
    ));
}

/// A time without Redis.
struct Outage(Range<u64>);

impl Outage {
    fn of(outage: impl FnOnce()) -> Self {
        let start = now();
        outage();
        Self(start..now())
    }

    /// What was done then could not be recorded at once. A record takes a second at most, and Redis is a while
    /// in reading its data.
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

/// All were answered with success before the deadline, and nothing was answered as it should not be.
pub(crate) fn must_succeed(report: &mut Report, tally: &Tally, total: usize) {
    report.must_be_none("not answered with success in time", total - tally.succeeded);
    for wrong in tally.wrong.iter().take(10) {
        report.must(false, format!("a wrong answer: {wrong}"));
    }
}

/// Each was answered as one that was handled before, and no handler has run.
pub(crate) fn must_have_been_handled(
    report: &mut Report,
    again: &Tally,
    count: usize,
    runs: usize,
) {
    must_succeed(report, again, count);
    let empty = again.handled_before;
    report.must(empty == count as u64, format!("empty answers, one for each: {empty}"));
    report.must_be_none("runs by that", runs);
}

/// In an orderly way, to its end.
fn shut_down(redis: &mut RedisServer) {
    let mut stream = TcpStream::connect(redis.address()).expect("Redis");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream.write_all(b"SHUTDOWN\r\n").expect("Redis");
    let mut refusal = String::new();
    stream.read_to_string(&mut refusal).expect("an end");
    assert_eq!(refusal, "");
    redis.kill();
}
