//! The address of the server, parsed from a URL.

use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

#[cfg(feature = "redis-tls")]
use super::tls::Tls;
use super::{connection::Connection, failure::Failure};

/// How many commands may be queued. Beyond that their callers wait, which costs more.
const QUEUE: usize = 1024;

pub(super) struct Address {
    client: Client,
    settings: AsyncConnectionConfig,
    #[cfg(feature = "redis-tls")]
    tls: Option<Tls>,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let info = parse(url)?;
        #[cfg(feature = "redis-tls")]
        let tls = Tls::of(&info)?;
        let client = Client::open(info).map_err(|_| UNREADABLE)?;
        // Without `TCP_NODELAY`, commands issued while an answer is due are sent together once it arrives. None
        // waits for longer than that, and 64 in flight cost nearly half.
        //
        // The client has timeouts of its own: these would start only when a command leaves the queue.
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        Ok(Self {
            client,
            settings,
            #[cfg(feature = "redis-tls")]
            tls,
        })
    }

    pub(super) async fn connect(&self, number: u64) -> Result<Connection, Failure> {
        #[cfg(feature = "redis-tls")]
        if let Some(tls) = &self.tls {
            let redis = self.client.get_connection_info().redis_settings();
            let (connection, driver) = tls.connect(redis, self.settings.clone()).await?;
            return Ok(Connection::with_driver(number, connection, driver));
        }
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.settings)
            .await
            .map_err(|error| Failure::unconnected(&error))?;
        Ok(Connection::new(number, connection))
    }
}

const UNREADABLE: Failure = Failure::Url("it cannot be read");

/// Parses the URL. The error texts are our own: the redis crate's may quote a password that was not escaped.
fn parse(url: &str) -> Result<ConnectionInfo, Failure> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_tls = ["rediss", "valkeys"].iter().any(|tls| scheme.eq_ignore_ascii_case(tls));
    if is_tls && !cfg!(feature = "redis-tls") {
        return Err(Failure::Url("TLS needs the feature `redis-tls`"));
    }
    let info = url.into_connection_info().map_err(|_| UNREADABLE)?;
    match info.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            Err(Failure::Url("a certificate is always verified"))
        }
        _ => Ok(info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_redis_url_is_rejected_with_an_error_that_quotes_none_of_it() {
        for url in [
            "",
            "hunter2",
            "http://:hunter2@localhost",
            "redis://:hunter2@",
            "redis://user:hunter2/x@localhost",
            "redis://:hunter2#@localhost",
            "redis://:hunter2@localhost:port",
            "redis://:hunter2@localhost/database",
            "redis://localhost?protocol=hunter2",
            "rediss://:hunter2@localhost#insecure",
        ] {
            let failure = Address::parse(url).err().expect(url);
            assert!(matches!(failure, Failure::Url(_)), "{url}");
            assert!(!format!("{failure} {failure:?}").contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn a_tls_url_is_rejected_if_the_feature_is_off() {
        let refused = Address::parse("rediss://localhost").err().map(|failure| failure.to_string());
        let expected = "not a URL of Redis: TLS needs the feature `redis-tls`";
        assert_eq!(refused.as_deref(), (!cfg!(feature = "redis-tls")).then_some(expected));
    }
}
