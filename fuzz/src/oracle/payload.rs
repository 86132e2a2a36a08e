//! Rules 7a, 7b and 8, and the fields of the payloads.

use super::{
    INVALID_JSON, Values, Verdict, head,
    json::{Json, Members, Value},
    time::{self, Time},
};

/// The fields of each known event type, and what they must be. `?` may be absent or null, `=0` may be absent.
const KNOWN: [(&str, &str); 4] = [
    (
        "push",
        "type: type?, repository: repository, org: text?, ref: text, before: text, after: text, \
         customer_id: text, pushed_at: time",
    ),
    (
        "repo.sync.started",
        "type: type, repository: repository, run_count: count=0, is_first_sync: boolean, \
         started_at: time",
    ),
    (
        "repo.sync.succeeded",
        "type: type, repository: repository, run_count: count, is_first_sync: boolean, \
         started_at: time, completed_at: time",
    ),
    (
        "repo.sync.failed",
        "type: type, repository: repository, run_count: count, is_first_sync: boolean, \
         started_at: time, completed_at: time, error: text",
    ),
];

const REPOSITORY: &str = "repository.id: text, repository.url: text, repository.repo_name: text?";

const DOCUMENTED_ERRORS: &str = "authentication failed|failed to clone repository|\
    failed to push to storage|repository configuration error|upstream repository unreachable|\
    internal error|session unavailable|sync failed";

pub(super) fn judge(event_type: &str, json: &Json) -> Verdict {
    let known = |wanted: &str| KNOWN.iter().find(|(name, _)| *name == wanted);
    let verdict = Verdict { rejections: [].into(), accepted: Some(Values::new()) };
    let mut judge = Judge { event_type, verdict };
    match (&json.value, known(event_type)) {
        (Value::Object(payload), Some((_, fields))) => {
            let is_other = |body: &str| head::is_event_type(body) && body != event_type;
            judge.types(payload, is_other);
            judge.fields(payload, fields);
        }
        (_, Some(_)) => judge.reject(),
        // Rule 8.
        (Value::Object(payload), None) => judge.types(payload, |body| known(body).is_some()),
        (_, None) => {}
    }
    judge.verdict.accepted.as_mut().map(derive);
    judge.verdict
}

/// The values of the members with a name.
fn all<'a>(name: &str, members: &'a Members) -> Vec<&'a Json> {
    let named = members.iter().filter(|(other, _)| other.as_deref() == Some(name));
    named.map(|(_, value)| value).collect()
}

struct Judge<'a> {
    event_type: &'a str,
    verdict: Verdict,
}

impl Judge<'_> {
    /// Rule 7b.
    fn reject(&mut self) {
        self.verdict.accepted = None;
        self.may_reject();
    }

    fn may_reject(&mut self) {
        self.verdict.rejections.insert(format!("Invalid {} payload", self.event_type));
    }

    /// What no type holds: rule 6 or rule 7b.
    fn reject_by_either(&mut self) {
        self.reject();
        self.verdict.rejections.insert(INVALID_JSON.into());
    }

    /// Rule 7a.
    fn types(&mut self, payload: &Members, is_mismatch: impl Fn(&str) -> bool) {
        for json in all("type", payload) {
            let Value::Text(Some(body)) = &json.value else { continue };
            if is_mismatch(body) {
                let header = self.event_type;
                self.verdict.accepted = None;
                self.verdict
                    .rejections
                    .insert(format!("Event type mismatch: header says {header}, body says {body}"));
            }
        }
    }

    fn fields(&mut self, members: &Members, fields: &'static str) {
        if members.iter().any(|(name, _)| name.is_none()) {
            self.reject_by_either();
        }
        for field in fields.split(", ") {
            let (key, kind) = field.split_once(": ").expect("a name and a kind");
            let given = all(key.trim_start_matches("repository."), members);
            match (given.len(), kind) {
                (1, _) | (0, "type?") => {}
                (0, "text?") => self.insert(key, None),
                (0, "count=0") => self.insert(key, Some("0".into())),
                _ => self.reject(),
            }
            for value in given {
                self.present(key, kind, value);
            }
        }
    }

    fn present(&mut self, key: &'static str, kind: &str, json: &Json) {
        match (kind, &json.value) {
            // It has fields of its own, and others that nobody reads.
            ("repository", Value::Object(members)) => self.fields(members, REPOSITORY),
            _ if json.is_unholdable => self.reject_by_either(),
            ("type?", Value::Null) => {}
            // Another event type is rule 7a's.
            ("type" | "type?", Value::Text(Some(text))) if head::is_event_type(text) => {}
            ("text?", Value::Null) => self.insert(key, None),
            ("text" | "text?", Value::Text(Some(text))) => self.insert(key, Some(text.clone())),
            ("boolean", Value::Boolean(boolean)) => self.insert(key, Some(boolean.to_string())),
            ("count" | "count=0", Value::Number(number)) => match number.parse::<u64>() {
                Ok(count) => self.insert(key, Some(count.to_string())),
                Err(_) => self.reject(),
            },
            ("time", Value::Text(Some(text))) => match time::read(text) {
                Time::At(nanoseconds) => self.insert(key, Some(nanoseconds.to_string())),
                Time::Either => self.may_reject(),
                Time::Wrong => self.reject(),
            },
            _ => self.reject(),
        }
    }

    fn insert(&mut self, key: &'static str, value: Option<String>) {
        self.verdict.accepted.as_mut().map(|values| values.insert(key, value));
    }
}

/// What the protocol says of values: branch, tag, created, deleted; whether a failure is documented.
fn derive(values: &mut Values) {
    let text = |name: &str| values.get(name).cloned().flatten();
    let (git_ref, error) = (text("ref"), text("error"));
    let ids = [("is_created", text("before")), ("is_deleted", text("after"))];
    if let Some(git_ref) = git_ref {
        let behind = |prefix| git_ref.strip_prefix(prefix).filter(|name| !name.is_empty());
        let is_bare = !git_ref.is_empty() && !git_ref.starts_with("refs/") && git_ref != "HEAD";
        let branch = behind("refs/heads/").or(is_bare.then_some(&*git_ref));
        values.insert("branch", branch.map(str::to_owned));
        values.insert("tag", behind("refs/tags/").map(str::to_owned));
    }
    for (key, id) in ids {
        let is_zeros = |id: String| !id.is_empty() && id.chars().all(|digit| digit == '0');
        values.extend(id.map(|id| (key, Some(is_zeros(id).to_string()))));
    }
    if let Some(error) = error {
        let is_documented = DOCUMENTED_ERRORS.split('|').any(|documented| documented == error);
        values.insert("is_documented", Some(is_documented.to_string()));
    }
}
