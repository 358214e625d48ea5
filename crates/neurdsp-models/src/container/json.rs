//! JSON from outside: objects with duplicate keys kept, and messages that stay on one line.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::container::tensor::expect_finite;
use crate::error::{Error, Result};

/// The members of a JSON object in the order of the file, duplicates included.
pub(crate) struct Members<V>(pub(crate) Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        members(deserializer, usize::MAX).map(Members)
    }
}

/// The members of an object in the order of the file, duplicates included; reading stops at one member too many.
pub(crate) fn members<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    most: usize,
) -> std::result::Result<Vec<(String, V)>, D::Error> {
    struct Object<V>(usize, PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Object<V> {
        type Value = Vec<(String, V)>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                if members.len() == self.0 {
                    return Err(A::Error::custom(format!("more than {} members", self.0)));
                }
                members.push(member);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Object(most, PhantomData))
}

/// Text from outside made fit for a one-line message: control characters escaped, the length bounded.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let mut line = String::new();
    for (i, character) in text.chars().enumerate() {
        if i == LONGEST {
            line.push('…');
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// An error for a part of a document; its own line and column would count from the part, so they are left out.
pub(crate) fn malformed_member(path: &str, error: &serde_json::Error) -> Error {
    Error::malformed(path, one_line(&in_words(error)))
}

/// What a parser found wrong: in words that name no type of this code, without a position.
pub(crate) fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    if let Some((_, rest)) = text.split_once("invalid type: ").or(text.split_once("invalid value: "))
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        return format!("it is {}, but must be {}", found_in_words(found), expected_in_words(expected));
    }
    if let Some((found, expected)) =
        text.strip_prefix("invalid length ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("it has {found} elements, but must be {}", expected_in_words(expected));
    }
    let quoted = text.split('`').nth(1).unwrap_or_default();
    if text.starts_with("missing field") {
        return format!("{quoted} is missing");
    }
    if text.starts_with("duplicate field") {
        return format!("{quoted} is defined twice");
    }
    if text.starts_with("unknown ") {
        let known: Vec<_> = text.split('`').skip(3).step_by(2).collect();
        return match known.as_slice() {
            [] => format!("{quoted} is not known"),
            known => format!("{quoted} is not known; known: {}", known.join(", ")),
        };
    }
    let words = match text {
        "EOF while parsing a list" => "it ends within a list",
        "EOF while parsing an object" => "it ends within an object",
        "EOF while parsing a string" => "it ends within a text",
        "EOF while parsing a value" => "it ends where a value belongs",
        "expected value" => "there is no value where one belongs",
        "expected ident" => "there is a word other than true, false and null",
        "expected `:`" => "a colon is missing",
        "expected `,` or `]`" => "a comma or the end of a list is missing",
        "expected `,` or `}`" => "a comma or the end of an object is missing",
        "key must be a string" => "a key is not in double quotes",
        "trailing comma" => "there is a comma too many before a closing bracket",
        "trailing characters" => "there is more text after its end",
        "invalid escape" => "a text has a backslash that stands for nothing",
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            "a text has an incomplete \\u escape"
        }
        "recursion limit exceeded" => "lists or objects are nested too deeply",
        other if other.starts_with("control character") => {
            "a text holds a line break or another control character"
        }
        other => return other.replace('`', ""),
    };
    words.to_owned()
}

fn found_in_words(found: &str) -> String {
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" => "null".to_owned(),
        _ => match found.strip_prefix("string ") {
            Some(text) => format!("the text {text}"),
            // Numbers and truth values are between back-quotes.
            None => found.split('`').nth(1).unwrap_or(found).to_owned(),
        },
    }
}

fn expected_in_words(expected: &str) -> String {
    let words = match expected {
        "a map" => "an object",
        "a sequence" => "a list",
        "a string" | "a borrowed string" | "string or map" => "text",
        "a boolean" => "true or false",
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "any valid JSON value" => "a value",
        other if other.starts_with("struct ") => "an object",
        other if other.starts_with("enum ") => "one of the names of the format",
        other if other.starts_with("an array of length ") || other.starts_with("a tuple of size ") => {
            let length = other.rsplit(' ').next().unwrap_or_default();
            return format!("a list of {length} elements");
        }
        other => other,
    };
    words.to_owned()
}

