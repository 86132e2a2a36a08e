//! The argument `--expect`.

use std::{fmt, str::FromStr};

use http::StatusCode;

/// The expected statuses, such as `2xx`, `401`, `2xx,409` or `2xx|409`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExpectedStatus {
    text: String,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pattern {
    /// The first digit.
    Class(u16),
    Status(u16),
}

impl ExpectedStatus {
    pub(crate) fn includes(&self, status: StatusCode) -> bool {
        let status = status.as_u16();
        self.patterns.iter().any(|pattern| match *pattern {
            Pattern::Class(class) => status / 100 == class,
            Pattern::Status(expected) => status == expected,
        })
    }
}

impl FromStr for ExpectedStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let patterns = text
            .split([',', '|'])
            .map(|text| Pattern::from_str(text.trim_matches(' ')))
            .collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), patterns })
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not a status such as 2xx, 401 or 2xx,409".to_owned();
        if text.len() != 3 || !text.starts_with(|digit: char| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            let class = class.parse().map_err(|_| wrong())?;
            return if (1..=5).contains(&class) { Ok(Self::Class(class)) } else { Err(wrong()) };
        }
        let status = text.parse().map_err(|_| wrong())?;
        if (100..=599).contains(&status) { Ok(Self::Status(status)) } else { Err(wrong()) }
    }
}

impl fmt::Display for ExpectedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(expected: &str, status: u16) -> bool {
        ExpectedStatus::from_str(expected).unwrap().includes(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn a_class_a_status_or_several_can_be_expected() {
        assert!(includes("2xx", 200) && includes("2xx", 299) && !includes("2xx", 300));
        assert!(includes("401", 401) && !includes("401", 400));
        assert!(includes("2xx, 409", 409) && includes("2xx,409", 204) && !includes("2xx,409", 410));
        assert!(includes("2xx|401", 401) && includes("2xx|401", 200));
        for wrong in ["", "2x", "xx", "9xx", "+2xx", "99", "+401", "600", "ok", "2xx,", "2xx,\t401"]
        {
            assert!(ExpectedStatus::from_str(wrong).is_err(), "{wrong}");
        }
    }
}
