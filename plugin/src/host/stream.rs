//! A state that the framework writes into memory, to be changed before the host gets it.

use std::ffi::c_void;

use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IBStream, IBStreamTrait, kInvalidArgument, kNotImplemented, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef};
use parking_lot::Mutex;

/// A stream that is written once.
#[derive(Default)]
pub(super) struct Written(Mutex<Vec<u8>>);

impl Written {
    /// The bytes so far.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Class for Written {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Written {
    unsafe fn read(&self, _: *mut c_void, _: i32, _: *mut i32) -> tresult {
        kNotImplemented
    }

    unsafe fn write(&self, bytes: *mut c_void, count: i32, written: *mut i32) -> tresult {
        let Ok(len) = usize::try_from(count) else { return kInvalidArgument };
        if len > 0 {
            // SAFETY: the writer gives as many bytes.
            let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len) };
            self.0.lock().extend_from_slice(bytes);
        }
        if !written.is_null() {
            // SAFETY: the writer's own number.
            unsafe { *written = count };
        }
        kResultOk
    }

    unsafe fn seek(&self, _: i64, _: i32, _: *mut i64) -> tresult {
        kNotImplemented
    }

    unsafe fn tell(&self, _: *mut i64) -> tresult {
        kNotImplemented
    }
}

/// Writes all of `bytes` to a stream of the host; tells whether it took them.
///
/// # Safety
///
/// `stream` is a stream of the host.
pub(super) unsafe fn write_all(stream: *mut IBStream, bytes: &[u8]) -> bool {
    // SAFETY: the caller promises it.
    let Some(stream) = (unsafe { ComRef::from_raw(stream) }) else { return false };
    let (Ok(count), mut written) = (i32::try_from(bytes.len()), 0) else { return false };
    // SAFETY: the stream reads as many bytes.
    unsafe { stream.write(bytes.as_ptr().cast_mut().cast(), count, &mut written) == kResultOk }
}
