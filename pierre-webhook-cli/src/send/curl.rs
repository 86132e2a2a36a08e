//! The equivalent curl command.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::Method;

use crate::{
    client::{ClientArgs, Outgoing, Target},
    escape,
    exit::Failure,
    hex,
};

/// Returns the command, on one line unless the body has several. `body` is the value of `--data-binary`.
pub(crate) fn command(
    target: &Target,
    request: &Outgoing,
    client: &ClientArgs,
    body: &str,
) -> String {
    let mut words = vec!["curl".to_owned(), "-sSi".to_owned()];
    let mut add = |option: &str, value: &str| {
        words.push(option.to_owned());
        words.push(quote(value));
    };
    add("--max-time", &client.timeout.as_secs_f64().to_string());
    #[cfg(feature = "tls")]
    if let Some(path) = &client.trust.ca_file {
        add("--cacert", &path.display().to_string());
    }
    if request.method != Method::POST {
        add("-X", request.method.as_str());
    }
    for (name, value) in &request.headers {
        add(
            "-H",
            &format!("{}: {}", title(name.as_str()), String::from_utf8_lossy(value.as_bytes())),
        );
    }
    // Keep curl from adding its own.
    for name in ["Content-Type", "User-Agent"] {
        if !request.headers.contains_key(name) {
            add("-H", &format!("{name}:"));
        }
    }
    if request.is_chunked {
        add("-H", "Transfer-Encoding: chunked");
    }
    add("--data-binary", body);
    // By default curl expands brackets and resolves dots.
    words.extend(["-g", "--path-as-is"].map(str::to_owned));
    words.push(quote(&target.url()));
    words.join(" ")
}

/// Returns the value of `--data-binary`: the body, or `@file` if a command line cannot hold the body. Also returns the
/// path of that file if it was written here.
pub(crate) fn data(
    body: &Bytes,
    file: Option<&Path>,
) -> Result<(String, Option<PathBuf>), Failure> {
    const LONGEST: usize = 32 << 10;
    let inline = str::from_utf8(body).ok().filter(|text| {
        text.len() <= LONGEST
            && !text.starts_with('@')
            && text.split('\n').all(|line| escape::text(line) == line)
    });
    if let Some(text) = inline {
        return Ok((text.to_owned(), None));
    }
    // A pipe cannot be read a second time.
    if let Some(file) = file.filter(|file| file.is_file()) {
        return Ok((format!("@{}", file.display()), None));
    }
    let path =
        write_file(body).map_err(|error| Failure::io("cannot write the body to a file", &error))?;
    Ok((format!("@{}", path.display()), Some(path)))
}

/// Writes a temporary file. Its random name cannot have been created by another user of the shared directory.
fn write_file(body: &[u8]) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!("pierre-webhook-{}.body", hex::encode(&random));
    let path = env::temp_dir().join(name);
    fs::File::create_new(&path)?.write_all(body)?;
    Ok(path)
}

/// Quotes a word for a POSIX shell. Control characters need `$'…'`, which bash, zsh and ksh understand.
fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else if word.split('\n').any(|line| escape::text(line) != line) {
        let escaped = word.bytes().map(|byte| match byte {
            b'\'' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            byte => format!("\\{byte:03o}"),
        });
        format!("$'{}'", escaped.collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Spells a header name the way the service does.
fn title(name: &str) -> String {
    let title = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').filter_map(title).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quote("http://127.0.0.1:8787/a"), "http://127.0.0.1:8787/a");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote("a\u{85}'\\\n\x1b"), r"$'a\302\205\'\\\012\033'");
        assert_eq!(title("x-pierre-event"), "X-Pierre-Event");
    }

    #[test]
    fn a_body_that_a_command_line_cannot_hold_comes_from_a_file() {
        let file = Some(Path::new("Cargo.toml"));
        assert_eq!(data(&Bytes::from("{\"a\":1}\n"), file).unwrap().0, "{\"a\":1}\n");
        for body in ["@x", "a\0b", "\u{85}", &" ".repeat(40_000)] {
            assert_eq!(data(&Bytes::from(body.to_owned()), file).unwrap().0, "@Cargo.toml");
        }
        assert_eq!(data(&Bytes::from_static(b"\xff"), file).unwrap().0, "@Cargo.toml");
    }
}
