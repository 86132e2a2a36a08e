//! The repository that an event is about.

use serde::{Deserialize, Serialize};

/// The repository that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Repository {
    /// The repository's id, such as `repo_01HZXE4K6YZ1Q2ABCD3EFG45H6`.
    pub id: String,
    /// Where the repository is: a path (`team/project-alpha`) or a full URL. It may be empty.
    pub url: String,
    /// The repository's name (`owner/repo`). Older deliveries don't have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_name: Option<String>,
}
