//! `vectors/json_test_suite.json`: texts that are JSON, or are not.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;

pub struct Text {
    pub name: String,
    pub bytes: Bytes,
}

/// Returns all texts.
pub fn texts() -> Vec<Text> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        text: Option<String>,
        base64: Option<String>,
        repeat: Option<Repeat>,
    }
    #[derive(Deserialize)]
    struct Repeat {
        text: String,
        count: usize,
        suffix: String,
    }

    let rows: Vec<Row> =
        serde_json::from_str(include_str!("../vectors/json_test_suite.json")).expect("the texts");
    rows.into_iter()
        .map(|row| Text {
            bytes: match (row.text, row.base64, row.repeat) {
                (Some(text), None, None) => text.into(),
                (None, Some(base64), None) => STANDARD.decode(base64).expect("base64").into(),
                (None, None, Some(Repeat { text, count, suffix })) => {
                    (text.repeat(count) + &suffix).into()
                }
                _ => panic!("{}: one of text, base64 and repeat", row.name),
            },
            name: row.name,
        })
        .collect()
}
