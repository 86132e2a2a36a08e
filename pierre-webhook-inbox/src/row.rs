//! What is written for a delivery, and what is read when it is taken.

use std::sync::Arc;

use bytes::Bytes;
use pierre_webhook_core::{Delivery, DeliveryId, Error, Event};

/// The longest lane that is stored as it is: an index entry of PostgreSQL has a limit.
const LONGEST_LANE: usize = 256;

/// A delivery to store.
#[derive(Clone, Debug)]
pub(crate) struct NewRow {
    pub(crate) scope: Arc<str>,
    pub(crate) id: DeliveryId,
    /// Empty for none.
    pub(crate) tenant: Arc<str>,
    pub(crate) event_type: String,
    pub(crate) lane: Option<String>,
    pub(crate) signed_at: i64,
    pub(crate) matched_secret: i32,
    pub(crate) body: Bytes,
}

impl NewRow {
    pub(crate) fn new(scope: Arc<str>, delivery: &Delivery) -> Self {
        Self {
            scope,
            id: delivery.id(),
            tenant: delivery.tenant.clone().unwrap_or_default(),
            event_type: delivery.event_type().to_owned(),
            lane: lane(&delivery.event),
            // Rule 3 bounds it: it fits.
            signed_at: i64::try_from(delivery.signed_at).unwrap_or(i64::MAX),
            matched_secret: i32::try_from(delivery.matched_secret).unwrap_or(i32::MAX),
            body: delivery.body.clone(),
        }
    }
}

/// Returns the repository's id, or its hash if a database could not store or index it.
fn lane(event: &Event) -> Option<String> {
    let id = &event.repository()?.id;
    let is_storable = id.len() <= LONGEST_LANE && !id.contains('\0');
    Some(if is_storable {
        id.clone()
    } else {
        format!("sha256:{}", DeliveryId::of("lane", id.as_bytes()))
    })
}

/// A delivery that was taken to be run.
#[derive(Debug)]
pub(crate) struct TakenRow {
    /// The order in which deliveries were stored.
    pub(crate) seq: i64,
    pub(crate) id: DeliveryId,
    pub(crate) tenant: Arc<str>,
    pub(crate) event_type: String,
    pub(crate) signed_at: i64,
    pub(crate) matched_secret: i32,
    pub(crate) attempt: i64,
    pub(crate) tries: i32,
    pub(crate) body: Bytes,
}

impl TakenRow {
    /// Reads the event again.
    pub(crate) fn delivery(&self) -> Result<Delivery, Error> {
        let signed_at = u64::try_from(self.signed_at).unwrap_or_default();
        let mut delivery = Delivery::from_stored(&self.event_type, self.body.clone(), signed_at)?;
        delivery.matched_secret = usize::try_from(self.matched_secret).unwrap_or_default();
        delivery.tenant = Some(self.tenant.clone()).filter(|tenant| !tenant.is_empty());
        Ok(delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(repository: &str) -> Delivery {
        let body = format!(
            r#"{{"repository":{{"id":"{repository}","url":"u"}},"ref":"r","before":"0","after":"1",
                "customer_id":"c","pushed_at":"2024-01-20T10:30:00Z"}}"#
        );
        Delivery::from_stored("push", body.into(), 7).unwrap()
    }

    #[test]
    fn a_row_is_read_as_the_delivery_that_was_stored() {
        let mut delivery = push("r");
        delivery.matched_secret = 2;
        delivery.tenant = Some("acme".into());
        let row = NewRow::new("".into(), &delivery);
        assert_eq!(row.lane.as_deref(), Some("r"));
        let taken = TakenRow {
            seq: 1,
            id: row.id,
            tenant: row.tenant,
            event_type: row.event_type,
            signed_at: row.signed_at,
            matched_secret: row.matched_secret,
            attempt: 1,
            tries: 1,
            body: row.body,
        };
        assert_eq!(taken.delivery(), Ok(delivery));
    }

    #[test]
    fn a_repository_that_no_database_can_index_still_has_a_lane() {
        let hash = "sha256:".len() + 64;
        for (id, length) in
            [("x".repeat(256), 256), ("x".repeat(257), hash), ("a\\u0000b".to_owned(), hash)]
        {
            let lane = lane(&push(&id).event).unwrap();
            assert_eq!(lane.len(), length);
            assert!(!lane.contains('\0'));
        }
    }

    #[test]
    fn an_unknown_event_has_no_lane() {
        let unknown = Delivery::from_stored("ping", "{}".into(), 7).unwrap();
        assert_eq!(lane(&unknown.event), None);
    }
}
