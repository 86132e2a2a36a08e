//! Searches for what broke a signature: forms of the secret × body × signed content, the fewest changes first.
//! HMAC-SHA256 doesn't match by chance, so a match is proof.

use std::time::{Duration, Instant};

use pierre_webhook_core::SIGNATURE_HEADER;
use serde::Serialize;

use super::{
    forms::{
        body::{self, BodyForm},
        content::{self, ContentForm},
        secret::{self, SecretForm},
    },
    macs,
    request::RecordedRequest,
};
use crate::{mac::mac, secrets::Secrets};

const MAX_TIME: Duration = Duration::from_secs(10);

const HEX: &str = "Fix the sender, which is not the service, or the proxy that rewrites its header: `VerifyWebhookLayer` (axum) and `Webhook` (actix) accept a MAC only in hex digits.";

/// The result of a search.
#[derive(Debug, Default)]
pub(super) struct Finding {
    pub(super) causes: Vec<Cause>,
    /// What was tried without a match.
    pub(super) ruled_out: Vec<String>,
    /// What was not tried, for lack of time or because the body is too large.
    pub(super) not_tried: Vec<String>,
}

/// The changes that together make the signature match.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Cause {
    pub(super) secret: Option<String>,
    pub(super) body: Option<String>,
    pub(super) content: Option<String>,
    pub(super) fix: String,
}

/// Which of the three are changed.
struct Group {
    name: &'static str,
    secret: bool,
    body: bool,
    content: bool,
}

const GROUPS: [Group; 7] = [
    // Core rejects a MAC in base64, so it can match without another change.
    Group { name: "a MAC encoded in base64", secret: false, body: false, content: false },
    Group { name: "a changed secret", secret: true, body: false, content: false },
    Group { name: "a changed body", secret: false, body: true, content: false },
    Group { name: "changed signed content", secret: false, body: false, content: true },
    Group { name: "a changed secret and a changed body", secret: true, body: true, content: false },
    Group {
        name: "a changed secret and changed signed content",
        secret: true,
        body: false,
        content: true,
    },
    Group {
        name: "a changed body and changed signed content",
        secret: false,
        body: true,
        content: true,
    },
];

/// Searches for at most ten seconds.
pub(super) fn search(request: &RecordedRequest, secrets: &Secrets) -> Finding {
    let secrets = secrets.bytes().flat_map(secret::forms).collect();
    search_until(Instant::now().checked_add(MAX_TIME), request, secrets)
}

fn search_until(
    deadline: Option<Instant>,
    request: &RecordedRequest,
    secrets: Vec<SecretForm>,
) -> Finding {
    let mut finding = Finding::default();
    let signature = request.pairs().find(|(name, _)| name.eq_ignore_ascii_case(SIGNATURE_HEADER));
    let Some((timestamp, macs)) = signature.and_then(|(_, value)| macs::parse(value)) else {
        finding.not_tried.push("any form: no sha256 value is a MAC (64 hex digits)".to_owned());
        return finding;
    };
    let bodies = body::forms(&request.body);
    let contents = content::forms(request, &timestamp);
    let search = Search { secrets, bodies, contents, macs, deadline };
    let mut groups = GROUPS.iter();
    while let Some(group) = groups.next() {
        match search.group(group) {
            Searched::Found(cause) => {
                finding.causes.push(cause);
                return finding;
            }
            Searched::Nothing => finding.ruled_out.extend(group.ruled_out()),
            Searched::OutOfTime => {
                finding.not_tried.push(format!("{} (partly)", group.name));
                finding.not_tried.extend(groups.by_ref().map(|group| group.name.to_owned()));
            }
        }
    }
    let untried = body::untried(request.body.len());
    finding.ruled_out.retain(|family| !untried.contains(&family.as_str()));
    finding
        .not_tried
        .extend(untried.iter().map(|family| format!("{family} (the body is too large)")));
    finding
}

impl Group {
    fn ruled_out(&self) -> Vec<String> {
        let families: &[&str] = match (self.secret, self.body, self.content) {
            (true, false, false) => &secret::FAMILIES,
            (false, true, false) => &body::FAMILIES,
            (false, false, true) => &content::FAMILIES,
            _ => &[self.name],
        };
        families.iter().map(|family| (*family).to_owned()).collect()
    }
}

struct Search {
    secrets: Vec<SecretForm>,
    bodies: Vec<BodyForm>,
    contents: Vec<ContentForm>,
    macs: Vec<[u8; 32]>,
    deadline: Option<Instant>,
}

enum Searched {
    Found(Cause),
    Nothing,
    OutOfTime,
}

