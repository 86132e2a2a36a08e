//! Which deliveries an option applies to: by event type or by path.

use std::str::FromStr;

use http::request::Parts;
use pierre_webhook_core::DeliveryHeaders;

/// A text, or the start of one, followed by `*`. A pattern that starts with `/` applies to the path of the request, any
/// other one to the event type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    /// Without the `*`.
    text: String,
    is_prefix: bool,
}

impl Pattern {
    pub(super) fn any() -> Self {
        Self { text: String::new(), is_prefix: true }
    }

    pub(super) fn matches(&self, head: &Parts) -> bool {
        if self.text.starts_with('/') {
            return self.matches_text(head.uri.path());
        }
        // A request without a valid event type has no event that could be meant, except by `*`.
        DeliveryHeaders::parse_event_type(&head.headers)
            .map_or(self.is_prefix && self.text.is_empty(), |event| self.matches_text(event))
    }

    fn matches_text(&self, text: &str) -> bool {
        if self.is_prefix { text.starts_with(&self.text) } else { text == self.text }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(pattern: &str) -> Result<Self, String> {
        let (text, is_prefix) = match pattern.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (pattern, false),
        };
        if text.contains('*') {
            return Err("a * may only be at the end, as in repo.sync.*".to_owned());
        }
        if text.is_empty() && !is_prefix {
            return Err("an event type or a path is missing".to_owned());
        }
        Ok(Self { text: text.to_owned(), is_prefix })
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn matches(pattern: &str, path: &str, event: &str) -> bool {
        let request = Request::post(path).header("x-pierre-event", event).body(()).unwrap();
        Pattern::from_str(pattern).unwrap().matches(&request.into_parts().0)
    }

    #[test]
    fn a_pattern_is_a_text_or_the_start_of_one() {
        assert!(matches("push", "/", "push") && !matches("push", "/", "pushed"));
        assert!(matches("repo.sync.*", "/", "repo.sync.failed"));
        assert!(!matches("repo.sync.*", "/", "repo.sync"));
        assert!(matches("*", "/", "push") && matches("*", "/", " "));
        assert!(matches("/hooks", "/hooks?a=b", "push") && !matches("/hooks", "/hooks/a", "push"));
        assert!(matches("/hooks/*", "/hooks/a", "push") && !matches("/hooks/*", "/", "/hooks/a"));
    }

    #[test]
    fn a_request_without_an_event_type_matches_no_event() {
        let head = Request::post("/").body(()).unwrap().into_parts().0;
        assert!(!Pattern::from_str("p*").unwrap().matches(&head));
    }

    #[test]
    fn a_star_in_the_middle_is_an_error() {
        for wrong in ["", "repo.*.failed", "**"] {
            assert!(Pattern::from_str(wrong).is_err(), "{wrong}");
        }
    }
}
