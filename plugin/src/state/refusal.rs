//! Why something was not done, in words for the user.

use std::fmt::{self, Display, Formatter};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A reason, and the file that it is about. Windows show the reason first, since a path may be long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) file: Option<PathBuf>,
}

impl Refusal {
    /// A reason that is about a file. It does not name the file again.
    pub(crate) fn of(file: &Path, reason: impl Display) -> Refusal {
        Refusal { reason: reason.to_string(), file: Some(file.to_owned()) }
    }

    /// A file that the system does not hand over or take.
    pub(crate) fn system(file: &Path, error: &std::io::Error) -> Refusal {
        let reason = match error.kind() {
            ErrorKind::NotFound => "the file is not there; it was moved, renamed or deleted".to_owned(),
            ErrorKind::PermissionDenied => "you may not use this file; change its permissions".to_owned(),
            ErrorKind::StorageFull => "the disk is full; free some space".to_owned(),
            _ => error.to_string(),
        };
        Refusal::of(file, reason)
    }

    /// The same, about `file` if it is about none yet.
    pub(crate) fn about(mut self, file: &Path) -> Refusal {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Refusal {
        Refusal { reason, file: None }
    }
}

impl Display for Refusal {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(to, "{}: {}", file.display(), self.reason),
            None => to.write_str(&self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::path::Path;

    use super::Refusal;

    #[test]
    fn a_reason_is_about_the_first_file_that_is_named() {
        let refusal = Refusal::from("the model is damaged".to_owned());
        let refusal = refusal.about(Path::new("a.nam")).about(Path::new("b.vstpreset"));
        assert_eq!(refusal.to_string(), "a.nam: the model is damaged");
        let missing = Refusal::system(Path::new("a.nam"), &Error::from(ErrorKind::NotFound));
        assert!(missing.reason.starts_with("the file is not there"));
    }
}
