//! An HTTP/2 connection: some streams are answered, some are reset during the body, and then it is closed.

use std::net::SocketAddr;

use h2::{Error, Reason};
use pierre_webhook_tests::{client::PATIENCE, http2::Http2, sample::delivery};
use tokio::time::timeout;

use crate::traffic::Traffic;

/// One more than there are requests. The last kind is a stream that is reset.
pub(crate) const KINDS: usize = 5;

/// Returns the statuses of the answered streams, or an error if one is wrong.
pub(crate) async fn statuses(
    address: SocketAddr,
    traffic: &Traffic,
    kinds: &[usize],
) -> Result<Vec<u16>, String> {
    let exchanges = async {
        let client = Http2::open(address).await;
        let mut statuses = Vec::new();
        for kind in kinds {
            match traffic.streams.get(*kind) {
                Some((request, status)) => {
                    let got = client.exchange(request).await.map_err(failed)?.status;
                    if got != *status {
                        return Err(format!("HTTP/2: {got}, not {status}"));
                    }
                    statuses.push(got);
                }
                None => reset(&client).await.map_err(failed)?,
            }
        }
        client.abort().await;
        Ok(statuses)
    };
    timeout(PATIENCE, exchanges).await.map_err(|_| "HTTP/2: no answer")?
}

/// Sends everything that is signed, but not the end of the stream.
async fn reset(client: &Http2) -> Result<(), Error> {
    let request = delivery();
    let mut stream = client.start(&request).await?;
    stream.body.send_data(request.body.into(), false)?;
    stream.body.send_reset(Reason::CANCEL);
    Ok(())
}

fn failed(error: Error) -> String {
    format!("HTTP/2: {error}")
}
