//! What the crates answered, in the oracle's words, and whether the oracle allows it.

use pierre_webhook_core::{Error, Event, SyncFailure};

use crate::oracle::{self, Values, Verdict};

/// Panics if the oracle does not allow what core answered to a payload.
pub fn check(expected: &Verdict, event_type: &str, result: Result<&Event, &Error>) {
    match (result, &expected.accepted) {
        (Ok(event), Some(values)) => {
            assert_eq!(event.event_type(), event_type);
            let observed = self::values(event);
            for (name, value) in values {
                assert_eq!(observed.get(name), Some(value), "{name} of {event:?}");
            }
        }
        (Ok(event), None) => panic!("accepted {event:?}, expected {expected:?}"),
        (Err(error), _) => {
            let is_allowed = expected.rejections.contains(&error.to_string());
            assert!(is_allowed, "rejected by {error:?}, expected {expected:?}");
            assert_eq!(error.status_code(), oracle::status(&error.to_string()));
        }
    }
}

fn values(event: &Event) -> Values {
    let text = |value: &dyn ToString| Some(value.to_string());
    let time = |time: jiff::Timestamp| Some(time.as_nanosecond().to_string());
    let sync = |run_count: u64, is_first_sync: bool, started_at| {
        [
            ("run_count", text(&run_count)),
            ("is_first_sync", text(&is_first_sync)),
            ("started_at", time(started_at)),
        ]
    };
    let mut values = Values::new();
    match event {
        Event::Push(push) => values.extend([
            ("org", push.org.clone()),
            ("ref", text(&push.git_ref)),
            ("before", text(&push.before)),
            ("after", text(&push.after)),
            ("customer_id", text(&push.customer_id)),
            ("pushed_at", time(push.pushed_at)),
            ("branch", push.branch().map(str::to_owned)),
            ("tag", push.tag().map(str::to_owned)),
            ("is_created", text(&push.is_created())),
            ("is_deleted", text(&push.is_deleted())),
        ]),
        Event::RepoSyncStarted(e) => {
            values.extend(sync(e.run_count, e.is_first_sync, e.started_at));
        }
        Event::RepoSyncSucceeded(e) => {
            values.extend(sync(e.run_count, e.is_first_sync, e.started_at));
            values.insert("completed_at", time(e.completed_at));
        }
        Event::RepoSyncFailed(e) => {
            values.extend(sync(e.run_count, e.is_first_sync, e.started_at));
            values.insert("completed_at", time(e.completed_at));
            values.insert("error", text(&e.error));
            let is_documented = !matches!(e.error, SyncFailure::Other(_));
            values.insert("is_documented", text(&is_documented));
        }
        _ => {}
    }
    if let Some(repository) = event.repository() {
        values.insert("repository.id", text(&repository.id));
        values.insert("repository.url", text(&repository.url));
        values.insert("repository.repo_name", repository.repo_name.clone());
    }
    values
}
