//! The search for what was changed: secret × body × signed content, the fewest changes first. HMAC-SHA256 does
//! not match by chance, so that a match is proof.

use std::time::{Duration, Instant};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use pierre_webhook_core::{SIGNATURE_HEADER, Signature};
use serde::Serialize;

use super::{
    body_forms::{self, BodyForm},
    content_forms::{self, ContentForm},
    request::Request,
    secret_forms::{self, SecretForm},
};
use crate::{mac::mac, secrets::Secrets};

const LONGEST: Duration = Duration::from_secs(10);

const HEX: &str = "Mend the sender, which is not the service, or what rewrites its header: `VerifyWebhookLayer` (axum) and `Webhook` (actix) take a MAC in hex digits alone.";

/// What the search came to.
#[derive(Debug, Default)]
pub(super) struct Finding {
    pub(super) causes: Vec<Cause>,
    /// What was tried and is not the cause.
    pub(super) ruled_out: Vec<String>,
    /// What there was no time for.
    pub(super) not_tried: Vec<String>,
}

/// What was changed: all of it together makes the signature right.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Cause {
    pub(super) secret: Option<String>,
    pub(super) body: Option<String>,
    pub(super) content: Option<String>,
    pub(super) fix: String,
}

/// One look at a group of forms. `true`: the changed ones, `false`: what is documented.
struct Group {
    words: &'static str,
    secret: bool,
    body: bool,
    content: bool,
}

const GROUPS: [Group; 7] = [
    // Core does not read such a MAC, so that nothing needs to be changed for it to match.
    Group { words: "a MAC written in base64", secret: false, body: false, content: false },
    Group { words: "another form of the secret", secret: true, body: false, content: false },
    Group { words: "another form of the body", secret: false, body: true, content: false },
    Group {
        words: "another form of the signed content",
        secret: false,
        body: false,
        content: true,
    },
    Group { words: "secret and body both changed", secret: true, body: true, content: false },
    Group {
        words: "secret and signed content both changed",
        secret: true,
        body: false,
        content: true,
    },
    Group {
        words: "body and signed content both changed",
        secret: false,
        body: true,
        content: true,
    },
];

/// Searches for at most ten seconds.
pub(super) fn search(request: &Request, secrets: &Secrets) -> Finding {
    let secrets = secrets.bytes().flat_map(secret_forms::forms).collect();
    search_until(Instant::now().checked_add(LONGEST), request, secrets)
}

fn search_until(deadline: Option<Instant>, request: &Request, secrets: Vec<SecretForm>) -> Finding {
    let mut finding = Finding::default();
    let signature = request.pairs().find(|(name, _)| name.eq_ignore_ascii_case(SIGNATURE_HEADER));
    let Some((timestamp, macs)) = signature.and_then(|(_, value)| macs(value)) else {
        finding.not_tried.push("any form: no sha256 value can be a MAC (64 hex digits)".to_owned());
        return finding;
    };
    let bodies = body_forms::forms(&request.body);
    let contents = content_forms::forms(request, &timestamp);
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
                finding.not_tried.push(format!("{} (in part)", group.words));
                finding.not_tried.extend(groups.by_ref().map(|group| group.words.to_owned()));
            }
        }
    }
    let untried = body_forms::untried(request.body.len());
    finding.ruled_out.retain(|family| !untried.contains(&family.as_str()));
    finding.not_tried.extend(untried.iter().map(|family| format!("{family} (it is too large)")));
    finding
}

