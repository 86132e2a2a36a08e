//! Runs the session in the README, and compares it with what is written there.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    command::{PATIENCE, SECRET},
    folder::Folder,
};

const BEGIN: &str = "```console\n";

#[test]
fn the_session_in_the_readme_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once("```\n").unwrap();
    let commands: Vec<_> = written.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let recorded = record(&commands);
    if env::var_os("PIERRE_WEBHOOK_RECORD").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{recorded}```\n{after}")).unwrap();
    } else {
        assert_eq!(
            plain(&recorded),
            plain(written),
            "the session has changed: record it again, see the README"
        );
    }
}

/// Runs the commands, and returns what a terminal would show.
fn record(commands: &[&str]) -> String {
    let folder = Folder::new();
    // The first command picks a free port and prints it. The README shows the default port.
    let mut port = "8787".to_owned();
    let mut shown = String::new();
    let mut background = Vec::new();
    for command in commands {
        shown.push_str(&format!("$ {command}\n"));
        let command = command.replace("--port 8787", "--port 0").replace("8787", &port);
        if let Some(command) = command.strip_suffix('&') {
            let (child, line) = start(command, &folder);
            background.push(child);
            shown.push_str(&line);
            port = line.trim_end().rsplit(':').next().unwrap().to_owned();
        } else if command == "wait" {
            background.drain(..).for_each(wait);
        } else {
            let output = shell(&format!("{{ {command}\n}} 2>&1"), &folder).output().unwrap();
            shown.push_str(str::from_utf8(&output.stdout).unwrap());
        }
    }
    shown.replace(&port, "8787")
}

/// Starts a command, and waits for its first line on standard error.
fn start(command: &str, folder: &Folder) -> (Child, String) {
    let mut child =
        shell(&format!("exec {command}"), folder).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

fn wait(mut child: Child) {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the command does not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn shell(command: &str, folder: &Folder) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_pierre-webhook")).parent().unwrap();
    let path = env::var("PATH").unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder.path(""));
    shell.env("PATH", format!("{}:{path}", binary.display())).env("PIERRE_WEBHOOK_SECRET", SECRET);
    shell
}

/// Masks what differs between runs: times, ids, milliseconds, ages.
fn plain(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let word = |(index, word): (usize, &&str)| {
            let before = index.checked_sub(1).and_then(|index| words.get(index)).copied();
            let after = words.get(index + 1).copied().unwrap_or_default();
            let is_time = word.ends_with('Z') && word.matches(':').count() == 2;
            let differs = is_time
                || [Some("id"), Some("age")].contains(&before)
                || after == "ms"
                || after.starts_with("seconds");
            if differs { "_".to_owned() } else { (*word).to_owned() }
        };
        words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
