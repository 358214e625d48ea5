//! The model file: its bytes, its tensors, its header, and the parity vectors that prove it.

pub(crate) mod atomic;
pub(crate) mod bounds;
pub(crate) mod file;
pub(crate) mod format;
pub(crate) mod header;
pub(crate) mod json;
pub(crate) mod layout;
pub(crate) mod open;
pub(crate) mod parity;
pub(crate) mod publish;
pub(crate) mod tensor;
pub(crate) mod text;
pub(crate) mod values;