impl Group {
    fn ruled_out(&self) -> Vec<String> {
        let families: &[&str] = match (self.secret, self.body, self.content) {
            (true, false, false) => &secret_forms::FAMILIES,
            (false, true, false) => &body_forms::FAMILIES,
            (false, false, true) => &content_forms::FAMILIES,
            _ => &[self.words],
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
            if body.words.is_some() != group.body || (is_pair && body.is_alone) {
                continue;
            }
            for secret in &self.secrets {
                if secret.words.is_some() != group.secret {
                    continue;
                }
                for content in &self.contents {
                    if content.words.is_some() != group.content {
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
        secret.words.map(|_| secret.fix),
        body.words.as_ref().map(|_| body.fix),
        content.words.as_ref().map(|_| content.fix),
    ];
    let fix = fixes.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if fix.is_empty() {
        let content = Some("as documented, its MAC written in base64".to_owned());
        return Cause { secret: None, body: None, content, fix: HEX.to_owned() };
    }
    Cause {
        secret: secret.words.map(str::to_owned),
        body: body.words.clone(),
        content: content.words.clone(),
        fix,
    }
}

/// The timestamp as it stands, and the values that can be a MAC: in hex, or in base64 by mistake.
fn macs(value: &[u8]) -> Option<(String, Vec<[u8; 32]>)> {
    let signature = Signature::parse(value).ok()?;
    let timestamp = str::from_utf8(value)
        .ok()?
        .split(',')
        .filter_map(|element| element.trim_matches([' ', '\t']).split_once('='))
        .find_map(|(key, value)| (key == "t").then(|| value.to_owned()))?;
    let macs: Vec<_> =
        signature.sha256().filter_map(|value| mac_value(value.trim_end_matches('='))).collect();
    (!macs.is_empty()).then_some((timestamp, macs))
}

fn mac_value(value: &str) -> Option<[u8; 32]> {
    if value.len() == 64 {
        let (pairs, _) = value.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        return pairs.iter().map(byte).collect::<Option<Vec<_>>>()?.try_into().ok();
    }
    let decoded = STANDARD_NO_PAD.decode(value).or_else(|_| URL_SAFE_NO_PAD.decode(value));
    decoded.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use pierre_webhook_core::Secret;

    use super::{body_forms::FAMILIES, *};

    fn find(signature: &str, body: &'static str, deadline: Option<Instant>) -> Finding {
        let request = Request::of_parts(signature, "e", body.into());
        search_until(deadline, &request, secret_forms::forms(b"secret"))
    }

    #[test]
    fn a_search_that_is_cut_says_what_was_not_tried() {
        let signature = Secret::new("another").unwrap().sign(1_790_000_000, b"{}");
        let over = find(&signature, "{}", Some(Instant::now()));
        assert_eq!(over.not_tried.len(), GROUPS.len());
        assert_eq!(over.not_tried[0], "a MAC written in base64 (in part)");
        assert!(over.ruled_out.is_empty() && over.causes.is_empty());
        let whole = find(&signature, "{}", None);
        assert!(whole.not_tried.is_empty() && whole.ruled_out.len() >= GROUPS.len());
    }

    #[test]
    fn what_a_large_body_was_not_tried_in_is_not_ruled_out() {
        let signature = Secret::new("another").unwrap().sign(1_790_000_000, b"{}");
        for (size, untried) in
            [(0, 0), (body_forms::LARGEST_JSON, 1), (body_forms::LARGEST, FAMILIES.len())]
        {
            let body = vec![b' '; size.saturating_add(1)];
            let request = Request::of_parts(&signature, "e", body.into());
            // Over at once: how long the search itself takes is no matter here.
            let found = search_until(Some(Instant::now()), &request, Vec::new());
            assert_eq!(found.not_tried.len(), untried, "{found:?}");
            let not_tried =
                |family: &&str| found.not_tried.iter().any(|not| not.starts_with(family));
            assert!(found.ruled_out.iter().all(|family| !not_tried(&family.as_str())));
            assert_eq!(FAMILIES.iter().filter(|family| not_tried(family)).count(), untried);
        }
    }

    #[test]
    fn the_fewest_changes_are_found_first() {
        let signature = Secret::new("secret\n").unwrap().sign(1_790_000_000, b"{}");
        let found = find(&signature, "{}", None);
        let [cause] = &found.causes[..] else { panic!("{found:?}") };
        assert_eq!(cause.secret.as_deref(), Some("with a newline at its end"));
        assert_eq!((&cause.body, &cause.content), (&None, &None));
    }

    #[test]
    fn base64_and_forms_are_tried_alone() {
        let alone = Secret::new("secret").unwrap().sign(1_790_000_000, b"{}");
        assert_eq!(
            find(&alone, "e30=", None).causes[0].body.as_deref(),
            Some("decoded from base64")
        );
        let pair = Secret::new("secret\n").unwrap().sign(1_790_000_000, b"{}");
        assert!(find(&pair, "e30=", None).causes.is_empty());
    }

    #[test]
    fn a_mac_in_base64_is_understood() {
        let signature = Secret::new("secret\n").unwrap().sign(1_790_000_000, b"{}");
        let (_, hex) = signature.split_once("sha256=").unwrap();
        let mac = mac_value(hex).unwrap();
        let in_base64 = STANDARD_NO_PAD.encode(mac);
        let found = find(&format!("t=1790000000,sha256={in_base64}="), "{}", None);
        assert_eq!(found.causes[0].secret.as_deref(), Some("with a newline at its end"));
        let mac = mac_value(&Secret::new("secret").unwrap().sign(1, b"{}")[11..]).unwrap();
        let found = find(&format!("t=1,sha256={}", STANDARD_NO_PAD.encode(mac)), "{}", None);
        assert!(found.causes[0].content.as_deref().unwrap().contains("base64"));
        assert_eq!(found.causes[0].fix, HEX);
    }
}
