//! TLS, by rustls with ring. It trusts the platform's root certificates and those of `--ca-file`.

use std::{io, path::Path, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use super::target::Target;
use crate::exit::Failure;

/// Adds TLS to connections.
pub(crate) struct Tls {
    /// `None` if the target is not https.
    connector: Option<TlsConnector>,
}

impl Tls {
    pub(super) fn new(ca_file: Option<&Path>, is_needed: bool) -> Result<Self, Failure> {
        let connector = if is_needed { Some(connector(ca_file)?) } else { None };
        Ok(Self { connector })
    }

    pub(super) async fn connect(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connector =
            self.connector.as_ref().ok_or_else(|| io::Error::other("TLS is not set up"))?;
        let name = ServerName::try_from(target.host().to_owned()).map_err(io::Error::other)?;
        connector.connect(name, stream).await
    }
}

fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, Failure> {
    let roots = roots(ca_file)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::failed(format!("cannot set up TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let platform = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(platform.certs);
    if let Some(path) = ca_file {
        let cannot = |why: String| Failure::failed(format!("--ca-file {}: {why}", path.display()));
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| cannot(error.to_string()))?;
        if certificates.is_empty() {
            return Err(cannot("the file holds no certificate in PEM form".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| cannot(error.to_string()))?;
        }
    }
    if roots.is_empty() {
        return Err(Failure::failed(
            "this machine has no root certificates: give some with --ca-file",
        ));
    }
    Ok(roots)
}
