//! Standard input.

use std::io::{self, Read as _};

use bytes::Bytes;

use crate::exit::{Failure, until_interrupted};

/// Reads standard input to its end, or until Ctrl-C.
pub(crate) async fn read() -> Result<Bytes, Failure> {
    // The read blocks, so it gets its own thread.
    let read = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| Bytes::from(bytes))
    });
    let read = until_interrupted(read).await.ok_or_else(Failure::interrupted)?;
    let read = read.map_err(io::Error::other).and_then(|read| read);
    read.map_err(|error| Failure::io("cannot read standard input", &error))
}
