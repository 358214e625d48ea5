//! The entries of a cache: features of one signal, and their file format.
//!
//! A file holds a magic number that also tells the byte order, the key, the type, rows and frames, the BLAKE3 hash of all
//! that and of the values, and the values row by row.

use super::key::Key;
use crate::error::{Result, check_length};
use std::fs::File;
use std::io::{self, Read, Write};

/// Features of one signal: `n_rows` rows of `n_frames`.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    n_rows: usize,
    n_frames: usize,
    values: Values,
}

/// The values of [`Features`], row by row.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// In single precision.
    Single(Vec<f32>),
    /// In double precision.
    Double(Vec<f64>),
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self::Single(values)
    }
}

impl From<Vec<f64>> for Values {
    fn from(values: Vec<f64>) -> Self {
        Self::Double(values)
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Single(values) => bytemuck::cast_slice(values),
            Self::Double(values) => bytemuck::cast_slice(values),
        }
    }
}

impl Features {
    /// Features with these values, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Length`](crate::Error::Length) unless there are `n_rows * n_frames` of them.
    pub fn new(n_rows: usize, n_frames: usize, values: impl Into<Values>) -> Result<Self> {
        let values = values.into();
        check_length("the features", values.len(), n_rows.saturating_mul(n_frames))?;
        Ok(Self { n_rows, n_frames, values })
    }

    /// Rows: mel bands, or bins.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.n_frames
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The values, if they are in single precision.
    #[must_use]
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Single(values) => Some(values),
            Values::Double(_) => None,
        }
    }

    /// The values, if they are in double precision.
    #[must_use]
    pub fn as_f64(&self) -> Option<&[f64]> {
        match &self.values {
            Values::Single(_) => None,
            Values::Double(values) => Some(values),
        }
    }

    /// Bytes of the values.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.values.bytes().len()
    }

    /// Bytes of the file that [`write`](Self::write) writes.
    pub(super) fn file_len(&self) -> u64 {
        (HEADER_LEN + self.n_bytes()) as u64
    }

    pub(super) fn write(&self, key: &Key, to: &mut impl Write) -> io::Result<()> {
        let (values, mut header) = (self.values.bytes(), [0; HEADER_LEN]);
        header[..8].copy_from_slice(MAGIC);
        header[KEY].copy_from_slice(&key.to_bytes());
        let width = if matches!(self.values, Values::Single(_)) { 4_u64 } else { 8 };
        for (at, number) in [width, self.n_rows as u64, self.n_frames as u64].into_iter().enumerate() {
            header[NUMBERS + 8 * at..][..8].copy_from_slice(&number.to_ne_bytes());
        }
        let hash = checksum(&header[..HASH], values);
        header[HASH..].copy_from_slice(&hash);
        to.write_all(&header)?;
        to.write_all(values)
    }

    /// The features in a file that should hold those of `key`; `None` if they are damaged or have another key.
    ///
    /// Nothing in the file is trusted: its length is checked before memory is allocated, and its values by their hash.
    pub(super) fn read(key: &Key, file: &mut File, max_len: u64) -> io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let mut header = [0; HEADER_LEN];
        if length < HEADER_LEN as u64 || length > max_len {
            return Ok(None);
        }
        file.read_exact(&mut header)?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&header[NUMBERS + 8 * at..][..8]);
            u64::from_ne_bytes(bytes)
        };
        let (width, n_rows, n_frames) = (number(0), number(1), number(2));
        let n_values = n_rows.saturating_mul(n_frames);
        let sound = header[..8] == *MAGIC && header[KEY] == key.to_bytes() && matches!(width, 4 | 8);
        if !sound || n_values.checked_mul(width) != Some(length - HEADER_LEN as u64) {
            return Ok(None);
        }
        let Ok(n_values) = usize::try_from(n_values) else { return Ok(None) };
        let values = if width == 4 {
            Values::Single(read_values(file, n_values)?)
        } else {
            Values::Double(read_values(file, n_values)?)
        };
        let same = checksum(&header[..HASH], values.bytes()) == header[HASH..];
        // Both fit, since their product does.
        Ok(same.then_some(Self { n_rows: n_rows as usize, n_frames: n_frames as usize, values }))
    }
}

#[cfg(target_endian = "little")]
const MAGIC: &[u8; 8] = b"ndspmel1";
#[cfg(not(target_endian = "little"))]
const MAGIC: &[u8; 8] = b"NDSPMEL1";

/// The layout of the header: magic, key, three numbers of 64 bits, hash.
const KEY: std::ops::Range<usize> = 8..8 + Key::LEN;
const NUMBERS: usize = KEY.end;
const HASH: usize = NUMBERS + 24;
const HEADER_LEN: usize = HASH + 32;

fn checksum(header: &[u8], values: &[u8]) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    hash.update(header).update(values);
    hash.finalize().into()
}

fn read_values<T: bytemuck::Pod>(file: &mut File, n_values: usize) -> io::Result<Vec<T>> {
    let mut values: Vec<T> = Vec::new();
    values.try_reserve_exact(n_values).map_err(io::Error::other)?;
    values.resize(n_values, T::zeroed());
    file.read_exact(bytemuck::cast_slice_mut(&mut values))?;
    Ok(values)
}
