//! Text from outside: its encoding, its syntax as JSON, and where in it something is wrong.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::container::json::{Members, in_words};
use crate::error::{Error, Result};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes without a byte-order mark of UTF-8, which some editors put in front.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// The bytes as text, without a byte-order mark.
///
/// # Errors
/// Bytes that are not UTF-8, with line, column and value of the first.
pub(crate) fn plain_text<'a>(what: &str, bytes: &'a [u8]) -> Result<&'a str> {
    let bytes = without_mark(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let (line, column) = position(bytes, at);
        let byte = bytes.get(at).copied().unwrap_or_default();
        let reason = format!(
            "the byte {byte:02X} at line {line}, column {column} is not UTF-8, \
             as if the text were Latin-1 or Windows-1252; save it as UTF-8, or get the file again"
        );
        Error::malformed(what, reason)
    })
}

/// Checks that a text is one JSON value.
///
/// # Errors
/// What is wrong, with line and column.
pub(crate) fn check_json(what: &str, text: &str) -> Result<()> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let Err(error) = IgnoredAny::deserialize(&mut reader).and_then(|_| reader.end()) else { return Ok(()) };
    let (line, column) = (error.line(), error.column());
    let text_of_line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    // The parser counts bytes, and may have read the first letter of a word.
    let from = text_of_line.as_bytes().get(column.saturating_sub(2)..).unwrap_or_default();
    let near = &from[..from.len().min(12)];
    let holds = |word: &[u8]| near.windows(word.len()).any(|window| window == word);
    let characters = String::from_utf8_lossy(&text_of_line.as_bytes()[..column.min(text_of_line.len())]);
    let place = format!("at line {line}, column {}", characters.chars().count().max(1));
    // What the parser tripped over, and what stands before it.
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = (start + column.saturating_sub(1)).min(text.len());
    let (before, after) = text.as_bytes().split_at(at);
    let closes = matches!(after.first(), Some(b']' | b'}'));
    let comma = before.iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b',');
    let reason = if closes && comma {
        format!(
            "there is a comma too many before the closing bracket at line {line}, column {}; delete it, or get the file again",
            characters.chars().count().max(1)
        )
    } else if error.is_eof() {
        format!(
            "{}, {place}: it was cut off; get the file again, or export the model again",
            in_words(&error)
        )
    } else if holds(b"NaN") || holds(b"Inf") || holds(b"nan") || holds(b"inf") {
        format!(
            "NaN and Infinity are not JSON numbers, but there is one {place}; the training diverged, \
             train the model again"
        )
    } else {
        format!("{} {place}; get the file again, or export the model again", in_words(&error))
    };
    Err(Error::malformed(what, reason))
}

/// Line and column of a byte, both from 1; columns count characters.
pub(crate) fn position(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

/// An error with line and column in the text that it is about, if it names a part of it by its path.
pub(crate) fn in_text(error: Error, text: &[u8]) -> Error {
    let path = match &error {
        Error::Malformed { what, .. } | Error::Unsupported { what, .. } | Error::TooLarge { what, .. } => {
            what.clone()
        }
        Error::OutOfRange { name, .. } | Error::Duplicate { name } => name.clone(),
        Error::NonFinite { name, index, .. } => format!("{name}[{index}]"),
        _ => return error,
    };
    // A quantity of a part is named as "the length of the part".
    let part = path.rsplit_once(" of ").map_or("", |(_, part)| part);
    match locate(text, &path).or_else(|| locate(text, part)) {
        Some((line, column)) => Error::InText { line, column, source: Box::new(error) },
        None => error,
    }
}

/// Line and column of the value at a path such as `config.layers[0].channels`, or of the nearest one around it that is
/// there; `None` if the path does not begin in this text.
pub(crate) fn locate(bytes: &[u8], path: &str) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(without_mark(bytes)).ok()?;
    let mut here: &RawValue = serde_json::from_str(text).ok()?;
    let mut rest = path;
    while let Some((inner, after)) = step(here, rest) {
        (here, rest) = (inner, after);
    }
    if rest.len() == path.len() {
        return None;
    }
    // Both are parts of the same text.
    let at = (here.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    Some(position(text.as_bytes(), at))
}

/// The member or element that a path begins with, and the path from there on.
fn step<'a, 'p>(here: &'a RawValue, path: &'p str) -> Option<(&'a RawValue, &'p str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if let Some((index, after)) = path.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let index: usize = index.parse().ok()?;
        let elements: Vec<&RawValue> = serde_json::from_str(here.get()).ok()?;
        return Some((elements.get(index).copied()?, after));
    }
    let Members(members) = serde_json::from_str::<Members<&RawValue>>(here.get()).ok()?;
    let begins = |key: &str| {
        path.strip_prefix(key).filter(|after| after.is_empty() || after.starts_with(['.', '[', ' ']))
    };
    // The longest key, since keys may hold dots themselves.
    let found = members
        .iter()
        .filter(|(key, _)| !key.is_empty())
        .filter_map(|(key, json)| begins(key).map(|after| (key.len(), (*json, after))));
    found.max_by_key(|(length, _)| *length).map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &[u8]) -> String {
        match plain_text("it", text).and_then(|text| check_json("it", text)) {
            Ok(()) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        let cases: [(&[u8], &str); 12] = [
            (
                b"{\"a\": [1,\n 2,]}",
                "there is a comma too many before the closing bracket at line 2, column 4",
            ),
            (b"{\"a\": 1,\n}", "there is a comma too many before the closing bracket at line 2, column 1"),
            (b"{\"a\": [1,\n 2", "it ends within a list, at line 2, column 2: it was cut off"),
            (b"{\"a\": \"b", "it ends within a text, at line 1, column 8: it was cut off"),
            (b"{\"a\"", "it ends within an object, at line 1, column 4: it was cut off"),
            (b"", "it ends where a value belongs, at line 1, column 1: it was cut off"),
            (b"[1, NaN]", "NaN and Infinity are not JSON numbers, but there is one at line 1, column 5"),
            (
                b"[1,\n-Infinity]",
                "NaN and Infinity are not JSON numbers, but there is one at line 2, column 2",
            ),
            (b"{'a': 1}", "a key is not in double quotes at line 1, column 2"),
            (b"{} {}", "there is more text after its end at line 1, column 4"),
            (b"{\n\"\xC3\xA9\": \"\xE9\"}", "the byte E9 at line 2, column 7 is not UTF-8"),
            (b"\xFF\xFE{\0}\0", "the byte FF at line 1, column 1 is not UTF-8"),
        ];
        for (text, expected) in cases {
            let got = refusal(text);
            assert!(got.starts_with(&format!("it is malformed: {expected}")), "{got:?} is not {expected:?}");
        }
        assert_eq!(refusal(b"\xEF\xBB\xBF{\"a\": 1}\n"), "nothing");
    }

    #[test]
    fn a_path_is_found_in_the_text_or_the_nearest_part_that_is_there() {
        let text = "\u{FEFF}{\"a\": {\"b.c\": [1,\n  {\"d\": 2}]},\n \"b\": 3}".as_bytes();
        let cases = [
            ("a", Some((1, 7))),
            ("a.b.c[0]", Some((1, 16))),
            ("a.b.c[1].d", Some((2, 9))),
            ("a.b.c[1].e", Some((2, 3))),
            ("a.b.c[7]", Some((1, 15))),
            ("b", Some((3, 7))),
            ("b variance", Some((3, 7))),
            ("c", None),
        ];
        for (path, expected) in cases {
            assert_eq!(locate(text, path), expected, "{path}");
        }
    }
}
