//! The user that PostgreSQL runs as, because it refuses to run as root.

#[cfg(unix)]
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
};
use std::{path::Path, process::Command};

/// `None`: the user of this process.
#[derive(Clone, Copy)]
pub(super) struct Owner(
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has it"))] Option<(u32, u32)>,
);

impl Owner {
    /// As root, the first of these users that there is.
    #[cfg(unix)]
    pub(super) fn find() -> Self {
        if fs::metadata("/proc/self").expect("this process").uid() != 0 {
            return Self(None);
        }
        let users = fs::read_to_string("/etc/passwd").expect("the users");
        let find = |name: &str| {
            let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
            let user = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
            Some((user.get(2)?.parse().ok()?, user.get(3)?.parse().ok()?))
        };
        Self(["postgres", "nobody"].into_iter().find_map(find))
    }

    #[cfg(not(unix))]
    pub(super) fn find() -> Self {
        Self(None)
    }

    pub(super) fn take(self, directory: &Path) {
        #[cfg(unix)]
        if let Some((user, group)) = self.0 {
            chown(directory, Some(user), Some(group)).expect("a directory of another user");
        }
        #[cfg(not(unix))]
        let _ = directory;
    }

    pub(super) fn run(self, command: &mut Command) -> &mut Command {
        #[cfg(unix)]
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command.current_dir("/")
    }
}
