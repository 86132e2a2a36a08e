//! Checks that the documents match the code.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use pierre_webhook_core::{DeliveryHeaders, Error};
use pierre_webhook_tests::vectors::deliveries;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Every file below a folder whose name ends so, except in what is hidden or built.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap_or_default());
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && !["target", "mutants.out", "corpus"].contains(&&*name) {
                found.extend(files(&path, end));
            }
        } else if name.ends_with(end) {
            found.push(path);
        }
    }
    found
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of `[text](target)` and `[name]: target`.
fn link_targets(line: &str) -> Vec<&str> {
    let definition = line
        .strip_prefix('[')
        .and_then(|line| line.split_once("]: "))
        .and_then(|(_, target)| target.split_whitespace().next());
    // Outside of code spans.
    let inline = line.split('`').step_by(2).flat_map(|text| {
        let targets = text.split("](").skip(1);
        targets.filter_map(|rest| rest.split([')', ' ']).next())
    });
    inline.chain(definition).collect()
}

/// The anchors of a file's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut seen = HashMap::new();
    let mut anchors = Vec::new();
    for line in prose(text).filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = heading
            .chars()
            .filter(|char| char.is_alphanumeric() || [' ', '-', '_'].contains(char))
            .map(|char| if char == ' ' { '-' } else { char })
            .collect();
        let count = seen.entry(anchor.clone()).or_insert(0);
        anchors.push(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    anchors
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let documents = files(&root(), ".md");
    let mut checked = 0;
    for file in &documents {
        let text = read(file);
        for target in prose(&text).flat_map(link_targets) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if path.is_empty() { file.clone() } else { file.with_file_name(path) };
            assert!(linked.exists(), "{target} in {}", file.display());
            let is_there = anchor.is_empty() || anchors(&read(&linked)).iter().any(|a| a == anchor);
            assert!(is_there, "{target} in {}", file.display());
            checked += 1;
        }
    }
    assert!(documents.len() > 10, "only {} Markdown files were found", documents.len());
    assert!(checked > 30, "only {checked} links were found");
}

#[test]
fn links_and_anchors_are_read_as_github_reads_them() {
    let line = "[`a`](b.md#c) and `[no](link)` and [d](e \"title\")";
    assert_eq!(link_targets(line), ["b.md#c", "e"]);
    assert_eq!(link_targets("[name]: f.md"), ["f.md"]);
    let text = "# Who's `a_b`, and why?\n```sh\n# no heading\n```\n## Twice\n## Twice";
    assert_eq!(anchors(text), ["whos-a_b-and-why", "twice", "twice-1"]);
}

#[test]
fn troubleshooting_has_cause_proof_and_remedy_of_every_code() {
    let page = read("book/src/troubleshooting.md");
    let sections: HashMap<&str, &str> =
        page.split("\n### `").skip(1).filter_map(|section| section.split_once('`')).collect();
    for (code, section) in &sections {
        for part in ["\n- **Cause:** ", "\n- **Proof:** ", "\n- **Remedy:** "] {
            assert_eq!(section.matches(part).count(), 1, "{part:?} of {code}");
        }
    }
    let line = |code: &str, status: u16, text: &str| {
        let section = sections.get(code).unwrap_or_else(|| panic!("{code} is missing"));
        let line = format!("\n\n{status} `{text}`\n");
        assert!(section.starts_with(&line), "{code}: {line}");
    };
    for error in &SIMPLE {
        line(error.code(), error.status_code(), &error.to_string());
    }
    for error in errors_of_the_table().filter(|error| !SIMPLE.contains(error)) {
        let text = error.to_string();
        let is_this = |template: &str| {
            let (start, end) = (template.split('<').next(), template.rsplit('>').next());
            start.is_some_and(|start| text.starts_with(start))
                && end.is_some_and(|end| text.ends_with(end))
        };
        let (_, template) = WITH_FIELDS.into_iter().find(|(_, text)| is_this(text)).unwrap();
        line(error.code(), error.status_code(), template);
    }
    let error_rs = read("pierre-webhook-core/src/error.rs");
    let codes =
        error_rs.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split_once("=> \""));
    let codes: Vec<_> = codes.map(|(_, code)| code).collect();
    assert_eq!(codes.len(), 14);
    assert!(codes.iter().all(|code| sections.contains_key(code)), "{codes:?}");
    // Those that the adapters, the deduplication and the inbox name.
    let crates = ["core", "tower", "actix", "dedup", "inbox"]
        .map(|name| format!("pierre-webhook-{name}/src"));
    let sources: String =
        crates.iter().flat_map(|folder| files(&root().join(folder), ".rs")).map(read).collect();
    for code in sections.keys() {
        assert!(sources.contains(&format!("\"{code}\"")), "no source has the code {code}");
    }
    // Texts of problems stand in their sources whole.
    for text in code_spans(&page).filter(|text| text.starts_with("Webhook ") && !text.contains('<'))
    {
        assert!(sources.contains(text), "no source has the text {text}");
    }
}

