//! What all commands share: secrets, exit codes, help.

use crate::{
    command::{Running, SECRET, command, run, run_with_stdin, without_secret},
    folder::Folder,
    stub_server::closed,
};

fn sign(args: &[&str]) -> crate::command::Ended {
    run_with_stdin(&[&["sign", "--at", "1790000000"], args].concat(), b"{}")
}

#[test]
fn a_missing_secret_error_says_how_to_give_one() {
    for args in [
        &["sign"][..],
        &["send", "push", "http://127.0.0.1:1/"],
        &["listen", "--port", "0"],
        &["replay", "--resign", "x", "http://127.0.0.1:1/"],
    ] {
        let ended = Running::start(without_secret(args)).end().is(2);
        assert!(ended.stderr.contains("PIERRE_WEBHOOK_SECRET"), "{ended:?}");
        assert!(ended.stderr.contains("--secret-file"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let mut command = without_secret(&["sign"]);
    command.env("PIERRE_WEBHOOK_SECRET", "");
    assert!(Running::start(command).end().is(2).stderr.contains("--secret-file"));
}

#[test]
fn a_blank_secret_is_rejected() {
    let mut command = without_secret(&["sign"]);
    command.env("PIERRE_WEBHOOK_SECRET", " \n");
    let ended = Running::start(command).end().is(2);
    assert!(ended.stderr.contains("Empty secret is not allowed"), "{ended:?}");
}

#[test]
fn secret_files_replace_the_variable_and_keep_white_space_with_a_warning() {
    let folder = Folder::new();
    let same = folder.write("same", SECRET);
    let newline = folder.write("newline", format!("{SECRET}\n"));
    let from_variable = sign(&[]).is(0);
    assert_eq!(from_variable.stderr, "");
    assert_eq!(sign(&["--secret-file", &same]).is(0).stdout, from_variable.stdout);

    let other = sign(&["--secret-file", &newline, "--secret-file", &same]).is(0);
    assert_ne!(other.stdout, from_variable.stdout);
    assert!(
        other.stderr.contains("warning: the file given to --secret-file ends with white space"),
        "{other:?}"
    );
    assert_eq!(sign(&["-q", "--secret-file", &newline]).is(0).stderr, "");
}

#[test]
fn the_secret_is_never_printed() {
    let ended = run(&["send", "push", &format!("http://{}/", closed()), "-v"]);
    assert!(!format!("{ended:?}").contains(SECRET));
    for args in [&["--help"][..], &["sign", "--help"], &["send", "--help"], &["listen", "--help"]] {
        let ended = run(args).is(0);
        assert!(ended.stdout.contains("Usage:") && !ended.stdout.contains(SECRET));
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn a_secret_typed_as_an_argument_is_not_repeated() {
    let ended = sign(&["--secret-file", "whsec_typed_here"]).is(3);
    assert!(ended.stderr.contains("cannot read the file given to --secret-file"), "{ended:?}");
    assert!(!ended.stderr.contains("whsec_typed_here"));
    let ended = sign(&["--secret=whsec_typed_here"]).is(2);
    assert!(!ended.stderr.contains("whsec_typed_here"), "{ended:?}");
    let ended = sign(&["whsec_typed_here"]).is(2);
    assert!(ended.stderr.contains("unexpected argument '…' found"), "{ended:?}");
    for args in [&[SECRET][..], &["listen", "--port", SECRET], &["sign", &format!("--{SECRET}")]] {
        let ended = run(args).is(2);
        assert!(!ended.stderr.contains(SECRET), "{ended:?}");
    }
}

#[test]
fn errors_escape_the_arguments_they_repeat() {
    let url = "http://127.0.0.1:1/";
    for args in [
        &["fly\x1b[31m\u{9b}"][..],
        &["sign", "--fly\x1b[31m\u{9b}"],
        &["send", "push", url, "--header", "fly\x1b[31m\u{9b}"],
        &["send", "fly\u{9b}", url],
        &["attack", url, "--only", "fly\x1b[31m\u{9b}"],
        &["explain", "fly\x1b[31m\u{9b}"],
    ] {
        let ended = run(&[args, &["--color", "always"]].concat());
        assert!(matches!(ended.code, Some(2 | 3)), "{ended:?}");
        assert!(ended.stderr.contains("fly\\u{"), "{ended:?}");
        assert!(
            !ended.stderr.contains("fly\x1b[31m") && !ended.stderr.contains('\u{9b}'),
            "{ended:?}"
        );
    }
}

#[test]
fn an_invalid_command_line_is_exit_code_2() {
    for args in [
        &[][..],
        &["fly"],
        &["send", "push"],
        &["send", "push", "ftp://127.0.0.1/"],
        &["send", "push", "http://127.0.0.1:99999/"],
        &["sign", "--at=-5"],
        &["send", "ping", "http://127.0.0.1:1/"],
        &["send", "push", "http://127.0.0.1:1/", "--body", "text"],
        &["send", "push", "http://127.0.0.1:1/", "--body", "-", "--set", "/a=1"],
        &["send", "push", "http://127.0.0.1:1/", "--set", "/ref=main"],
        &["send", "push", "http://127.0.0.1:1/", "--set", "/ref/x=1"],
        &["send", "push", "http://127.0.0.1:1/", "--expect", "fine"],
        &["send", "push", "http://127.0.0.1:1/", "--count", "0"],
        &["send", "push", "http://127.0.0.1:1/", "-q", "-v"],
        &["listen", "--only-verified"],
        &["listen", "--any-age", "--max-age", "5m"],
        &["completions", "bash", "--json"],
        &["man", "folder", "--json"],
    ] {
        let ended = run(args).is(2);
        assert_eq!(ended.stdout, "", "{args:?}");
        assert_ne!(ended.stderr, "", "{args:?}");
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Running::start(without_secret(&["completions", shell])).end().is(0);
        assert!(ended.stdout.contains("pierre-webhook"), "{shell}");
        assert!(ended.stdout.contains("forward-to"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = std::env::temp_dir().join(format!("pierre-webhook-man-{}", std::process::id()));
    let path = folder.display().to_string();
    run(&["man", &path]).is(0);
    let help = run(&["--help"]).is(0).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let mut pages = 0;
    for line in commands.take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            let page = folder.join(format!("pierre-webhook-{name}.1"));
            assert!(std::fs::read_to_string(page).unwrap().contains(".SH OPTIONS"), "{name}");
            pages += 1;
        }
    }
    assert!(pages >= 8, "{help}");
    assert!(
        std::fs::read_to_string(folder.join("pierre-webhook.1"))
            .unwrap()
            .contains("PIERRE_WEBHOOK_SECRET")
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn color_is_printed_on_terminals_or_if_requested() {
    let args = ["send", "push", &format!("http://{}/", closed())];
    assert!(!run(&args).is(3).stdout.contains('\x1b'));
    assert!(run(&[&args[..], &["--color", "always"]].concat()).is(3).stdout.contains('\x1b'));
    assert!(run(&["--help", "--color=always"]).is(0).stdout.contains('\x1b'));
    assert!(!run(&["--color", "never", "--help"]).is(0).stdout.contains('\x1b'));
    let mut never = command(&[&args[..], &["--color", "never"]].concat());
    never.env("CLICOLOR_FORCE", "1");
    assert!(!Running::start(never).end().is(3).stdout.contains('\x1b'));
}
