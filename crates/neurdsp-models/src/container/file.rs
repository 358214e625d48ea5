//! The container of a model file: string metadata and F32 tensors in the safetensors layout.
//!
//! What the metadata means is the subject of [`crate::container::header`]. The layout is eight bytes of header length (little
//! endian), the header (a JSON object of tensors, each with its type, shape and place, and of metadata), then the data
//! without holes: <https://github.com/huggingface/safetensors#format>.
//!
//! A file is taken as hostile. Nothing is allocated before its size was checked against a bound and against the bytes
//! that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::container::atomic::write_atomically;
use crate::container::json::{Members, one_line};
use crate::container::tensor::{Tensor, Tensors, element_count};
use crate::error::{Error, Result};

/// The largest header, in bytes.
const MAX_HEADER_BYTES: u64 = 4 << 20;
/// The largest file, in bytes.
const MAX_FILE_BYTES: u64 = 2 << 30;
/// The most tensors.
const MAX_TENSORS: usize = 16_384;
/// The most axes of a tensor.
const MAX_AXES: usize = 8;
/// The member of the header that is not a tensor.
const METADATA: &str = "__metadata__";
/// Bytes of a value.
const VALUE_BYTES: usize = size_of::<f32>();

/// The metadata and the tensors of a model file.
///
/// # Example
/// ```
/// use neurdsp_models::{ModelFile, Tensor};
/// let mut file = ModelFile::default();
/// file.metadata.insert("title".into(), "an example".into());
/// file.tensors.insert("gain".into(), Tensor::new(vec![1], vec![0.5])?);
/// assert_eq!(ModelFile::from_bytes(&file.to_bytes()?)?, file);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelFile {
    /// Text by key; the keys of neurdsp start with `neurdsp.`, others are kept as they are.
    pub metadata: BTreeMap<String, String>,
    /// Arrays by name.
    pub tensors: Tensors,
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

impl ModelFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the file cannot be read, is malformed, truncated, too large, or has a tensor
    /// that is not F32.
    pub fn read(path: impl AsRef<Path>) -> Result<ModelFile> {
        let path = path.as_ref();
        let read = || {
            let (file, length) = open(path)?;
            ModelFile::from_reader(BufReader::new(file), length)
        };
        read().map_err(|error: Error| error.in_file(path))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// As [`read`](Self::read), without the path.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile> {
        ModelFile::from_reader(bytes, bytes.len() as u64)
    }

    /// Writes a file: whole, or not at all. The same content always gives the same bytes.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the folder does not exist, the disk is full, or the content is over the bounds
    /// that a reader sets.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let header = self.header_bytes().map_err(|error| error.in_file(path))?;
        write_atomically(path, |writer| self.write_to(&header, writer))
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// The content is over the bounds that a reader sets.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let header = self.header_bytes()?;
        let mut bytes = Vec::new();
        self.write_to(&header, &mut bytes)
            .map_err(|source| Error::Io { action: "write to memory", source })?;
        Ok(bytes)
    }

    fn from_reader(mut reader: impl Read, length: u64) -> Result<ModelFile> {
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
        let entries = check_layout(entries, data_length)?;

        let mut tensors = Tensors::new();
        for (name, shape, count) in entries {
            let data = read_values(&mut reader, count).map_err(io)?;
            tensors.insert(name, Tensor { shape, data });
        }
        Ok(ModelFile { metadata, tensors })
    }

    /// The eight bytes of length and the header, padded so that the data starts at a multiple of eight.
    fn header_bytes(&self) -> Result<Vec<u8>> {
        at_most("the number of tensors", self.tensors.len() as u64, MAX_TENSORS as u64)?;
        let mut json = String::from("{");
        if !self.metadata.is_empty() {
            for key in self.metadata.keys() {
                check_name("a metadata key", key)?;
            }
            json.push_str(&format!("{}:{}", quoted(METADATA), serde_json::json!(self.metadata)));
        }
        let mut begin = 0_usize;
        for (name, tensor) in &self.tensors {
            check_name("a tensor's name", name)?;
            tensor.check(name)?;
            at_most(
                &format!("the number of axes of the tensor {name}"),
                tensor.shape.len() as u64,
                MAX_AXES as u64,
            )?;
            let end = begin + tensor.data.len() * VALUE_BYTES;
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&format!(
                r#"{}:{{"dtype":"F32","shape":{},"data_offsets":[{begin},{end}]}}"#,
                quoted(name),
                serde_json::json!(tensor.shape),
            ));
            begin = end;
        }
        json.push('}');
        while !json.len().is_multiple_of(8) {
            json.push(' ');
        }
        at_most("the size of the header in bytes", json.len() as u64, MAX_HEADER_BYTES)?;
        at_most("the size of the file in bytes", (8 + json.len() + begin) as u64, MAX_FILE_BYTES)?;
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        Ok(bytes)
    }

    fn write_to(&self, header: &[u8], writer: &mut dyn Write) -> std::io::Result<()> {
        writer.write_all(header)?;
        let mut bytes = Vec::with_capacity(CHUNK_VALUES * VALUE_BYTES);
        for chunk in self.tensors.values().flat_map(|tensor| tensor.data.chunks(CHUNK_VALUES)) {
            bytes.clear();
            bytes.extend(chunk.iter().flat_map(|value| value.to_le_bytes()));
            writer.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// Values that are converted at a time.
const CHUNK_VALUES: usize = 16_384;

/// Opens a regular file and gives its length in bytes.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    let io = |source| Error::Io { action: "open the file", source };
    // Asked of the path and not of the open file, because opening a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(Error::malformed("the path", format!("it is {kind}, not a model file")));
    }
    Ok((File::open(path).map_err(io)?, metadata.len()))
}

