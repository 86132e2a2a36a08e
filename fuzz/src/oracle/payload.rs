//! Rules 7a, 7b and 8, and the fields of the payloads.

use std::collections::BTreeSet;

use super::{
    INVALID_JSON, Values, Verdict, head,
    json::{Json, Members, Value},
    time::{self, Time},
};

const KNOWN: [&str; 4] = ["push", "repo.sync.started", "repo.sync.succeeded", "repo.sync.failed"];

const REPOSITORY: &[Field] = &[
    Field("id", "repository.id", Kind::Text),
    Field("url", "repository.url", Kind::Text),
    Field("repo_name", "repository.repo_name", Kind::TextOrNull),
];

const PUSH: &[Field] = &[
    Field("type", "", Kind::Type),
    Field("repository", "", Kind::Repository),
    Field("org", "org", Kind::TextOrNull),
    Field("ref", "ref", Kind::Text),
    Field("before", "before", Kind::Text),
    Field("after", "after", Kind::Text),
    Field("customer_id", "customer_id", Kind::Text),
    Field("pushed_at", "pushed_at", Kind::Time),
];

const SYNC: &[Field] = &[
    Field("type", "", Kind::Type),
    Field("repository", "", Kind::Repository),
    Field("run_count", "run_count", Kind::Count),
    Field("is_first_sync", "is_first_sync", Kind::Boolean),
    Field("started_at", "started_at", Kind::Time),
];

const COMPLETED_AT: Field = Field("completed_at", "completed_at", Kind::Time);
const ERROR: Field = Field("error", "error", Kind::Text);

/// A field: its name, the name of its value in the answer, and what it must be.
#[derive(Clone, Copy)]
struct Field(&'static str, &'static str, Kind);

#[derive(Clone, Copy)]
enum Kind {
    Type,
    Repository,
    Text,
    TextOrNull,
    Time,
    Count,
    Boolean,
}

pub(super) fn judge(event_type: &str, json: &Json) -> Verdict {
    let mut judge = Judge {
        event_type,
        rejections: BTreeSet::new(),
        is_rejected: false,
        values: Values::new(),
    };
    match &json.value {
        Value::Object(payload) if KNOWN.contains(&event_type) => judge.payload(payload),
        _ if KNOWN.contains(&event_type) => judge.reject(),
        // Rule 8.
        Value::Object(payload) => judge.types(payload, |body| KNOWN.contains(&body)),
        _ => {}
    }
    let Judge { rejections, is_rejected, values, .. } = judge;
    Verdict { rejections, accepted: (!is_rejected).then_some(values) }
}

/// The values of the members with a name.
fn all<'a>(name: &str, members: &'a Members) -> Vec<&'a Json> {
    let is_named = |member: &&(Option<String>, Json)| member.0.as_deref() == Some(name);
    members.iter().filter(is_named).map(|member| &member.1).collect()
}

struct Judge<'a> {
    event_type: &'a str,
    rejections: BTreeSet<String>,
    /// If it is not, a rejection may be right, but acceptance is too.
    is_rejected: bool,
    values: Values,
}

