//! Is woken by other processes, by `LISTEN`.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    select,
    sync::Notify,
    time::{interval, sleep},
};
use tokio_postgres::{
    AsyncMessage, Config, Socket,
    tls::{MakeTlsConnect, TlsConnect},
};

use super::sql;
use crate::{error::InboxError, inbox::Inbox, trace};

/// How long to wait before it connects again.
const CONNECT_AGAIN: Duration = Duration::from_secs(1);

impl Inbox {
    /// Has the workers of this inbox woken at once when another process stores a delivery. It keeps one connection of
    /// its own, and makes a new one when that is lost.
    ///
    /// Without it, workers in other processes than the receivers find deliveries when they
    /// [poll](crate::Worker::poll_interval). A pool's connections can't listen, so this needs the configuration again.
    ///
    /// Call it after [`scope`](Self::scope), since it listens for one scope. It ends once all clones of this inbox, and the workers with them, are dropped.
    ///
    /// ```
    /// # use pierre_webhook_inbox::{Inbox, deadpool_postgres::Pool};
    /// # use pierre_webhook_inbox::tokio_postgres::{Config, NoTls};
    /// # async fn inbox(pool: Pool, config: Config) -> Result<Inbox, Box<dyn std::error::Error>> {
    /// Ok(Inbox::postgres(pool).await?.scope("deploy").listen(config, NoTls))
    /// # }
    /// ```
    #[must_use]
    pub fn listen<T>(self, config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (arrivals, scope) = (Arc::downgrade(&self.arrivals), self.scope.clone());
        tokio::spawn(async move {
            while arrivals.strong_count() > 0 {
                if let Err(error) = listen_once(&config, tls.clone(), &arrivals, &scope).await {
                    trace::failure(&error, "the connection that listens was lost");
                }
                sleep(CONNECT_AGAIN).await;
            }
        });
        self
    }
}

/// Returns when the connection is lost, or the inbox dropped.
async fn listen_once<T>(
    config: &Config,
    tls: T,
    arrivals: &Weak<Notify>,
    scope: &str,
) -> Result<(), InboxError>
where
    T: MakeTlsConnect<Socket>,
{
    let (client, mut connection) = config.connect(tls).await?;
    let listen = format!("LISTEN {}", sql::CHANNEL);
    let mut listening = pin!(client.batch_execute(&listen));
    let mut is_listening = false;
    let mut looks = interval(CONNECT_AGAIN);
    loop {
        select! {
            result = &mut listening, if !is_listening => {
                result?;
                is_listening = true;
                // What was stored before is noticed too.
                let Some(arrivals) = arrivals.upgrade() else { return Ok(()) };
                arrivals.notify_waiters();
            }
            _ = looks.tick() => {
                if arrivals.strong_count() == 0 {
                    return Ok(());
                }
            }
            message = poll_fn(|cx| connection.poll_message(cx)) => {
                let Some(message) = message.transpose()? else { return Ok(()) };
                let Some(arrivals) = arrivals.upgrade() else { return Ok(()) };
                if matches!(&message, AsyncMessage::Notification(it) if it.payload() == scope) {
                    arrivals.notify_waiters();
                }
            }
        }
    }
}