/// Reads a regular file of at most `limit` bytes into memory.
pub(crate) fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path)?;
    at_most("the size of the file in bytes", length, limit)?;
    let mut bytes = Vec::with_capacity(length as usize);
    // The file may have grown since its length was asked for.
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Io { action: "read the file", source })?;
    Ok(bytes)
}

/// Takes the header apart, with the tensors still in the order of the file.
fn parse_header(header: &[u8]) -> Result<(BTreeMap<String, String>, Vec<NamedEntry>)> {
    let malformed = |reason: String| Error::malformed("the header", one_line(&reason));
    let text = std::str::from_utf8(header).map_err(|error| malformed(error.to_string()))?;
    if !text.starts_with('{') {
        return Err(malformed("it does not start with '{'; this is not a safetensors file".to_owned()));
    }
    let Members(members) =
        serde_json::from_str::<Members<&RawValue>>(text).map_err(|error| malformed(error.to_string()))?;
    at_most("the number of tensors", members.len() as u64, MAX_TENSORS as u64 + 1)?;

    let mut seen = BTreeSet::new();
    let mut metadata = BTreeMap::new();
    let mut entries = Vec::new();
    for (name, value) in members {
        check_name("a tensor's name", &name)?;
        if !seen.insert(name.clone()) {
            return Err(Error::Duplicate { name: format!("the tensor {name}") });
        }
        let what = |error: serde_json::Error| {
            Error::malformed(format!("the header's entry {name}"), one_line(&error.to_string()))
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

/// Checks types, shapes and places against the bytes that are there; gives name, shape and count in file order.
fn check_layout(
    mut entries: Vec<(String, Entry)>,
    data_length: u64,
) -> Result<Vec<(String, Vec<usize>, usize)>> {
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut layout = Vec::with_capacity(entries.len());
    let mut end_of_last = 0_u64;
    for (name, Entry { dtype, shape, data_offsets: [begin, end] }) in entries {
        if dtype != "F32" {
            return Err(Error::TensorType { name, dtype: one_line(&dtype) });
        }
        at_most(&format!("the number of axes of the tensor {name}"), shape.len() as u64, MAX_AXES as u64)?;
        let malformed = |reason| Error::malformed(format!("the tensor {name}"), reason);
        let count =
            element_count(&shape).filter(|count| *count as u64 <= MAX_FILE_BYTES / VALUE_BYTES as u64);
        let Some(count) = count else {
            return Err(malformed(format!("its shape {shape:?} is larger than any file")));
        };
        if end.checked_sub(begin) != Some((count * VALUE_BYTES) as u64) {
            return Err(malformed(format!(
                "data_offsets [{begin}, {end}] do not fit its shape {shape:?} in F32"
            )));
        }
        if begin != end_of_last {
            let reason =
                format!("its data start at byte {begin}, but the data before it end at {end_of_last}");
            return Err(malformed(reason));
        }
        end_of_last = end;
        layout.push((name, shape, count));
    }
    if end_of_last != data_length {
        let reason = format!(
            "its header describes {end_of_last} bytes of data, but {data_length} are there; it was damaged"
        );
        return Err(Error::malformed("the file", reason));
    }
    Ok(layout)
}

fn read_values(reader: &mut impl Read, count: usize) -> std::io::Result<Vec<f32>> {
    let mut values = Vec::with_capacity(count);
    let mut bytes = vec![0; count.min(CHUNK_VALUES) * VALUE_BYTES];
    while values.len() < count {
        let chunk = &mut bytes[..(count - values.len()).min(CHUNK_VALUES) * VALUE_BYTES];
        reader.read_exact(chunk)?;
        let (quads, _) = chunk.as_chunks::<VALUE_BYTES>();
        values.extend(quads.iter().map(|quad| f32::from_le_bytes(*quad)));
    }
    Ok(values)
}

/// Names end up in messages and tables: they must be printable.
fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.chars().any(char::is_control) {
        let reason = format!("{:?} is empty or has control characters", one_line(name));
        return Err(Error::malformed(what, reason));
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn at_most(what: &str, got: u64, limit: u64) -> Result<()> {
    if got > limit {
        return Err(Error::TooLarge { what: what.to_owned(), limit, got });
    }
    Ok(())
}
