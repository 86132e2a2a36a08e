//! Rules 7a, 7b and 8, and the fields of the payloads.

use super::{
    Refusals, Values, Verdict, head,
    json::{Json, Text, Value},
    time::{self, Time},
};

pub(super) const INVALID_JSON: &str = "Invalid JSON payload";

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

pub(super) fn judge(event_type: &str, json: &Json<'_>) -> Verdict {
    let payload = match json.root() {
        Value::Object(members) => Some(&members[..]),
        _ => None,
    };
    // Rule 8.
    if !KNOWN.contains(&event_type) {
        let types = payload.map(|payload| types(json, payload)).unwrap_or_default();
        let refusals: Refusals = types
            .into_iter()
            .filter(|body| KNOWN.contains(body))
            .map(|body| mismatch(event_type, body))
            .collect();
        return Verdict { accepted: refusals.is_empty().then(Values::new), refusals };
    }

    let mut judge = Judge {
        json,
        event_type,
        refusals: Refusals::new(),
        is_refused: false,
        values: Values::new(),
    };
    match payload {
        Some(payload) => judge.payload(payload),
        None => judge.refuse(),
    }
    let Judge { refusals, is_refused, values, .. } = judge;
    Verdict { refusals, accepted: (!is_refused).then_some(values) }
}

fn mismatch(header: &str, body: &str) -> String {
    format!("Event type mismatch: header says {header}, body says {body}")
}

/// The `type` members that are texts.
fn types<'a>(json: &'a Json<'_>, members: &[(Text, usize)]) -> Vec<&'a str> {
    places("type", members)
        .into_iter()
        .filter_map(|place| match json.value(place) {
            Value::Text(text) => text.as_deref(),
            _ => None,
        })
        .collect()
}

/// The values of the members with a name.
fn places(name: &str, members: &[(Text, usize)]) -> Vec<usize> {
    members
        .iter()
        .filter(|member| member.0.as_deref() == Some(name))
        .map(|member| member.1)
        .collect()
}

struct Judge<'a> {
    json: &'a Json<'a>,
    event_type: &'a str,
    refusals: Refusals,
    /// Where it is not, a refusal may be right, but acceptance is too.
    is_refused: bool,
    values: Values,
}

impl Judge<'_> {
    /// Rule 7b.
    fn refuse(&mut self) {
        self.is_refused = true;
        self.may_refuse();
    }

    fn may_refuse(&mut self) {
        self.refusals.insert(format!("Invalid {} payload", self.event_type));
    }

    /// What no type holds: rule 6 or rule 7b.
    fn refuse_by_either(&mut self) {
        self.refuse();
        self.refusals.insert(INVALID_JSON.into());
    }

    fn payload(&mut self, payload: &[(Text, usize)]) {
        // Rule 7a.
        for body in types(self.json, payload) {
            if head::is_event_type(body.as_bytes()) && body != self.event_type {
                self.is_refused = true;
                self.refusals.insert(mismatch(self.event_type, body));
            }
        }
        self.fields(payload, if self.event_type == "push" { PUSH } else { SYNC });
        if matches!(self.event_type, "repo.sync.succeeded" | "repo.sync.failed") {
            self.fields(payload, &[COMPLETED_AT]);
        }
        if self.event_type == "repo.sync.failed" {
            self.fields(payload, &[ERROR]);
        }
        self.derive();
    }

    fn fields(&mut self, members: &[(Text, usize)], fields: &[Field]) {
        if members.iter().any(|(name, _)| name.is_none()) {
            self.refuse_by_either();
        }
        for field in fields {
            match places(field.0, members)[..] {
                [] => self.absent(*field),
                [place] => self.present(*field, place),
                // Given twice.
                ref places => {
                    self.refuse();
                    for place in places {
                        self.present(*field, *place);
                    }
                }
            }
        }
    }

    fn absent(&mut self, Field(_, key, kind): Field) {
        match kind {
            Kind::Type if self.event_type == "push" => {}
            Kind::TextOrNull => {
                self.values.insert(key, None);
            }
            Kind::Count if self.event_type == "repo.sync.started" => {
                self.values.insert(key, Some("0".into()));
            }
            _ => self.refuse(),
        }
    }

    fn present(&mut self, Field(_, key, kind): Field, place: usize) {
        let value = self.json.value(place);
        // An object in the place of `repository` has fields of its own, and others that nobody reads.
        let is_repository = matches!((kind, value), (Kind::Repository, Value::Object(_)));
        if !is_repository && self.json.holds_what_no_type_holds(place) {
            return self.refuse_by_either();
        }
        match (kind, value) {
            (Kind::Repository, Value::Object(members)) => self.fields(members, REPOSITORY),
            (Kind::Type, Value::Null) if self.event_type == "push" => {}
            // Another event type is rule 7a's.
            (Kind::Type, Value::Text(Some(text))) if head::is_event_type(text.as_bytes()) => {}
            (Kind::TextOrNull, Value::Null) => {
                self.values.insert(key, None);
            }
            (Kind::Text | Kind::TextOrNull, Value::Text(Some(text))) => {
                self.values.insert(key, Some(text.clone()));
            }
            (Kind::Boolean, Value::Boolean(boolean)) => {
                self.values.insert(key, Some(boolean.to_string()));
            }
            (Kind::Count, Value::Number(number)) => match number.parse::<u64>() {
                Ok(count) => {
                    self.values.insert(key, Some(count.to_string()));
                }
                Err(_) => self.refuse(),
            },
            (Kind::Time, Value::Text(Some(text))) => match time::read(text) {
                Time::At(nanoseconds) => {
                    self.values.insert(key, Some(nanoseconds.to_string()));
                }
                Time::Either => self.may_refuse(),
                Time::Wrong => self.refuse(),
            },
            _ => self.refuse(),
        }
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
