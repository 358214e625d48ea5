//! Values of parameters, normalised: from 0 to 1.

use nice_plug::context::gui::GuiContext;
use nice_plug::params::internals::ParamPtr;
use nice_plug::params::{Param, Params};
use nice_plug::plugin::{ParamValue, PluginState};

/// A value from 0 to 1; NaN becomes 0.
pub(crate) fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

/// The value that `state` has for each parameter, by ID; the default where it has none or one of another type.
///
/// `scratch` has the parameters of the plugin. Those that are enums are changed, so it must not be the plugin's own.
pub(crate) fn of_state(scratch: &dyn Params, state: &PluginState) -> Vec<(String, f32)> {
    // SAFETY: `scratch` lives until the end of this function.
    let value = |id: &str, param| unsafe { normalised(param, state.params.get(id)) };
    scratch
        .param_map()
        .into_iter()
        .map(|(id, param, _)| {
            let value = value(&id, param);
            (id, value)
        })
        .collect()
}

/// # Safety
///
/// What `param` points to lives, and nobody else uses it.
unsafe fn normalised(param: ParamPtr, value: Option<&ParamValue>) -> f32 {
    // SAFETY: as the caller promises.
    let value = unsafe {
        match (param, value) {
            (ParamPtr::FloatParam(_), Some(ParamValue::F32(value))) => param.preview_normalized(*value),
            (ParamPtr::IntParam(_), Some(ParamValue::I32(value))) => param.preview_normalized(*value as f32),
            (ParamPtr::BoolParam(_), Some(ParamValue::Bool(value))) => f32::from(u8::from(*value)),
            (ParamPtr::EnumParam(inner), Some(ParamValue::String(id))) => {
                if (*inner).set_from_id(id) {
                    param.unmodulated_normalized_value()
                } else {
                    param.default_normalized_value()
                }
            }
            _ => param.default_normalized_value(),
        }
    };
    unit(value)
}

/// The value of the parameter `id` at a normalised one, as a state holds it; none if there is no such parameter.
///
/// `scratch` has the parameters of the plugin. The one is changed, so it must not be the plugin's own.
pub(crate) fn plain(scratch: &dyn Params, id: &str, normalised: f32) -> Option<ParamValue> {
    let (_, param, _) = scratch.param_map().into_iter().find(|(found, ..)| found == id)?;
    // SAFETY: `scratch` lives until the end of this function, and nobody else uses it.
    unsafe {
        param._internal_set_normalized_value(unit(normalised));
        Some(match param {
            ParamPtr::FloatParam(param) => ParamValue::F32((*param).unmodulated_plain_value()),
            ParamPtr::IntParam(param) => ParamValue::I32((*param).unmodulated_plain_value()),
            ParamPtr::BoolParam(param) => ParamValue::Bool((*param).unmodulated_plain_value()),
            ParamPtr::EnumParam(param) => match (*param).unmodulated_plain_id() {
                Some(id) => ParamValue::String(id.to_owned()),
                None => ParamValue::I32((*param).unmodulated_plain_value()),
            },
        })
    }
}

/// Adds to `state` the default of each parameter that it has no value for, so that restoring it leaves none as it was before.
/// Those in `older` have other values in states from before they were there.
pub(crate) fn complete(scratch: &dyn Params, state: &mut PluginState, older: &[(&str, ParamValue)]) {
    for (id, param, _) in scratch.param_map() {
        if state.params.contains_key(&id) {
            continue;
        }
        let before = older.iter().find(|(name, _)| *name == id).map(|(_, value)| value.clone());
        // SAFETY: `scratch` lives until the end of this function.
        let default = || plain(scratch, &id, unsafe { param.default_normalized_value() });
        if let Some(value) = before.or_else(default) {
            state.params.insert(id, value);
        }
    }
}

/// The values now, by ID, without the parameters `except`.
pub(crate) fn now(params: &dyn Params, except: &[&str]) -> Vec<(String, f32)> {
    let listed = params.param_map().into_iter().filter(|(id, ..)| !except.contains(&id.as_str()));
    // SAFETY: the pointers are valid as long as `params` lives.
    listed.map(|(id, param, _)| (id, unsafe { param.unmodulated_normalized_value() })).collect()
}

/// Sets parameters as a hand on the editor does, so that the host learns of it. This is for the editor's thread.
pub(crate) fn set(params: &dyn Params, context: &GuiContext, values: &[(String, f32)]) {
    for (id, param, _) in params.param_map() {
        let Some((_, value)) = values.iter().find(|(name, _)| *name == id) else { continue };
        // SAFETY: `params` lives, and this is the thread that the context asks for.
        unsafe {
            if param.unmodulated_normalized_value() != *value {
                context.raw_begin_set_parameter(param);
                context.raw_set_parameter_normalized(param, *value);
                context.raw_end_set_parameter(param);
            }
        }
    }
}