impl Judge<'_> {
    /// Rule 7b.
    fn reject(&mut self) {
        self.is_rejected = true;
        self.may_reject();
    }

    fn may_reject(&mut self) {
        self.rejections.insert(format!("Invalid {} payload", self.event_type));
    }

    /// What no type holds: rule 6 or rule 7b.
    fn reject_by_either(&mut self) {
        self.reject();
        self.rejections.insert(INVALID_JSON.into());
    }

    /// Rule 7a.
    fn types(&mut self, payload: &Members, is_mismatch: impl Fn(&str) -> bool) {
        for json in all("type", payload) {
            let Value::Text(Some(body)) = &json.value else { continue };
            if is_mismatch(body) {
                self.is_rejected = true;
                let header = self.event_type;
                let text = format!("Event type mismatch: header says {header}, body says {body}");
                self.rejections.insert(text);
            }
        }
    }

    fn payload(&mut self, payload: &Members) {
        let header = self.event_type;
        self.types(payload, |body| head::is_event_type(body.as_bytes()) && body != header);
        self.fields(payload, if header == "push" { PUSH } else { SYNC });
        if matches!(header, "repo.sync.succeeded" | "repo.sync.failed") {
            self.fields(payload, &[COMPLETED_AT]);
        }
        if header == "repo.sync.failed" {
            self.fields(payload, &[ERROR]);
        }
        self.derive();
    }

    fn fields(&mut self, members: &Members, fields: &[Field]) {
        if members.iter().any(|(name, _)| name.is_none()) {
            self.reject_by_either();
        }
        for field in fields {
            let given = all(field.0, members);
            match given.len() {
                0 => self.absent(*field),
                1 => {}
                _ => self.reject(),
            }
            for value in given {
                self.present(*field, value);
            }
        }
    }

    fn absent(&mut self, Field(_, key, kind): Field) {
        match kind {
            Kind::Type if self.event_type == "push" => {}
            Kind::TextOrNull => self.insert(key, None),
            Kind::Count if self.event_type == "repo.sync.started" => {
                self.insert(key, Some("0".into()));
            }
            _ => self.reject(),
        }
    }

    fn present(&mut self, Field(_, key, kind): Field, json: &Json) {
        match (kind, &json.value) {
            // It has fields of its own, and others that nobody reads.
            (Kind::Repository, Value::Object(members)) => self.fields(members, REPOSITORY),
            _ if json.is_unholdable => self.reject_by_either(),
            (Kind::Type, Value::Null) if self.event_type == "push" => {}
            // Another event type is rule 7a's.
            (Kind::Type, Value::Text(Some(text))) if head::is_event_type(text.as_bytes()) => {}
            (Kind::TextOrNull, Value::Null) => self.insert(key, None),
            (Kind::Text | Kind::TextOrNull, Value::Text(Some(text))) => {
                self.insert(key, Some(text.clone()));
            }
            (Kind::Boolean, Value::Boolean(boolean)) => {
                self.insert(key, Some(boolean.to_string()));
            }
            (Kind::Count, Value::Number(number)) => match number.parse::<u64>() {
                Ok(count) => self.insert(key, Some(count.to_string())),
                Err(_) => self.reject(),
            },
            (Kind::Time, Value::Text(Some(text))) => match time::read(text) {
                Time::At(nanoseconds) => self.insert(key, Some(nanoseconds.to_string())),
                Time::Either => self.may_reject(),
                Time::Wrong => self.reject(),
            },
            _ => self.reject(),
        }
    }

    fn insert(&mut self, key: &'static str, value: Option<String>) {
        self.values.insert(key, value);
    }

    /// What the protocol says of values: branch, tag, created, deleted; whether a failure is documented.
    fn derive(&mut self) {
        let text = |name: &str| self.values.get(name).cloned().flatten();
        let behind = |text: &str, prefix: &str| {
            text.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned)
        };
        let is_zeros = |id: String| !id.is_empty() && id.chars().all(|digit| digit == '0');
        let mut derived = Values::new();
        if let Some(git_ref) = text("ref") {
            let bare = !git_ref.is_empty() && !git_ref.starts_with("refs/") && git_ref != "HEAD";
            let branch = behind(&git_ref, "refs/heads/").or(bare.then(|| git_ref.clone()));
            derived.insert("branch", branch);
            derived.insert("tag", behind(&git_ref, "refs/tags/"));
        }
        for (name, key) in [("before", "is_created"), ("after", "is_deleted")] {
            derived.extend(text(name).map(|id| (key, Some(is_zeros(id).to_string()))));
        }
        derived.extend(text("error").map(|error| {
            ("is_documented", Some(DOCUMENTED_ERRORS.contains(&&*error).to_string()))
        }));
        self.values.extend(derived);
    }
}

const DOCUMENTED_ERRORS: [&str; 8] = [
    "authentication failed",
    "failed to clone repository",
    "failed to push to storage",
    "repository configuration error",
    "upstream repository unreachable",
    "internal error",
    "session unavailable",
    "sync failed",
];
