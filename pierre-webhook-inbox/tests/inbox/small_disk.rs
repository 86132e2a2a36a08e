//! A disk that is soon full, and can grow.

use std::{path::PathBuf, process::Command};

use pierre_webhook_inbox::{Inbox, Inserted};

use crate::delivery::verified;

/// A file system of 1 MiB in memory.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it on a folder. `None`, with a message, if this process doesn't have the right to.
    pub(crate) fn mount(folder: PathBuf) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&folder);
        if !mount.output().is_ok_and(|done| done.status.success()) {
            eprintln!("SKIPPED: this process may not mount a file system");
            return None;
        }
        Some(Self(folder))
    }

    pub(crate) fn grow(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,size=20m"]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the threads of the inbox may still have the file open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Stores deliveries until the disk is full, and the last one again once the disk has grown.
pub(crate) async fn fill_and_grow(inbox: &Inbox, disk: &SmallDisk, text_of_error: &str) {
    let big =
        |number: usize| verified("ping", &format!("\"{number}{}\"", "x".repeat(50_000)), None);
    let mut stored = Vec::new();
    let (lost, error) = loop {
        let delivery = big(stored.len());
        match inbox.insert(&delivery).await {
            Ok(inserted) => assert_eq!(inserted, Inserted::New),
            Err(error) => break (delivery, error),
        }
        stored.push(delivery);
        assert!(stored.len() < 100, "the disk is never full");
    };
    assert!(error.to_string().contains(text_of_error), "{error}");
    assert!(inbox.insert(&lost).await.is_err(), "it stays full");
    disk.grow();
    assert_eq!(inbox.insert(&lost).await.unwrap(), Inserted::New);
    for delivery in &stored {
        assert_eq!(inbox.insert(delivery).await.unwrap(), Inserted::Known, "it is not lost");
    }
}
