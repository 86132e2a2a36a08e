//! What the crates answered, in the oracle's words, and whether the oracle allows it.

use pierre_webhook_core::{Error, Event, PushEvent, Repository, SyncFailure};

use crate::oracle::{self, Values, Verdict};

/// Fails where the oracle does not allow what core answered to a payload.
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
            let is_allowed = expected.refusals.contains(&error.to_string());
            assert!(is_allowed, "refused by {error:?}, expected {expected:?}");
            assert_eq!(error.status_code(), oracle::status(&error.to_string()));
        }
    }
}

fn values(event: &Event) -> Values {
    let time = |time: jiff::Timestamp| Some(time.as_nanosecond().to_string());
    let mut values = Values::new();
    match event {
        Event::Push(event) => {
            push(event, &mut values);
            values.insert("pushed_at", time(event.pushed_at));
        }
        Event::RepoSyncStarted(event) => {
            values.insert("run_count", Some(event.run_count.to_string()));
            values.insert("is_first_sync", Some(event.is_first_sync.to_string()));
            values.insert("started_at", time(event.started_at));
        }
        Event::RepoSyncSucceeded(event) => {
            values.insert("run_count", Some(event.run_count.to_string()));
            values.insert("is_first_sync", Some(event.is_first_sync.to_string()));
            values.insert("started_at", time(event.started_at));
            values.insert("completed_at", time(event.completed_at));
        }
        Event::RepoSyncFailed(event) => {
            values.insert("run_count", Some(event.run_count.to_string()));
            values.insert("is_first_sync", Some(event.is_first_sync.to_string()));
            values.insert("started_at", time(event.started_at));
            values.insert("completed_at", time(event.completed_at));
            values.insert("error", Some(event.error.to_string()));
            let is_documented = !matches!(event.error, SyncFailure::Other(_));
            values.insert("is_documented", Some(is_documented.to_string()));
        }
        _ => {}
    }
    if let Some(the_repository) = event.repository() {
        repository(the_repository, &mut values);
    }
    values
}

fn push(event: &PushEvent, values: &mut Values) {
    values.insert("org", event.org.clone());
    values.insert("ref", Some(event.git_ref.clone()));
    values.insert("before", Some(event.before.clone()));
    values.insert("after", Some(event.after.clone()));
    values.insert("customer_id", Some(event.customer_id.clone()));
    values.insert("branch", event.branch().map(str::to_owned));
    values.insert("tag", event.tag().map(str::to_owned));
    values.insert("is_created", Some(event.is_created().to_string()));
    values.insert("is_deleted", Some(event.is_deleted().to_string()));
}

fn repository(repository: &Repository, values: &mut Values) {
    values.insert("repository.id", Some(repository.id.clone()));
    values.insert("repository.url", Some(repository.url.clone()));
    values.insert("repository.repo_name", repository.repo_name.clone());
}
