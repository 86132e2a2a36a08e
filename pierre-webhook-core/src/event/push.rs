//! The payload of `push`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    event_type::{EventType, Payload, TypeOf},
    object::object,
    repository::Repository,
    time,
};

/// Commits were pushed to a repository, or a branch or tag was created or deleted.
///
/// The fields are those that the Code Storage webhook guide documents.
///
/// Read it with [`Event::from_json`](crate::Event::from_json). Its own `Deserialize` is more lenient: like that of
/// any derived struct, it also accepts a JSON array of the fields.
///
/// ```
/// use pierre_webhook_core::Event;
///
/// let body = r#"{
///     "repository": {"id": "repo_1", "url": "team/project-alpha"},
///     "ref": "refs/heads/main", "before": "0000", "after": "9a8b",
///     "customer_id": "cust_1", "pushed_at": "2024-01-20T10:30:00Z"
/// }"#;
/// let Event::Push(push) = Event::from_json("push", body.into())? else { unreachable!() };
/// assert_eq!(push.branch(), Some("main"));
/// assert!(push.is_created());
/// # Ok::<(), pierre_webhook_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PushEvent {
    #[serde(rename = "type", default, deserialize_with = "TypeOf::or_null")]
    pub(super) event_type: TypeOf<Self>,
    /// The repository that was pushed to.
    #[serde(deserialize_with = "object")]
    pub repository: Repository,
    /// The organization. Older deliveries don't have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// The ref that was pushed, named `ref` in the JSON: for example `refs/heads/main`, or in older deliveries
    /// a bare branch name. [`branch`](Self::branch) and [`tag`](Self::tag) handle both.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// The object id before the push. All zeros if the ref was created. It isn't checked to be hex, because the
    /// documented examples are abbreviated.
    pub before: String,
    /// The object id after the push. All zeros if the ref was deleted.
    pub after: String,
    /// The Code Storage customer.
    pub customer_id: String,
    /// When the push happened.
    #[serde(deserialize_with = "time::rfc3339")]
    pub pushed_at: Timestamp,
}

impl Payload for PushEvent {
    const EVENT_TYPE: &'static str = EventType::PUSH;
}

impl PushEvent {
    /// Returns the branch that was pushed, such as `main`. `None` for a tag, any other ref, or a bare `HEAD`.
    pub fn branch(&self) -> Option<&str> {
        match self.git_ref.strip_prefix("refs/") {
            Some(rest) => rest.strip_prefix("heads/").filter(|name| !name.is_empty()),
            None => Some(self.git_ref.as_str()).filter(|name| !name.is_empty() && *name != "HEAD"),
        }
    }

    /// Returns the tag that was pushed, such as `v1.0`. `None` for a branch or any other ref.
    pub fn tag(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/tags/").filter(|name| !name.is_empty())
    }

    /// Returns true if the push created the ref: `before` is all zeros.
    pub fn is_created(&self) -> bool {
        is_zeros(&self.before)
    }

    /// Returns true if the push deleted the ref: `after` is all zeros.
    pub fn is_deleted(&self) -> bool {
        is_zeros(&self.after)
    }
}

/// Git writes a missing object as all zeros, as many as an object id has digits.
fn is_zeros(object_id: &str) -> bool {
    !object_id.is_empty() && object_id.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(git_ref: &str, before: &str, after: &str) -> PushEvent {
        serde_json::from_value(serde_json::json!({
            "repository": {"id": "r", "url": ""}, "ref": git_ref, "before": before, "after": after,
            "customer_id": "c", "pushed_at": "2024-01-20T10:30:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_ref_is_a_branch_a_tag_or_neither() {
        for (git_ref, branch, tag) in [
            ("refs/heads/main", Some("main"), None),
            ("refs/heads/a/b", Some("a/b"), None),
            ("refs/heads/", None, None),
            ("refs/heads/HEAD", Some("HEAD"), None),
            ("main", Some("main"), None),
            ("heads/main", Some("heads/main"), None),
            ("HEAD", None, None),
            ("", None, None),
            ("refs/tags/v1", None, Some("v1")),
            ("refs/tags/", None, None),
            ("refs/notes/x", None, None),
            ("refs/", None, None),
            ("refs", Some("refs"), None),
        ] {
            let push = push(git_ref, "a", "b");
            assert_eq!((push.branch(), push.tag()), (branch, tag), "{git_ref:?}");
        }
    }

    #[test]
    fn all_zeros_of_any_length_mean_created_or_deleted() {
        for (object_id, is_zeros) in
            [("0", true), (&*"0".repeat(64), true), ("", false), ("0a", false)]
        {
            assert_eq!(push("r", object_id, "b").is_created(), is_zeros, "{object_id:?}");
            assert_eq!(push("r", "b", object_id).is_deleted(), is_zeros, "{object_id:?}");
        }
    }
}
