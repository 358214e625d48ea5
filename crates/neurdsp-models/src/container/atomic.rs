//! Writing a file so that it is there whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file under a temporary name in the same folder, then renames it.
///
/// A reader of `path` sees the old content or the new one, never a part. If anything fails, the disk being full for
/// instance, the temporary file is removed and an old file at `path` stays as it was.
///
/// # Errors
/// [`Error::InFile`] with the path: the folder does not exist or cannot be written, or the disk is full.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    let io = |action| move |source| Error::Io { action, source }.in_file(path);
    // A symbolic link is followed, so that the link itself survives; a new file has no real path yet.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let reason = format!("the folder {} does not exist; create it first", folder.display());
        return Err(io("write the file")(std::io::Error::new(std::io::ErrorKind::NotFound, reason)));
    }
    if target.exists() && !target.is_file() {
        // A rename over a device node would replace the node itself.
        let reason = "it is a folder or a device; give the name of a file";
        return Err(io("write the file")(std::io::Error::other(reason)));
    }

    let mut builder = tempfile::Builder::new();
    builder.prefix(".neurdsp-").suffix(".tmp");
    #[cfg(unix)]
    {
        // The default of 0600 is for secrets; here the umask decides, as for any new file.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(io("create a file in the folder"))?;
    let written = (|| {
        let mut writer = BufWriter::new(file.as_file_mut());
        write(&mut writer)?;
        writer.flush()
    })();
    written.map_err(io("write the file"))?;
    file.as_file().sync_all().map_err(io("write the file to the disk"))?;
    file.persist(&target).map_err(|error| io("put the file in its place")(error.error))?;
    Ok(())
}