impl Search {
    fn group(&self, group: &Group) -> Searched {
        let is_pair =
            [group.secret, group.body, group.content].iter().filter(|changed| **changed).count()
                > 1;
        for body in &self.bodies {
            if body.change.is_some() != group.body || (is_pair && body.is_alone) {
                continue;
            }
            for secret in &self.secrets {
                if secret.change.is_some() != group.secret {
                    continue;
                }
                for content in &self.contents {
                    if content.change.is_some() != group.content {
                        continue;
                    }
                    if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                        return Searched::OutOfTime;
                    }
                    if self.is_match(secret, body, content) {
                        return Searched::Found(cause(secret, body, content));
                    }
                }
            }
        }
        Searched::Nothing
    }

    fn is_match(&self, secret: &SecretForm, body: &BodyForm, content: &ContentForm) -> bool {
        let mac = mac(&secret.key, &content.prefix, &body.bytes);
        mac.is_some_and(|mac| self.macs.contains(&mac))
    }
}

fn cause(secret: &SecretForm, body: &BodyForm, content: &ContentForm) -> Cause {
    let fixes = [
        secret.change.map(|_| secret.fix),
        body.change.as_ref().map(|_| body.fix),
        content.change.as_ref().map(|_| content.fix),
    ];
    let fix = fixes.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if fix.is_empty() {
        let content = Some("as documented, with the MAC encoded in base64".to_owned());
        return Cause { secret: None, body: None, content, fix: HEX.to_owned() };
    }
    Cause {
        secret: secret.change.map(str::to_owned),
        body: body.change.clone(),
        content: content.change.clone(),
        fix,
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    use pierre_webhook_core::Secret;

    use super::{body::FAMILIES, *};
    use crate::hex;

    fn find(signature: &str, body: &'static str, deadline: Option<Instant>) -> Finding {
        let request = RecordedRequest::from_parts(signature, "e", body.into());
        search_until(deadline, &request, secret::forms(b"secret"))
    }

    #[test]
    fn a_search_that_runs_out_of_time_says_what_was_not_tried() {
        let signature = Secret::new("another").unwrap().sign(1_790_000_000, b"{}");
        let over = find(&signature, "{}", Some(Instant::now()));
        assert_eq!(over.not_tried.len(), GROUPS.len());
        assert_eq!(over.not_tried[0], "a MAC encoded in base64 (partly)");
        assert!(over.ruled_out.is_empty() && over.causes.is_empty());
        let whole = find(&signature, "{}", None);
        assert!(whole.not_tried.is_empty() && whole.ruled_out.len() >= GROUPS.len());
    }

    #[test]
    fn families_not_tried_for_a_large_body_are_not_ruled_out() {
        let signature = Secret::new("another").unwrap().sign(1_790_000_000, b"{}");
        for (size, untried) in [(0, 0), (body::LARGEST_JSON, 1), (body::LARGEST, FAMILIES.len())] {
            let body = vec![b' '; size.saturating_add(1)];
            let request = RecordedRequest::from_parts(&signature, "e", body.into());
            // The time is up at once: only the families matter here.
            let found = search_until(Some(Instant::now()), &request, Vec::new());
            assert_eq!(found.not_tried.len(), untried, "{found:?}");
            let not_tried =
                |family: &&str| found.not_tried.iter().any(|not| not.starts_with(family));
            assert!(found.ruled_out.iter().all(|family| !not_tried(&family.as_str())));
            assert_eq!(FAMILIES.iter().filter(|family| not_tried(family)).count(), untried);
        }
    }

    #[test]
    fn the_search_starts_with_the_fewest_changes() {
        let signature = Secret::new("secret\n").unwrap().sign(1_790_000_000, b"{}");
        let found = find(&signature, "{}", None);
        let [cause] = &found.causes[..] else { panic!("{found:?}") };
        assert_eq!(cause.secret.as_deref(), Some("with a newline at its end"));
        assert_eq!((&cause.body, &cause.content), (&None, &None));
    }

    #[test]
    fn a_body_in_base64_is_not_combined_with_other_changes() {
        let alone = Secret::new("secret").unwrap().sign(1_790_000_000, b"{}");
        assert_eq!(
            find(&alone, "e30=", None).causes[0].body.as_deref(),
            Some("decoded from base64")
        );
        let pair = Secret::new("secret\n").unwrap().sign(1_790_000_000, b"{}");
        assert!(find(&pair, "e30=", None).causes.is_empty());
    }

    #[test]
    fn a_mac_in_base64_is_recognized() {
        let signature = Secret::new("secret\n").unwrap().sign(1_790_000_000, b"{}");
        let (_, digits) = signature.split_once("sha256=").unwrap();
        let mac = hex::decode(digits.as_bytes()).unwrap();
        let in_base64 = STANDARD_NO_PAD.encode(mac);
        let found = find(&format!("t=1790000000,sha256={in_base64}="), "{}", None);
        assert_eq!(found.causes[0].secret.as_deref(), Some("with a newline at its end"));
        let signature = Secret::new("secret").unwrap().sign(1, b"{}");
        let mac = hex::decode(&signature.as_bytes()[11..]).unwrap();
        let found = find(&format!("t=1,sha256={}", STANDARD_NO_PAD.encode(mac)), "{}", None);
        assert!(found.causes[0].content.as_deref().unwrap().contains("base64"));
        assert_eq!(found.causes[0].fix, HEX);
    }
}
