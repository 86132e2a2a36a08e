//! Connections over TLS, with a certificate that is valid for the host.
//!
//! The redis crate's own TLS is not used: it reads the platform's roots for every connection and blocks a worker
//! thread while it does, fails at the first root it can't parse, and panics in a program with two crypto providers.

use std::sync::Arc;

use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, RedisConnectionInfo,
    aio::MultiplexedConnection,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    sync::OnceCell,
    task::{AbortHandle, spawn_blocking},
};
use tokio_rustls::TlsConnector;

use super::failure::Failure;

pub(super) struct Tls {
    host: String,
    port: u16,
    name: ServerName<'static>,
    /// Created at the first connection, when the roots are read.
    settings: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Returns the TLS settings of an address that uses TLS.
    pub(super) fn of(info: &ConnectionInfo) -> Result<Option<Self>, Failure> {
        let ConnectionAddr::TcpTls { host, port, .. } = info.addr() else {
            return Ok(None);
        };
        let name = ServerName::try_from(host.clone())
            .map_err(|_| Failure::Url("no certificate can be for its host"))?;
        Ok(Some(Self { host: host.clone(), port: *port, name, settings: OnceCell::new() }))
    }

    pub(super) async fn connect(
        &self,
        redis: &RedisConnectionInfo,
        settings: AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, Driver), Failure> {
        let tls = self.settings.get_or_try_init(read_roots).await?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(failed)?;
        let connector = TlsConnector::from(Arc::clone(tls));
        let stream = connector.connect(self.name.clone(), stream).await.map_err(failed)?;
        let (connection, driver) = MultiplexedConnection::new_with_config(redis, stream, settings)
            .await
            .map_err(|error| Failure::unconnected(&error))?;
        Ok((connection, Driver::new(tokio::spawn(driver).abort_handle())))
    }
}

async fn read_roots() -> Result<Arc<ClientConfig>, Failure> {
    spawn_blocking(|| {
        let read = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // A platform may have roots that can't be parsed: skip those.
        if roots.add_parsable_certificates(read.certs).0 == 0 {
            let error = read.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(Failure::Unconnected(format!("no root certificate was found{error}")));
        }
        let settings = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(settings))
    })
    .await
    .map_err(failed)?
}

fn failed(error: impl std::error::Error) -> Failure {
    Failure::Unconnected(error.to_string())
}

/// Closes the connection when its last clone is dropped, even if answers are due.
#[derive(Clone)]
pub(super) struct Driver {
    _task: Arc<Aborted>,
}

struct Aborted(AbortHandle);

impl Driver {
    fn new(task: AbortHandle) -> Self {
        Self { _task: Arc::new(Aborted(task)) }
    }
}

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
