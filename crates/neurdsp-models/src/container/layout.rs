//! The header of a model file: which tensors it holds, of which type and shape, and where their bytes lie.
//!
//! The layout is that of safetensors: eight bytes of header length (little endian), the header (a JSON object of
//! tensors, each with its type, shape and place, and of metadata), then the data without holes:
//! <https://github.com/huggingface/safetensors#format>.
//!
//! Every size is checked against its bound, and against the bytes that are there, before anything of that size is
//! allocated.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::container::bounds::{MAX_AXES, MAX_FILE_BYTES, MAX_HEADER_BYTES, MAX_TENSORS, at_most};
use crate::container::json::{Members, in_words, one_line};
use crate::container::open::open;
use crate::container::tensor::element_count;
use crate::container::values::DType;
use crate::error::{Error, Result};

/// The member of the header that is not a tensor.
pub(crate) const METADATA: &str = "__metadata__";

/// What a model file holds, without the values.
///
/// # Example
/// ```
/// use neurdsp_models::{DType, Layout, ModelFile, Tensor};
/// let mut file = ModelFile::default();
/// file.tensors.insert("gain".into(), Tensor::new(vec![1], vec![0.5])?);
/// let bytes = file.to_bytes()?;
/// let layout = Layout::from_bytes(&bytes)?;
/// let place = &layout.tensors["gain"];
/// assert_eq!((place.dtype, place.shape.as_slice()), (DType::F32, [1].as_slice()));
/// assert_eq!(bytes[place.offset as usize..], 0.5_f32.to_le_bytes());
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Text by key.
    pub metadata: BTreeMap<String, String>,
    /// Types, shapes and places by name.
    pub tensors: BTreeMap<String, Place>,
}

/// The type, the shape and the place of a tensor in a file.
///
/// The bytes are little endian, row-major and complete; a program that maps the file into memory finds them there. The
/// offset within the data is a multiple of the value's size, and files of this crate start their data at a multiple of
/// eight bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The type of the values.
    pub dtype: DType,
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The number of values: the product of the shape.
    pub count: usize,
    /// The first byte, counted from the start of the file.
    pub offset: u64,
}

/// A tensor as the header describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

type NamedEntry = (String, Entry);

impl Layout {
    /// Reads the header of a file and checks it against the length of the file.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the file cannot be read, is malformed, truncated or too large, or has a tensor
    /// of a type that [`DType`] does not name.
    pub fn read(path: impl AsRef<Path>) -> Result<Layout> {
        let path = path.as_ref();
        let read = || {
            let (file, length) = open(path)?;
            Layout::from_reader(&mut BufReader::new(file), length)
        };
        read().map_err(|error: Error| error.in_file(path))
    }

    /// Reads the header in the bytes of a file.
    ///
    /// # Errors
    /// As [`read`](Self::read), without the path.
    pub fn from_bytes(bytes: &[u8]) -> Result<Layout> {
        Layout::from_reader(&mut &*bytes, bytes.len() as u64)
    }

    /// Takes the header from a reader of `length` bytes, and leaves it at the start of the data.
    pub(crate) fn from_reader(reader: &mut impl Read, length: u64) -> Result<Layout> {
        let io = |source| Error::Io { action: "read the file", source };
        at_most("the size of the file in bytes", length, MAX_FILE_BYTES)?;
        if length < 8 {
            return Err(Error::malformed("the file", format!("{length} bytes are too few for a model file")));
        }
        let mut header_length = [0; 8];
        reader.read_exact(&mut header_length).map_err(io)?;
        let header_length = u64::from_le_bytes(header_length);
        at_most("the size of the header in bytes", header_length, MAX_HEADER_BYTES)?;
        let Some(data_length) = (length - 8).checked_sub(header_length) else {
            let reason =
                format!("it ends within its header of {header_length} bytes; the file was truncated");
            return Err(Error::malformed("the file", reason));
        };
        let mut header = vec![0; header_length as usize];
        reader.read_exact(&mut header).map_err(io)?;
        let (metadata, entries) = parse_header(&header)?;
        let tensors = check_places(entries, 8 + header_length, data_length)?;
        Ok(Layout { metadata, tensors })
    }

