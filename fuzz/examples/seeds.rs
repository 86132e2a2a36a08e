//! Writes the seeds into `corpus/`: `cargo run --example seeds`.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (path, input) in pierre_webhook_fuzz::seeds::seeds() {
        let path = corpus.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&corpus))?;
        fs::write(path, input)?;
    }
    Ok(())
}