#[test]
fn every_page_of_the_book_is_listed_and_compiled() {
    let names = |text: &str, before: &str, after: &str| -> BTreeSet<String> {
        let parts = text.split(before).skip(1).filter_map(|rest| rest.split_once(after));
        parts.map(|(name, _)| name.to_owned()).collect()
    };
    let pages: BTreeSet<String> = files(&root().join("book/src"), ".md")
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "SUMMARY")
        .collect();
    assert!(pages.len() > 10, "{pages:?}");
    assert_eq!(names(&read("book/src/SUMMARY.md"), "](", ".md)"), pages);
    assert_eq!(names(&read("book/llms.txt"), "](src/", ".md)"), pages);
    let lib = read("book/lib.rs");
    let (_, list) = lib.split_once("pages! {").unwrap();
    assert_eq!(
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>(),
        pages
    );
}

#[test]
fn the_book_links_only_to_itself() {
    let book = root().join("book/src");
    for file in files(&book, ".md") {
        let text = read(&file);
        for target in prose(&text).flat_map(link_targets).filter(|target| !target.contains("://")) {
            assert!(!target.starts_with('.'), "{target} in {}", file.display());
        }
    }
}

#[test]
fn alerts_and_dashboard_name_only_metrics_that_exist() {
    let sources: String = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|folder| folder.to_str().is_some_and(|path| path.contains("pierre-webhook-")))
        .flat_map(|folder| files(&folder, ".rs"))
        .map(read)
        .collect();
    let is_name = |char: char| char.is_ascii_lowercase() || char == '_';
    for file in ["alerts.yml", "alerts_test.yml", "dashboard.json"] {
        let text = read(Path::new("examples/monitoring").join(file));
        let names = text.match_indices("pierre_webhook_").map(|(start, _)| &text[start..]);
        let names = names.map(|rest| rest.split(|char| !is_name(char)).next().unwrap_or_default());
        let mut checked = 0;
        for name in names.map(|name| name.trim_end_matches("_bucket")) {
            assert!(sources.contains(&format!("\"{name}\"")), "{name} in {file}");
            checked += 1;
        }
        assert!(checked > 5, "only {checked} names in {file}");
    }
}

#[test]
fn every_test_that_security_md_names_exists() {
    let security = read("SECURITY.md");
    let vectors = deliveries();
    let core_sources: String =
        files(&root().join("pierre-webhook-core/src"), ".rs").iter().map(read).collect();
    let mut named = 0;
    for row in security.lines().filter(|line| line.starts_with("| ")) {
        let Some((_, held_by)) = row.trim_end_matches(" |").rsplit_once(" | ") else { continue };
        // A unit test is one of the file named before it, or of any file of core.
        let mut unit_tests = core_sources.clone();
        for span in code_spans(held_by) {
            if span.contains(['/', '.']) {
                unit_tests = source(span).unwrap_or_else(|| panic!("{span} in: {row}"));
                continue;
            }
            let is_there = match span.rsplit_once("::") {
                Some((module, test)) => tests_of(module).contains(&format!("fn {test}()")),
                _ if span.contains('-') => vectors.iter().any(|vector| vector.name == span),
                _ if span.contains('_') => unit_tests.contains(&format!("fn {span}()")),
                // Types, and a crate.
                _ if span.starts_with(char::is_uppercase) || span == "ctutils" => continue,
                _ => ["tests/suite", "fuzz/fuzz_targets"]
                    .iter()
                    .any(|folder| root().join(folder).join(format!("{span}.rs")).exists()),
            };
            assert!(is_there, "{span} in: {row}");
            named += 1;
        }
    }
    assert!(named > 40, "only {named} tests were found in SECURITY.md");
}

/// A file of the suite, or of an adapter's own tests: `tower::bodies`.
fn tests_of(module: &str) -> String {
    read(match module.split_once("::") {
        Some((adapter, module)) => format!("pierre-webhook-{adapter}/tests/{adapter}/{module}.rs"),
        None => format!("tests/suite/{module}.rs"),
    })
}

/// What SECURITY.md names by its path: a folder or a program, or a file of core with its tests.
fn source(path: &str) -> Option<String> {
    let without_extension = path.trim_end_matches(".rs");
    let core = format!("pierre-webhook-core/src/{without_extension}");
    let texts =
        [path.to_owned(), format!("{path}.rs"), format!("{core}.rs"), format!("{core}/tests.rs")]
            .map(|path| root().join(path))
            .into_iter()
            .filter(|path| path.exists())
            .map(|path| if path.is_dir() { String::new() } else { read(path) });
    texts.reduce(|all, text| all + &text)
}

/// The errors that the delivery table requires, with fields and without.
fn errors_of_the_table() -> impl Iterator<Item = Error> {
    deliveries().into_iter().filter_map(|vector| {
        let headers = vector.headers.iter().map(|(name, value)| (name, value));
        let headers = DeliveryHeaders::parse(headers).ok()?;
        vector.verifier().verify(&headers, vector.body.clone()).err()
    })
}

/// Errors without fields.
const SIMPLE: [Error; 9] = [
    Error::MissingSignatureHeader,
    Error::MissingEventHeader,
    Error::InvalidSignatureHeader,
    Error::InvalidTimestamp,
    Error::VerifierUnavailable,
    Error::TimestampInFuture,
    Error::BodyTooLargeForServer,
    Error::BodyUnreadable,
    Error::InvalidSignature,
];

/// Errors that can't be constructed outside of core.
const WITH_FIELDS: [(u16, &str); 5] = [
    (401, "Webhook timestamp too old (<age> seconds)"),
    (413, "Webhook body larger than <limit> bytes"),
    (400, "Invalid JSON payload"),
    (400, "Event type mismatch: header says <h>, body says <b>"),
    (422, "Invalid <event type> payload"),
];