    /// The tensors in the order of their bytes.
    pub(crate) fn in_file_order(&self) -> Vec<(&String, &Place)> {
        let mut places: Vec<_> = self.tensors.iter().collect();
        places.sort_by_key(|(_, place)| place.offset);
        places
    }
}

/// Takes the header apart, with the tensors still in the order of the header.
fn parse_header(header: &[u8]) -> Result<(BTreeMap<String, String>, Vec<NamedEntry>)> {
    let malformed = |reason: String| Error::malformed("the header", one_line(&reason));
    let text = std::str::from_utf8(header).map_err(|error| malformed(error.to_string()))?;
    if !text.starts_with('{') {
        return Err(malformed("it does not start with '{'; this is not a safetensors file".to_owned()));
    }
    let Members(members) =
        serde_json::from_str::<Members<&RawValue>>(text).map_err(|error| malformed(in_words(&error)))?;
    at_most("the number of tensors", members.len() as u64, MAX_TENSORS + 1)?;

    let mut seen = BTreeSet::new();
    let mut metadata = BTreeMap::new();
    let mut entries = Vec::new();
    for (name, value) in members {
        check_name("a tensor's name", &name)?;
        if !seen.insert(name.clone()) {
            return Err(Error::Duplicate { name: format!("the tensor {name}") });
        }
        let what = |error: serde_json::Error| {
            Error::malformed(format!("the header's entry {name}"), one_line(&in_words(&error)))
        };
        if name == METADATA {
            let Members(pairs) = serde_json::from_str::<Members<String>>(value.get()).map_err(what)?;
            for (key, text) in pairs {
                check_name("a metadata key", &key)?;
                if metadata.contains_key(&key) {
                    return Err(Error::Duplicate { name: format!("the metadata key {key}") });
                }
                metadata.insert(key, text);
            }
        } else {
            let entry: Entry = serde_json::from_str(value.get()).map_err(what)?;
            entries.push((name, entry));
        }
    }
    Ok((metadata, entries))
}

/// Checks types, shapes and places against the bytes that are there.
fn check_places(
    mut entries: Vec<NamedEntry>,
    data_start: u64,
    data_length: u64,
) -> Result<BTreeMap<String, Place>> {
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut places = BTreeMap::new();
    let mut end_of_last = 0_u64;
    for (name, Entry { dtype, shape, data_offsets: [begin, end] }) in entries {
        let Some(dtype) = DType::from_name(&dtype) else {
            return Err(Error::TensorType {
                name,
                dtype: one_line(&dtype),
                expected: "F32, F16, BF16 or I8",
            });
        };
        at_most(&format!("the number of axes of the tensor {name}"), shape.len() as u64, MAX_AXES)?;
        let malformed = |reason| Error::malformed(format!("the tensor {name}"), reason);
        let size = dtype.size() as u64;
        let Some(count) = element_count(&shape).filter(|count| *count as u64 <= MAX_FILE_BYTES / size) else {
            return Err(malformed(format!("its shape {shape:?} is larger than any file")));
        };
        if end.checked_sub(begin) != Some(count as u64 * size) {
            return Err(malformed(format!(
                "data_offsets [{begin}, {end}] do not fit its shape {shape:?} in {dtype}"
            )));
        }
        if begin != end_of_last {
            let reason =
                format!("its data start at byte {begin}, but the data before it end at {end_of_last}");
            return Err(malformed(reason));
        }
        if !begin.is_multiple_of(size) {
            return Err(malformed(format!(
                "its data start at byte {begin}, which is not aligned to the {size} bytes of {dtype}"
            )));
        }
        end_of_last = end;
        places.insert(name, Place { dtype, shape, count, offset: data_start + begin });
    }
    if end_of_last != data_length {
        let reason = format!(
            "its header describes {end_of_last} bytes of data, but {data_length} are there; it was damaged"
        );
        return Err(Error::malformed("the file", reason));
    }
    Ok(places)
}

/// Names end up in messages and tables: they must be printable.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.chars().any(char::is_control) {
        let reason = format!("{:?} is empty or has control characters", one_line(name));
        return Err(Error::malformed(what, reason));
    }
    Ok(())
}
