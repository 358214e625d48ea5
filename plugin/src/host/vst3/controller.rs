//! The side of an instance that a host sees its parameters on.

use std::ffi::CStr;
use std::sync::atomic::Ordering;

use nice_plug::wrapper::vst3::vst3::ComRef;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IComponentHandler, IEditControllerTrait, ParamID, ParamValue, ParameterInfo, String128, TChar,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, IBStream, IPlugView, kInvalidArgument, kResultOk, tresult,
};

use super::Instance;

/// A text for the host: at most 127 letters of UTF-16 and a zero.
pub(super) fn write_text(text: &str, to: &mut String128) {
    let room = to.len() - 1;
    to.fill(0);
    for (to, unit) in to.iter_mut().zip(text.encode_utf16().take(room)) {
        *to = unit;
    }
}

// SAFETY of all calls below: they pass on what the host gave, by the rules of the interface that the host has called.

impl IEditControllerTrait for Instance {
    unsafe fn setComponentState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { self.controller.setComponentState(state) }
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { IEditControllerTrait::setState(&self.controller, state) }
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { IEditControllerTrait::getState(&self.controller, state) }
    }

    unsafe fn getParameterCount(&self) -> i32 {
        // SAFETY: see above.
        unsafe { self.controller.getParameterCount() }
    }

    unsafe fn getParameterInfo(&self, index: i32, info: *mut ParameterInfo) -> tresult {
        // SAFETY: see above. The framework refuses only indices beyond the one after the last.
        unsafe {
            if index < 0 || index >= self.getParameterCount() || info.is_null() {
                return kInvalidArgument;
            }
            let result = self.controller.getParameterInfo(index, info);
            if let Some(name) = self.ids.get(index as usize).and_then(|id| self.link.name(id)) {
                write_text(&name, &mut (*info).title);
                write_text(&name, &mut (*info).shortTitle);
            }
            result
        }
    }

    unsafe fn getParamStringByValue(&self, id: ParamID, value: ParamValue, text: *mut String128) -> tresult {
        // SAFETY: see above.
        unsafe { self.controller.getParamStringByValue(id, value, text) }
    }

    unsafe fn getParamValueByString(&self, id: ParamID, text: *mut TChar, value: *mut ParamValue) -> tresult {
        // SAFETY: see above.
        unsafe { self.controller.getParamValueByString(id, text, value) }
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: see above.
        unsafe { self.controller.normalizedParamToPlain(id, value) }
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: see above.
        unsafe { self.controller.plainParamToNormalized(id, value) }
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        // SAFETY: see above.
        self.pending.get(id).unwrap_or_else(|| unsafe { self.controller.getParamNormalized(id) })
    }

    unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
        if self.is_processing.load(Ordering::Relaxed) {
            return if self.pending.set(id, value) { kResultOk } else { kInvalidArgument };
        }
        // SAFETY: see above.
        unsafe { self.controller.setParamNormalized(id, value) }
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        // SAFETY: see above.
        unsafe {
            *self.handler.lock() = ComRef::from_raw(handler).map(|handler| handler.to_com_ptr());
            self.controller.setComponentHandler(handler)
        }
    }

    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        // SAFETY: see above; a name ends with a zero.
        if name.is_null() || unsafe { CStr::from_ptr(name) } != c"editor" {
            return std::ptr::null_mut();
        }
        // SAFETY: see above.
        unsafe { self.controller.createView(name) }
    }
}
