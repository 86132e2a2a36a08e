//! What every command has in common: secrets, exit codes, help.

use crate::{
    command::{Running, SECRET, command, run, run_with_stdin, without_secret},
    folder::Folder,
    wrong::closed,
};

fn sign(args: &[&str]) -> crate::command::Ended {
    run_with_stdin(&[&["sign", "--at", "1790000000"], args].concat(), b"{}")
}

#[test]
fn without_a_secret_it_says_how_to_give_one() {
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
fn an_empty_variable_is_one_that_is_not_set() {
    let mut command = without_secret(&["sign"]);
    command.env("PIERRE_WEBHOOK_SECRET", "");
    assert!(Running::start(command).end().is(2).stderr.contains("--secret-file"));
}

#[test]
fn an_empty_secret_is_none() {
    let mut command = without_secret(&["sign"]);
    command.env("PIERRE_WEBHOOK_SECRET", " \n");
    let ended = Running::start(command).end().is(2);
    assert!(ended.stderr.contains("Empty secret is not allowed"), "{ended:?}");
}

#[test]
fn files_replace_the_variable_and_white_space_is_kept_with_a_warning() {
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
fn who_types_the_secret_for_its_file_does_not_see_it_again() {
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
fn what_was_typed_is_escaped_before_it_is_repeated() {
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
fn a_command_line_that_cannot_be_followed_is_exit_code_2() {
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
    ] {
        let ended = run(args).is(2);
        assert_eq!(ended.stdout, "", "{args:?}");
        assert_ne!(ended.stderr, "", "{args:?}");
    }
}

#[test]
fn each_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Running::start(without_secret(&["completions", shell])).end().is(0);
        assert!(ended.stdout.contains("pierre-webhook"), "{shell}");
        assert!(ended.stdout.contains("forward-to"), "{shell}");
    }
}

#[test]
fn colour_is_for_terminals_or_where_it_is_asked_for() {
    let args = ["send", "push", &format!("http://{}/", closed())];
    assert!(!run(&args).is(3).stdout.contains('\x1b'));
    assert!(run(&[&args[..], &["--color", "always"]].concat()).is(3).stdout.contains('\x1b'));
    assert!(run(&["--help", "--color=always"]).is(0).stdout.contains('\x1b'));
    assert!(!run(&["--color", "never", "--help"]).is(0).stdout.contains('\x1b'));
    let mut never = command(&[&args[..], &["--color", "never"]].concat());
    never.env("CLICOLOR_FORCE", "1");
    assert!(!Running::start(never).end().is(3).stdout.contains('\x1b'));
}
