//! Where Redis is.

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    aio::MultiplexedConnection,
};

use super::failure::Failure;
#[cfg(feature = "redis-tls")]
use super::tls::{Driver, Tls};

/// How many commands may wait to be written. Beyond that their callers wait, which costs more.
const WAITING: usize = 1024;

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
        // Without `TCP_NODELAY`: commands that come while an answer is due are sent together once it is there.
        // None waits for longer than that, and 64 in flight cost nearly half.
        //
        // Time is kept by who asks: these clocks start when a command has come to its turn.
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING);
        Ok(Self {
            client,
            settings,
            #[cfg(feature = "redis-tls")]
            tls,
        })
    }

    pub(super) async fn connect(&self) -> Result<Wire, Failure> {
        #[cfg(feature = "redis-tls")]
        if let Some(tls) = &self.tls {
            let redis = self.client.get_connection_info().redis_settings();
            let (connection, driver) = tls.connect(redis, self.settings.clone()).await?;
            return Ok(Wire { connection, _driver: Some(driver) });
        }
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.settings)
            .await
            .map_err(|error| Failure::unconnected(&error))?;
        Ok(Wire {
            connection,
            #[cfg(feature = "redis-tls")]
            _driver: None,
        })
    }
}

/// A connection that ends with its last clone.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) connection: MultiplexedConnection,
    #[cfg(feature = "redis-tls")]
    _driver: Option<Driver>,
}

const UNREADABLE: Failure = Failure::Url("it cannot be read");

/// The texts are our own: those of the URL's parts may be a password's that was not escaped.
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
    fn what_is_no_url_of_redis_is_refused_without_a_word_of_it() {
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
    fn tls_is_refused_where_the_feature_is_off() {
        let refused = Address::parse("rediss://localhost").err().map(|failure| failure.to_string());
        let expected = "not a URL of Redis: TLS needs the feature `redis-tls`";
        assert_eq!(refused.as_deref(), (!cfg!(feature = "redis-tls")).then_some(expected));
    }
}
