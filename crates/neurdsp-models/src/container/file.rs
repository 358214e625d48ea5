//! Reading and writing a model file: string metadata, and tensors in the layout of safetensors.
//!
//! What the metadata means is the subject of [`crate::container::header`].

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use half::{bf16, f16};

use crate::container::atomic::write_atomically;
use crate::container::bounds::{MAX_AXES, MAX_FILE_BYTES, MAX_HEADER_BYTES, MAX_TENSORS, at_most};
use crate::container::layout::{Layout, METADATA, check_name};
use crate::container::open::open;
use crate::container::tensor::{Tensor, Tensors};
use crate::container::values::{DType, Values};
use crate::error::{Error, Result};

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

impl ModelFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the file cannot be read, is malformed, truncated, too large, or has a tensor
    /// of a type that [`DType`] does not name.
    pub fn read(path: impl AsRef<Path>) -> Result<ModelFile> {
        let path = path.as_ref();
        let read = || {
            let (file, length) = open(path)?;
            ModelFile::from_reader(&mut BufReader::new(file), length)
        };
        read().map_err(|error: Error| error.in_file(path))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// As [`read`](Self::read), without the path.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile> {
        ModelFile::from_reader(&mut &*bytes, bytes.len() as u64)
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

    fn from_reader(reader: &mut impl Read, length: u64) -> Result<ModelFile> {
        let layout = Layout::from_reader(reader, length)?;
        let mut tensors = Tensors::new();
        for (name, place) in layout.in_file_order() {
            let data = read_values(reader, place.dtype, place.count)
                .map_err(|source| Error::Io { action: "read the file", source })?;
            tensors.insert(name.clone(), Tensor { shape: place.shape.clone(), data });
        }
        Ok(ModelFile { metadata: layout.metadata, tensors })
    }

    /// The tensors in the order in which their bytes are written: larger types first, so that each is aligned to the size
    /// of its values, and by name within a size.
    fn in_file_order(&self) -> Vec<(&String, &Tensor)> {
        let mut tensors: Vec<_> = self.tensors.iter().collect();
        tensors.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype().size()));
        tensors
    }

    /// The eight bytes of length and the header, padded so that the data starts at a multiple of eight.
    fn header_bytes(&self) -> Result<Vec<u8>> {
        at_most("the number of tensors", self.tensors.len() as u64, MAX_TENSORS)?;
        let mut json = String::from("{");
        if !self.metadata.is_empty() {
            for key in self.metadata.keys() {
                check_name("a metadata key", key)?;
            }
            json.push_str(&format!("{}:{}", quoted(METADATA), serde_json::json!(self.metadata)));
        }
        let mut begin = 0_usize;
        for (name, tensor) in self.in_file_order() {
            check_name("a tensor's name", name)?;
            tensor.check(name)?;
            at_most(
                &format!("the number of axes of the tensor {name}"),
                tensor.shape.len() as u64,
                MAX_AXES,
            )?;
            let dtype = tensor.dtype();
            let end = begin + tensor.data.len() * dtype.size();
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&format!(
                r#"{}:{{"dtype":"{dtype}","shape":{},"data_offsets":[{begin},{end}]}}"#,
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
        for (_, tensor) in self.in_file_order() {
            match &tensor.data {
                Values::F32(values) => write_as(writer, values, f32::to_le_bytes),
                Values::F16(values) => write_as(writer, values, f16::to_le_bytes),
                Values::BF16(values) => write_as(writer, values, bf16::to_le_bytes),
                Values::I8(values) => write_as(writer, values, i8::to_le_bytes),
            }?;
        }
        Ok(())
    }
}

/// Values that are converted at a time.
const CHUNK_VALUES: usize = 16_384;

fn read_values(reader: &mut impl Read, dtype: DType, count: usize) -> std::io::Result<Values> {
    Ok(match dtype {
        DType::F32 => Values::F32(read_as(reader, count, f32::from_le_bytes)?),
        DType::F16 => Values::F16(read_as(reader, count, f16::from_le_bytes)?),
        DType::BF16 => Values::BF16(read_as(reader, count, bf16::from_le_bytes)?),
        DType::I8 => Values::I8(read_as(reader, count, i8::from_le_bytes)?),
    })
}

fn read_as<T, const SIZE: usize>(
    reader: &mut impl Read,
    count: usize,
    value: impl Fn([u8; SIZE]) -> T,
) -> std::io::Result<Vec<T>> {
    let mut values = Vec::with_capacity(count);
    let mut bytes = vec![0; count.min(CHUNK_VALUES) * SIZE];
    while values.len() < count {
        let chunk = &mut bytes[..(count - values.len()).min(CHUNK_VALUES) * SIZE];
        reader.read_exact(chunk)?;
        values.extend(chunk.as_chunks::<SIZE>().0.iter().map(|bytes| value(*bytes)));
    }
    Ok(values)
}

fn write_as<T: Copy, const SIZE: usize>(
    writer: &mut dyn Write,
    values: &[T],
    bytes_of: impl Fn(T) -> [u8; SIZE],
) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(values.len().min(CHUNK_VALUES) * SIZE);
    for chunk in values.chunks(CHUNK_VALUES) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|value| bytes_of(*value)));
        writer.write_all(&bytes)?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