/// The elements of a list, unparsed, of which there must be so many; reading stops at one element too many.
pub(crate) fn elements<'a>(
    path: &str,
    json: &'a RawValue,
    count: RangeInclusive<usize>,
) -> Result<Vec<&'a RawValue>> {
    struct Elements(RangeInclusive<usize>);

    impl<'de> Visitor<'de> for Elements {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            let at_most = if self.0.start() < self.0.end() { "at most " } else { "" };
            write!(f, "a list of {at_most}{} elements", self.0.end())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = list.next_element()? {
                if elements.len() == *self.0.end() {
                    return Err(A::Error::custom(format!("more than {} elements", self.0.end())));
                }
                elements.push(element);
            }
            if elements.len() < *self.0.start() {
                let (found, least) = (elements.len(), self.0.start());
                return Err(A::Error::custom(format!("{found} elements, but must have {least}")));
            }
            Ok(elements)
        }
    }

    serde_json::Deserializer::from_str(json.get())
        .deserialize_seq(Elements(count))
        .map_err(|error| malformed_member(path, &error))
}

/// The finite numbers of nested arrays of the given shape, row-major; reads no further than one element too many.
pub(crate) fn numbers(path: &str, json: &RawValue, shape: &[usize]) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    let seed = Nested { shape, values: &mut values };
    seed.deserialize(&mut serde_json::Deserializer::from_str(json.get()))
        .map_err(|error| malformed_member(path, &error))?;
    expect_finite(path, &values)?;
    Ok(values)
}

/// Reads one level of nested arrays; an empty shape is a number.
struct Nested<'s> {
    shape: &'s [usize],
    values: &'s mut Vec<f32>,
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        if self.shape.is_empty() {
            self.values.push(f32::deserialize(deserializer)?);
            return Ok(());
        }
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "an array of shape {:?}", self.shape)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<(), A::Error> {
        let Some((&length, inner)) = self.shape.split_first() else {
            return Err(A::Error::custom("an array where a number belongs"));
        };
        let wrong =
            |got: String| A::Error::custom(format!("{got} elements in an array of shape {:?}", self.shape));
        for i in 0..length {
            if seq.next_element_seed(Nested { shape: inner, values: self.values })?.is_none() {
                return Err(wrong(i.to_string()));
            }
        }
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(wrong(format!("more than {length}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{Members, elements, members};

    #[test]
    fn a_list_has_as_many_elements_as_are_allowed() {
        let found = |text: &str, count| {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            elements("layers", json, count).map(|items| items.len()).map_err(|error| error.to_string())
        };
        assert_eq!((found("[1, [2]]", 2..=2), found("[]", 0..=3)), (Ok(2), Ok(0)));
        for (text, count, expected) in [
            ("[1]", 2..=2, "layers is malformed: 1 elements, but must have 2"),
            ("[1, 2, 3]", 2..=2, "layers is malformed: more than 2 elements"),
            ("[1, 2, 3, 4]", 0..=3, "layers is malformed: more than 3 elements"),
            ("7", 2..=2, "layers is malformed: it is 7, but must be a list of 2 elements"),
            ("{}", 0..=3, "layers is malformed: it is an object, but must be a list of at most 3 elements"),
        ] {
            assert_eq!(found(text, count).unwrap_err(), expected);
        }
    }

    #[test]
    fn members_are_read_in_order_with_duplicates_up_to_a_limit() {
        let text = r#"{"b": 1, "a": 2, "b": 3}"#;
        let Members(all) = serde_json::from_str::<Members<u8>>(text).unwrap();
        assert_eq!(all, [("b", 1), ("a", 2), ("b", 3)].map(|(key, value)| (key.to_owned(), value)));
        let bounded = |most| members::<u8, _>(&mut serde_json::Deserializer::from_str(text), most);
        assert_eq!(bounded(3).unwrap().len(), 3);
        assert!(bounded(2).unwrap_err().to_string().starts_with("more than 2 members"));
    }
}
