//! The times of payloads.

/// What a text is as a time.
#[derive(Debug, PartialEq)]
pub(super) enum Time {
    /// RFC 3339, in nanoseconds since the epoch.
    At(i128),
    /// May be refused, or be read as whatever time.
    Either,
    Wrong,
}

const SECOND: i128 = 1_000_000_000;
/// 9999-12-30T22:00:00.999999999Z, the last that the time type holds.
const LAST: i128 = 253_402_207_200 * SECOND + 999_999_999;

pub(super) fn read(text: &str) -> Time {
    match Rfc3339::split(text) {
        Some(time) => time.judge(),
        None if is_iso_8601(text) => Time::Either,
        None => Time::Wrong,
    }
}

/// The numbers of `2024-01-20T10:30:00.5+02:00`, which may be out of their ranges.
struct Rfc3339<'a> {
    /// Year, month, day, hour, minute, second.
    numbers: [i128; 6],
    fraction: &'a str,
    is_west: bool,
    /// Hours and minutes.
    offset: [i128; 2],
}

impl<'a> Rfc3339<'a> {
    fn split(text: &'a str) -> Option<Self> {
        const DATE_TIME: &str = "0000-00-00T00:00:00";

        let (date_time, rest) = text.split_at_checked(DATE_TIME.len())?;
        if shape(date_time).to_uppercase() != DATE_TIME {
            return None;
        }
        let end = rest.find(['Z', 'z', '+', '-'])?;
        let (fraction, offset) = rest.split_at(end);
        let fraction = match fraction.strip_prefix('.') {
            Some(digits) if !digits.is_empty() && is_digits(digits) => digits,
            None if fraction.is_empty() => "",
            _ => return None,
        };
        let (is_west, offset) = match &*shape(offset) {
            "Z" | "z" => (false, [0, 0]),
            "+00:00" => (false, [number(&offset[1..3]), number(&offset[4..6])]),
            "-00:00" => (true, [number(&offset[1..3]), number(&offset[4..6])]),
            _ => return None,
        };
        let part = |start: usize, end: usize| number(&date_time[start..end]);
        let numbers =
            [part(0, 4), part(5, 7), part(8, 10), part(11, 13), part(14, 16), part(17, 19)];
        Some(Self { numbers, fraction, is_west, offset })
    }

    fn judge(&self) -> Time {
        let [year, month, day, hour, minute, second] = self.numbers;
        let [offset_hours, offset_minutes] = self.offset;
        let is_in_range = (1..=12).contains(&month)
            && (1..=days_of_month(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 60
            && offset_hours <= 23
            && offset_minutes <= 59;
        if !is_in_range {
            return Time::Wrong;
        }
        let local =
            ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
        let offset = offset_hours * 3600 + offset_minutes * 60;
        let seconds = if self.is_west { local + offset } else { local - offset };
        let nanoseconds = number(&format!("{:0<9}", self.fraction));
        if second == 60 || self.fraction.len() > 9 {
            return Time::Either;
        }
        let time = seconds * SECOND + nanoseconds;
        if time > LAST { Time::Either } else { Time::At(time) }
    }
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i128, month: i128) -> i128 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of a month: counted, years from 0 on.
fn days_before(year: i128, month: i128) -> i128 {
    let days_of_year = |year| if is_leap(year) { 366 } else { 365 };
    let years = |from: i128, to: i128| (from..to).map(days_of_year).sum::<i128>();
    let months = (1..month).map(|month| days_of_month(year, month)).sum::<i128>();
    years(1970, year) - years(year, 1970) + months
}

/// Another spelling of date, time and offset that ISO 8601 knows; its numbers are not judged.
fn is_iso_8601(text: &str) -> bool {
    const DATES: &[&str] = &[
        "0000-00-00",
        "00000000",
        "0000-000",
        "0000000",
        "0000-W00-0",
        "0000W000",
        "000000-00-00",
        "0000000000",
    ];
    const TIMES: &[&str] = &["00", "00:00", "0000", "00:00:00", "000000"];
    const OFFSETS: &[&str] = &["Z", "00", "00:00", "0000", "00:00:00", "000000"];

    let shape = shape(text).to_uppercase().replace('\u{2212}', "-");
    let unsigned = shape.strip_prefix(['+', '-']).unwrap_or(&shape);
    let Some((date, time_and_offset)) = unsigned.split_once(['T', ' ']) else { return false };
    let Some(end) = time_and_offset.find(['Z', '+', '-']) else { return false };
    let (time, offset) = time_and_offset.split_at(end);
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    DATES.contains(&date)
        && TIMES.contains(&time)
        && !fraction.is_empty()
        && is_digits(fraction)
        && OFFSETS.contains(&offset.strip_prefix(['+', '-']).unwrap_or(offset))
}

/// The text with a `0` for each digit.
fn shape(text: &str) -> String {
    text.replace(|character: char| character.is_ascii_digit(), "0")
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Of so many digits as to be no time any more: a number that is none either.
fn number(digits: &str) -> i128 {
    digits.parse().unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_is_an_instant() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31t23:59:59z", -1),
            ("2024-02-29T12:30:00+02:30", 1_709_200_800),
            ("2024-02-29T07:30:00-02:30", 1_709_200_800),
            ("0000-01-01T00:00:00-00:00", -62_167_219_200),
            ("9999-12-30T22:00:00Z", 253_402_207_200),
        ] {
            assert_eq!(read(text), Time::At(seconds * SECOND), "{text}");
        }
        assert_eq!(read("1970-01-01T00:00:00.05Z"), Time::At(50_000_000));
    }

    #[test]
    fn what_the_protocol_leaves_open_is_either() {
        for text in [
            "2024-01-20 10:30:00Z",
            "20240120T103000Z",
            "2024-01-20T10:30Z",
            "2024-01-20T10:30:00+02",
            "+002024-01-20T10Z",
            "2024-01-20T10:30:00,5Z",
            "2024-01-20T10:30:60Z",
            "2024-01-20T10:30:00.1234567890Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(read(text), Time::Either, "{text}");
        }
    }

    #[test]
    fn all_else_is_wrong() {
        for text in [
            "",
            "2024-01-20",
            "2024-01-20T10:30:00",
            "2023-02-29T10:30:00Z",
            "2024-01-20T24:00:00Z",
            " 2024-01-20T10:30:00Z",
            "2024-01-20T10:30:00Z ",
            "1705746600",
            "2024-01-20T10:30:00+24:00",
            "2024-01-20T10:30:00+00:60",
            "2024-01-20T10:30:00Z[UTC]",
            "2024-01-20T10:30:00.Z",
            "2024-13-20T10:30:00Z",
            "2024-01-20T10:30:61Z",
            "2024-01-00T10:30:00Z",
            "é024-01-20T10:30:00Z",
        ] {
            assert_eq!(read(text), Time::Wrong, "{text}");
        }
    }
}
