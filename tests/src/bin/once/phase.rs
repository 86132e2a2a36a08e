//! One fault, while deliveries are sent. Every delivery that was handled again must have a reason that the fault may
//! cause.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pierre_webhook_core::DeliveryId;
use tokio::runtime::Runtime;

use crate::{
    backend::Backend,
    deliveries::Deliveries,
    faults::{Cause, Fault, Scene},
    histories::{Histories, History},
    journal::{Event, now},
    report::Report,
    senders::Sending,
    servers::Servers,
    strike::Strike,
    tally::Tally,
};

/// How often each delivery is sent, not counting retries.
const TIMES: usize = 3;

pub(crate) struct Phase {
    pub(crate) report: Report,
    pub(crate) figures: Figures,
}

/// How many deliveries the fault had each effect on.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) runs: usize,
    /// Runs that ended with their process.
    pub(crate) cut_off: usize,
    pub(crate) cut_off_again: usize,
    pub(crate) unrecorded: usize,
    pub(crate) record_lost: usize,
    pub(crate) overlapped: usize,
    pub(crate) woke_up: usize,
    /// Handled again, or twice at a time, for none of these reasons.
    pub(crate) unexplained: usize,
    pub(crate) lost: usize,
    /// The longest time from the end of a process until another handles a delivery that it was handling.
    pub(crate) longest_wait: Duration,
    pub(crate) time: Duration,
}

impl Phase {
    pub(crate) fn run(
        fault: &Fault,
        mut store: Backend,
        directory: &Path,
        runtime: &Runtime,
        count: usize,
    ) -> Self {
        let deliveries = Arc::new(Deliveries::new(count));
        let ids = deliveries.ids();
        (fault.prepare)(&mut store);
        let mut servers = Servers::start(&store, fault.work, directory);
        let addresses = servers.addresses();
        let mut strike = Strike::of(store.kind());
        let mut report = Report::new(format!(
            "{}: {count} deliveries, {TIMES} times each, to two servers over one store",
            fault.name
        ));

        let start = Instant::now();
        let sending = Sending::start(runtime, &addresses, &deliveries, TIMES);
        (fault.strike)(&mut Scene {
            sending: &sending,
            servers: &mut servers,
            store: &mut store,
            ids: &ids,
            strike: &mut strike,
        });
        let tally = sending.finish();
        report.say(format!("{:.1} s: {}", start.elapsed().as_secs_f64(), tally.answers()));
        must_succeed(&mut report, &tally, count * TIMES);
        if strike.failed_over.is_some() {
            // Those whose record was lost are handled again now, if all of their copies had arrived before.
            let tally = Sending::start(runtime, &addresses, &deliveries, 1).finish();
            must_succeed(&mut report, &tally, count);
        }
        let histories = Histories::settled(&ids, servers.lives());
        let figures =
            Figures { time: start.elapsed(), ..judge(&mut report, fault, &strike, &histories) };

        let sent_again = now();
        let again = Sending::start(runtime, &addresses, &deliveries, 1).finish();
        let runs_again =
            Histories::read(&ids, servers.lives()).count(|history| history.runs_since(sent_again));
        report.say(format!("sent once more: {}", again.answers()));
        must_have_been_handled(&mut report, &again, count, runs_again);
        Self { report, figures }
    }
}

/// Counts the deliveries that were handled again by their reason.
fn judge(report: &mut Report, fault: &Fault, strike: &Strike, histories: &Histories) -> Figures {
    let ended_as = |event| histories.runs(|run| run.ended_as(event));
    let mut figures = Figures {
        runs: histories.runs(|_| true),
        cut_off: histories.count(|history| history.cut_off().count()),
        ..Figures::default()
    };
    report.say(format!(
        "{} runs of the handler: {} done, {} answered with 500 and retried, {} dropped, {} cut off",
        figures.runs,
        ended_as(Event::Done),
        ended_as(Event::Failed),
        ended_as(Event::Dropped),
        figures.cut_off,
    ));
    report.say(format!(
        "recorded by a server that ended before it could write that to its journal: {}",
        histories.of(History::is_recorded_unsaid).len()
    ));

    let mut unexplained = Vec::new();
    for (id, history) in histories.iter() {
        for cause in causes(id, history, strike) {
            match cause {
                Some(cause) if fault.may_cause.contains(&cause) => *figures.of(cause) += 1,
                _ => unexplained.push(id),
            }
        }
        figures.longest_wait = history.waits().fold(figures.longest_wait, Duration::max);
    }
    figures.unexplained = unexplained.len();
    let lost = histories.of(History::is_lost);
    figures.lost = lost.len();
    report.must_be_none_of("lost", &lost);
    report.must_be_none_of("handled again, or twice at a time, without a reason", &unexplained);
    report.must(
        figures.longest_wait <= fault.longest_wait,
        format!(
            "the longest wait for another run after a process ended: {:.2} s",
            figures.longest_wait.as_secs_f64()
        ),
    );
    for cause in fault.must_cause {
        let count = *figures.of(*cause);
        report.must(count > 0, format!("deliveries that it was meant to affect: {count}"));
    }
    figures
}

/// Returns the reason for each way in which the delivery was handled more than once. `None` is no reason.
fn causes(id: DeliveryId, history: &History, strike: &Strike) -> Vec<Option<Cause>> {
    let mut causes = Vec::new();
    if history.cut_off().any(|is_done_after| is_done_after) {
        causes.push(Some(Cause::CutOff));
    }
    if let Some(run) = history.repeated_unrecorded() {
        causes.push(strike.explains_unrecorded(run).then_some(Cause::Unrecorded));
    }
    let mut after = history.after_recorded().peekable();
    if after.peek().is_some() {
        causes.push(if strike.lost_record(id, history) {
            Some(Cause::RecordLost)
        } else {
            after.all(|run| run.woke_up()).then_some(Cause::WokeUp)
        });
    }
    let mut overlaps = history.overlaps().peekable();
    if overlaps.peek().is_some() {
        let is_explained =
            overlaps.all(|(first, second)| strike.lost_claim(first) || second.woke_up());
        causes.push(is_explained.then_some(Cause::Overlap));
    }
    causes
}

impl Figures {
    fn of(&mut self, cause: Cause) -> &mut usize {
        match cause {
            Cause::CutOff => &mut self.cut_off_again,
            Cause::Unrecorded => &mut self.unrecorded,
            Cause::RecordLost => &mut self.record_lost,
            Cause::Overlap => &mut self.overlapped,
            Cause::WokeUp => &mut self.woke_up,
        }
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
