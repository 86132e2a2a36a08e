//! Reports the rules, and the verdict at the end.

use serde::Serialize;

use super::{
    rules::{Judgment, RULES, State},
    search::{Cause, Finding},
};
use crate::{
    escape,
    exit::{Exit, Failure},
    output::{BAD, DIM, GOOD, Output, WARNING},
};

/// One rule, as JSON.
#[derive(Serialize)]
struct RuleRecord<'a> {
    rule: &'a str,
    state: &'a str,
    says: &'a str,
    error: Option<&'a str>,
}

/// The last line, as JSON.
#[derive(Serialize)]
struct VerdictRecord<'a> {
    verdict: &'a str,
    /// The first rule that failed.
    rule: Option<&'a str>,
    error: Option<String>,
    causes: &'a [Cause],
    ruled_out: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_tried: &'a [String],
}

/// Reports each rule.
pub(super) fn rules(output: &Output, judgment: &Judgment) -> Result<(), Failure> {
    for (index, ((rule, says), state)) in RULES.iter().zip(judgment.states).enumerate() {
        let error = judgment.text(index).filter(|_| state == State::Failed);
        let (style, state) = match state {
            State::Passed => (GOOD, "passed"),
            State::Failed => (BAD, "failed"),
            State::NotReached => (DIM, "not reached"),
        };
        output.record(&RuleRecord { rule, state, says, error: error.as_deref() })?;
        let text = error.map_or_else(|| (*says).to_owned(), |error| escape::text(&error));
        output.data(format_args!("rule {rule:<2}  {style}{state:<11}{style:#}  {text}"))?;
    }
    Ok(())
}

/// Reports the verdict, and what broke the signature.
pub(super) fn verdict(
    output: &Output,
    judgment: &Judgment,
    finding: &Finding,
) -> Result<Exit, Failure> {
    let failed = judgment.failed_rule();
    let verdict = match failed {
        None => "verified",
        Some("5") if finding.causes.is_empty() => "unexplained",
        Some("5") => "proven",
        Some(_) => "refused",
    };
    output.record(&VerdictRecord {
        verdict,
        rule: failed,
        error: judgment.error.as_ref().map(ToString::to_string),
        causes: &finding.causes,
        ruled_out: &finding.ruled_out,
        not_tried: &finding.not_tried,
    })?;
    output.data("")?;
    match failed {
        None => output.data(format_args!(
            "{GOOD}verified{GOOD:#}: a receiver with this secret accepts the delivery"
        ))?,
        Some("5") => {}
        Some(rule) => output.data(format_args!("{BAD}refused{BAD:#} by rule {rule}"))?,
    }
    if judgment.is_signature_wrong() {
        signature(output, finding)?;
    }
    Ok(if failed.is_none() { Exit::AsExpected } else { Exit::Negative })
}

fn signature(output: &Output, finding: &Finding) -> Result<(), Failure> {
    for cause in &finding.causes {
        output.data(format_args!("{GOOD}proven{GOOD:#}: the signature matches with"))?;
        for (what, words) in
            [("secret", &cause.secret), ("body", &cause.body), ("content", &cause.content)]
        {
            let words = words.as_deref().unwrap_or("as given");
            output.data(format_args!("  {what:<8} {}", escape::text(words)))?;
        }
        output.data(format_args!("fix: {}", cause.fix))?;
    }
    if !finding.causes.is_empty() {
        return Ok(());
    }
    output.data(format_args!("{WARNING}unexplained{WARNING:#}: the cause is none of these"))?;
    for ruled_out in &finding.ruled_out {
        output.data(format_args!("  {ruled_out}"))?;
    }
    if !finding.not_tried.is_empty() {
        output.data("not tried:")?;
        for not_tried in &finding.not_tried {
            output.data(format_args!("  {not_tried}"))?;
        }
    }
    output.data(
        "next: check that this is the secret of the subscription. Then run the command in front of the \
         application,\n  pierre-webhook listen --save wire --forward-to URL\nlet the application write the bytes \
         that it verifies to a file, and compare:\n  pierre-webhook explain --wire wire/FILE.json --app FILE",
    )
}
