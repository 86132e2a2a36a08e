//! Describes an event in one line for a terminal.

use pierre_webhook_tower::Event;

/// Returns the interesting parts of an event. All text in it comes from the sender. It is escaped, so that no control
/// character reaches the terminal, and truncated, so that it stays on one line.
pub(crate) fn describe(event: &Event) -> String {
    let repository = text(event.repository().map_or("", |repository| &repository.url));
    match event {
        Event::Push(push) => {
            let (kind, name) = match (push.branch(), push.tag()) {
                (Some(branch), _) => ("branch", branch),
                (None, Some(tag)) => ("tag", tag),
                (None, None) => ("ref", &*push.git_ref),
            };
            let (name, before, after) = (text(name), object(&push.before), object(&push.after));
            if push.is_created() {
                format!("push of a new {kind} {name} to {repository}, at {after}")
            } else if push.is_deleted() {
                format!("push that removed {kind} {name} of {repository}, last at {before}")
            } else {
                format!("push to {kind} {name} of {repository}, {before} to {after}")
            }
        }
        Event::RepoSyncStarted(sync) => {
            let which = if sync.is_first_sync { "first sync" } else { "sync" };
            format!("{which} of {repository} started, after {} runs", sync.run_count)
        }
        Event::RepoSyncSucceeded(sync) => {
            let seconds = sync.completed_at.duration_since(sync.started_at).as_secs();
            format!("sync of {repository} succeeded, run {}, in {seconds} seconds", sync.run_count)
        }
        Event::RepoSyncFailed(sync) => {
            let error = text(sync.error.as_str());
            format!("sync of {repository} failed, run {}: {error}", sync.run_count)
        }
        Event::Unknown(event) => {
            format!("unknown event, {}, {} bytes", text(&event.event_type), event.payload.len())
        }
        // A later version of the crate may know more events than this program.
        _ => format!("unhandled event, {}", text(event.event_type())),
    }
}

fn text(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

/// Shortens an object id like git does.
fn object(id: &str) -> String {
    id.chars().take(7).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_from_the_sender_reaches_the_terminal() {
        let body = serde_json::json!({
            "repository": {"id": "r", "url": "a\u{1b}]0;b\u{7}\r\n\u{9b}c\u{202e}"},
            "ref": format!("refs/tags/\u{1b}{}", "x".repeat(1000)), "before": "\u{1b}[1m", "after": "00",
            "customer_id": "c", "pushed_at": "2024-01-20T10:30:00Z",
        });
        let line = describe(&Event::from_json("push", body.to_string().into()).unwrap());
        assert_eq!(
            line,
            format!(
                "push that removed tag \\u{{1b}}{}… of a\\u{{1b}}]0;b\\u{{7}}\\r\\n\\u{{9b}}c\\u{{202e}}, \
                 last at \\u{{1b}}[1m",
                "x".repeat(59)
            )
        );
    }
}
