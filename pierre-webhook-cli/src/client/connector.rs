//! Connections to a server: TCP, with TLS for https.

use std::io;

use tokio::net::TcpStream;

use super::{stream::Stream, target::Target};
use crate::exit::Failure;

/// Which certificates to trust for https.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct TrustArgs {
    /// Certificates (PEM) to trust for https://, in addition to the platform's
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<std::path::PathBuf>,
}

/// Opens connections.
pub(crate) struct Connector {
    #[cfg(feature = "tls")]
    tls: super::tls::Tls,
}

impl Connector {
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, clippy::unnecessary_wraps))]
    pub(crate) fn new(trust: &TrustArgs, target: &Target) -> Result<Self, Failure> {
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: super::tls::Tls::new(trust.ca_file.as_deref(), target.is_https())?,
        })
    }

    pub(crate) async fn connect(&self, target: &Target) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((target.host(), target.port())).await?;
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if target.is_https() {
            return Ok(Box::new(self.tls.connect(target, stream).await?));
        }
        Ok(Box::new(stream))
    }
}
