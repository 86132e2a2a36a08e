//! A server in a process of its own, which is killed when its handle is dropped.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Server {
    pub(crate) fn start(name: &'static str) -> Self {
        let program = env::current_exe().expect("this program");
        let mut command = match Command::new("taskset").arg("--version").output() {
            Ok(_) => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(program);
                command
            }
            Err(_) => Command::new(program),
        };
        let mut child = command
            .args(["--serve", name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("its address");
        Self { address: line.trim().parse().expect("an address"), child }
    }

    /// Returns the resident memory in bytes.
    pub(crate) fn memory(&self) -> Option<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<usize>().ok()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("a child that can be ended");
        self.child.wait().expect("a child that ends");
    }
}
