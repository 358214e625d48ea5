//! Reading JSON objects and lists of a model part by part, each bounded, each error with its path.

use std::cell::Cell;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::amp::nam::in_range;
use crate::container::json::{elements, malformed_member, members, one_line};
use crate::container::tensor::expect_finite;
use crate::container::text::{check_json, plain_text};
use crate::error::{Error, Result};

/// The most members of one object.
const MAX_MEMBERS: usize = 256;

/// The members of one object, not yet parsed, with the path of the object for messages.
pub(crate) struct Fields<'a> {
    /// The path of the object, such as `config.layers[0]`.
    pub(crate) path: String,
    /// The members in the order of the file.
    pub(crate) members: Vec<(String, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// Takes an object apart.
    pub(crate) fn new(path: impl Into<String>, json: &'a RawValue) -> Result<Fields<'a>> {
        let path = path.into();
        let mut reader = serde_json::Deserializer::from_str(json.get());
        let members = members(&mut reader, MAX_MEMBERS).map_err(|error| malformed_member(&path, &error))?;
        Fields::checked(path, members)
    }

    /// Takes the root object of a text apart, after checking that all of it is JSON. A byte-order mark is passed over.
    pub(crate) fn root(what: &str, text: &'a [u8]) -> Result<Fields<'a>> {
        let text = plain_text(what, text)?;
        check_json(what, text)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let members = members(&mut reader, MAX_MEMBERS).map_err(|error| malformed_member(what, &error))?;
        Fields::checked(String::new(), members)
    }

    fn checked(path: String, members: Vec<(String, &'a RawValue)>) -> Result<Fields<'a>> {
        for (i, (key, _)) in members.iter().enumerate() {
            if members[..i].iter().any(|(earlier, _)| earlier == key) {
                return Err(Error::Duplicate { name: join(&path, &one_line(key)) });
            }
        }
        Ok(Fields { path, members })
    }

    /// The path of a member.
    pub(crate) fn at(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// A member that is there and not null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, json)| *json).filter(|json| !is_null(json))
    }

    /// A member that must be there.
    pub(crate) fn require(&self, key: &str) -> Result<&'a RawValue> {
        self.get(key).ok_or_else(|| {
            Error::malformed(
                self.at(key),
                "it is missing; export the model again from the program that made it",
            )
        })
    }

    /// A member that must be there, taken apart.
    pub(crate) fn object(&self, key: &str) -> Result<Fields<'a>> {
        Fields::new(self.at(key), self.require(key)?)
    }

    /// A member of a simple type that must be there.
    pub(crate) fn value<T: Deserialize<'a>>(&self, key: &str) -> Result<T> {
        value(&self.at(key), self.require(key)?)
    }

    /// A member of a simple type, or a default where it is absent or null.
    pub(crate) fn value_or<T: Deserialize<'a>>(&self, key: &str, default: T) -> Result<T> {
        self.get(key).map_or(Ok(default), |json| value(&self.at(key), json))
    }

    /// A whole number that must be there, within a range.
    pub(crate) fn count(&self, key: &str, range: RangeInclusive<usize>) -> Result<usize> {
        count(&self.at(key), self.require(key)?, range)
    }

    /// A whole number within a range, or a default where it is absent or null.
    pub(crate) fn count_or(&self, key: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize> {
        self.get(key).map_or(Ok(default), |json| count(&self.at(key), json, range))
    }

    /// A list of whole numbers within a range.
    pub(crate) fn counts(
        &self,
        key: &str,
        longest: usize,
        range: RangeInclusive<usize>,
    ) -> Result<Vec<usize>> {
        let path = self.at(key);
        let items = elements(&path, self.require(key)?, 0..=longest)?;
        let item = |(i, json): (usize, _)| count(&format!("{path}[{i}]"), json, range.clone());
        items.into_iter().enumerate().map(item).collect()
    }

    /// A finite number, or a default where it is absent or null.
    pub(crate) fn float_or(&self, key: &str, default: f32) -> Result<f32> {
        let number = self.value_or(key, default)?;
        expect_finite(&self.at(key), &[number])?;
        Ok(number)
    }
}

/// Whether a value is a list.
pub(crate) fn is_list(json: &RawValue) -> bool {
    json.get().starts_with('[')
}

/// Whether a value is text.
pub(crate) fn is_text(json: &RawValue) -> bool {
    json.get().starts_with('"')
}

fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value of a simple type.
pub(crate) fn value<'a, T: Deserialize<'a>>(path: &str, json: &'a RawValue) -> Result<T> {
    serde_json::from_str(json.get()).map_err(|error| malformed_member(path, &error))
}

fn count(path: &str, json: &RawValue, range: RangeInclusive<usize>) -> Result<usize> {
    // Some writers give whole numbers as 8.0; those beyond 2^53 are far outside every range.
    let number = match value::<usize>(path, json) {
        Ok(number) => number,
        Err(error) => match value::<f64>(path, json) {
            Ok(number) if number.fract() == 0.0 && (0.0..9e15).contains(&number) => number as usize,
            _ => {
                let got = one_line(json.get());
                let expected = format!("a whole number from {} to {}", range.start(), range.end());
                let _ = error;
                return Err(Error::OutOfRange { name: path.to_owned(), got, expected });
            }
        },
    };
    in_range(path, number, range)?;
    Ok(number)
}

/// The flat list of weights: exactly `expected` finite numbers. Any further ones are counted, not kept.
pub(crate) fn weights(path: &str, json: &RawValue, expected: usize) -> Result<Vec<f32>> {
    struct Weights<'c>(usize, &'c Cell<usize>);

    impl<'de> Visitor<'de> for Weights<'_> {
        type Value = (Vec<f32>, usize);

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a list of numbers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
            let mut values = Vec::new();
            while values.len() < self.0 {
                self.1.set(values.len());
                match list.next_element()? {
                    Some(value) => values.push(value),
                    None => break,
                }
            }
            let mut found = values.len();
            while list.next_element::<IgnoredAny>()?.is_some() {
                found += 1;
            }
            Ok((values, found))
        }
    }

    let reached = Cell::new(0);
    let (values, found) = serde_json::Deserializer::from_str(json.get())
        .deserialize_seq(Weights(expected, &reached))
        .map_err(|error| match is_list(json) {
            true => malformed_member(&format!("{path}[{}]", reached.get()), &error),
            false => malformed_member(path, &error),
        })?;
    if found != expected {
        return Err(wrong_count(path, found, expected));
    }
    expect_finite(path, &values)?;
    Ok(values)
}

/// The error for a list whose length differs from what its config requires.
pub(crate) fn wrong_count(path: &str, found: usize, expected: usize) -> Error {
    let reason = format!(
        "it has {found} values, but the config asks for {expected}; \
         the file was cut short or its config was edited: export the model again"
    );
    Error::malformed(path, reason)
}
