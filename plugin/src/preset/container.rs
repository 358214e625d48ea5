//! The container: a header with the class of the plugin and the place of a list, the state, and the list of the parts.

/// Bytes before the state: `VST3`, a version, the class, and where the list is.
const HEADER_BYTES: usize = 4 + 4 + 32 + 8;

/// The file around `state`, for the plugin with this class ID.
pub(super) fn around(state: &[u8], class: [u8; 16]) -> Vec<u8> {
    let size = state.len() as u64;
    let mut file = b"VST3\x01\0\0\0".to_vec();
    file.extend(digits(class).as_bytes());
    file.extend((HEADER_BYTES as u64 + size).to_le_bytes());
    file.extend(state);
    file.extend(b"List\x01\0\0\0Comp");
    file.extend((HEADER_BYTES as u64).to_le_bytes());
    file.extend(size.to_le_bytes());
    file
}

/// The part of `file` that is the state.
///
/// # Errors
///
/// The file is damaged, or of another plugin.
pub(super) fn state(file: &[u8], class: [u8; 16]) -> Result<&[u8], &'static str> {
    const DAMAGED: &str = "the preset is damaged";
    let number = |at: usize| -> Option<usize> {
        let bytes = file.get(at..at.checked_add(8)?)?;
        usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    if !file.starts_with(b"VST3") {
        return Err("this is not a preset of VST3");
    }
    if !file.get(8..40).ok_or(DAMAGED)?.eq_ignore_ascii_case(digits(class).as_bytes()) {
        return Err("this is a preset of another plugin");
    }
    let list = number(40).and_then(|at| file.get(at..)).ok_or(DAMAGED)?;
    let entries = list.strip_prefix(b"List").and_then(|rest| rest.get(4..)).ok_or(DAMAGED)?;
    let entry = entries.chunks_exact(20).find(|entry| entry.starts_with(b"Comp")).ok_or(DAMAGED)?;
    let at = file.len() - entries.len() + (entry.as_ptr() as usize - entries.as_ptr() as usize);
    let (start, size) = number(at + 4).zip(number(at + 12)).ok_or(DAMAGED)?;
    start.checked_add(size).and_then(|end| file.get(start..end)).ok_or(DAMAGED)
}

fn digits(class: [u8; 16]) -> String {
    class.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{around, state};

    const CLASS: [u8; 16] = *b"neurdsp.TestOnly";

    #[test]
    fn damaged_files_are_refused_and_never_read_beyond_their_end() {
        let whole = around(b"{\"params\": {}, \"fields\": {}}", CLASS);
        assert_eq!(state(&whole, CLASS).unwrap(), b"{\"params\": {}, \"fields\": {}}");
        for length in 0..whole.len() {
            assert!(state(&whole[..length], CLASS).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = state(&damaged, CLASS);
            }
        }
        assert_eq!(state(&whole, *b"neurdsp.AnyOther").unwrap_err(), "this is a preset of another plugin");
        assert_eq!(state(b"RIFF", CLASS).unwrap_err(), "this is not a preset of VST3");
    }
}
