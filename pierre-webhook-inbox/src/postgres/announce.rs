//! Wakes the workers of other processes, by `NOTIFY`.

use std::{collections::HashSet, sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};

use super::sql;
use crate::store::OPERATION_TIMEOUT;

/// Notifications that come faster than this are sent together. `NOTIFY` in each insert would have all commits of the
/// database wait for each other.
const TOGETHER: Duration = Duration::from_millis(20);

/// Sends notifications in the background, so that nobody waits for them. What gets lost is found by polling.
pub(super) struct Announcer {
    scopes: UnboundedSender<Arc<str>>,
}

impl Announcer {
    /// Ends when it is dropped.
    pub(super) fn new(pool: Pool) -> Self {
        let (scopes, mut announced) = unbounded_channel::<Arc<str>>();
        tokio::spawn(async move {
            while let Some(first) = announced.recv().await {
                let mut together = HashSet::from([first]);
                while let Ok(scope) = announced.try_recv() {
                    together.insert(scope);
                }
                for scope in together {
                    let _ = timeout(OPERATION_TIMEOUT, notify(&pool, &scope)).await;
                }
                sleep(TOGETHER).await;
            }
        });
        Self { scopes }
    }

    pub(super) fn announce(&self, scope: &Arc<str>) {
        // Without a runtime nobody is woken.
        let _ = self.scopes.send(scope.clone());
    }
}

async fn notify(pool: &Pool, scope: &str) {
    if let Ok(client) = pool.get().await
        && let Ok(statement) = client.prepare_cached(sql::NOTIFY).await
    {
        let _ = client.query(&statement, &[&scope]).await;
    }
}
