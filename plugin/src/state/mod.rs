//! What a project keeps: the values of the parameters, fields beside them, and files, whole where they are small enough.

mod changes;
pub(crate) mod files;
pub(crate) mod kinds;
mod persisted;
mod refusal;
mod resource;
pub(crate) mod session;
pub(crate) mod values;

pub(crate) use changes::{Changes, revision};
pub(crate) use persisted::Persisted;
pub(crate) use refusal::Refusal;
pub(crate) use resource::Resource;
pub(crate) use session::{SavedParams, SavedSession};
