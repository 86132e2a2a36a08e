//! The append-only file of Redis. Only completions are read from it.

use std::{
    fs::{self, File},
    ops::Range,
    path::{Path, PathBuf},
    str,
};

use pierre_webhook_core::DeliveryId;

/// Cuts the file in the middle of a completion, so that this many completions are lost, as a crash might. Returns the
/// ids of their deliveries.
pub(crate) fn cut(redis: &Path, completions: usize) -> Vec<DeliveryId> {
    let path = path(redis);
    let file = fs::read(&path).expect("an append-only file");
    let completed: Vec<_> =
        commands(&file).filter_map(|command| completion(&file, command)).collect();
    let kept = completed.len().checked_sub(completions).expect("as many completions");
    let (cut, _) = &completed[kept];
    let file = File::options().write(true).open(path).expect("a file");
    file.set_len((cut.start + cut.len() / 2) as u64).expect("a file that is cut");
    completed[kept..].iter().map(|(_, id)| *id).collect()
}

/// Redis 7 has a directory of such files, and writes to the last one.
fn path(redis: &Path) -> PathBuf {
    let files = fs::read_dir(redis.join("appendonlydir")).expect("a directory");
    let files = files.map(|file| file.expect("a file").path());
    let written = files.filter(|path| path.to_string_lossy().ends_with(".incr.aof"));
    let mut written: Vec<_> = written.collect();
    assert_eq!(written.len(), 1, "the file is too short for Redis to start another");
    written.remove(0)
}

struct Command {
    place: Range<usize>,
    words: Vec<Range<usize>>,
}

/// A command is `*<words>\r\n`, then for each word `$<length>\r\n<bytes>\r\n`.
fn commands(file: &[u8]) -> impl Iterator<Item = Command> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let start = place;
        let count = number(file, &mut place, b'*')?;
        let mut words = Vec::new();
        for _ in 0..count {
            let length = number(file, &mut place, b'$')?;
            words.push(place..place + length);
            place += length + 2;
        }
        (place <= file.len()).then_some(Command { place: start..place, words })
    })
}

fn number(file: &[u8], place: &mut usize, kind: u8) -> Option<usize> {
    let rest = file.get(*place..)?;
    let end = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
    let digits = rest[..end].strip_prefix(&[kind]).expect("an append-only file");
    *place += end + 2;
    Some(str::from_utf8(digits).ok()?.parse().expect("a number"))
}

/// Returns where a completion is in the file, and the id of its delivery.
fn completion(file: &[u8], command: Command) -> Option<(Range<usize>, DeliveryId)> {
    let word = |index: usize| file.get(command.words.get(index)?.clone());
    if !word(2)?.starts_with(b"done:") {
        return None;
    }
    let (_, id) = str::from_utf8(word(1)?).ok()?.rsplit_once(':')?;
    Some((command.place, id.parse().expect("the id of a delivery")))
}
