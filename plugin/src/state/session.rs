//! Takes saved states apart: the parameters, and the session that a project keeps beside them.

use nice_plug::params::Params;
use nice_plug::plugin::{ParamValue, PluginState};
use nice_plug::prelude::IntParam;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::values;

/// The field of a state that holds the session.
const FIELD: &str = "session";

/// Parameters that a project saves.
pub(crate) trait SavedParams: Params + Default + Send + Sync + 'static {
    /// Values in states from before these parameters were there, if not their defaults.
    const BEFORE: &'static [(&'static str, ParamValue)] = &[];

    /// The hidden parameter that counts changes, made by [`revision`](super::revision).
    fn revision(&self) -> &IntParam;

    /// Completes a state that has no value for some parameters.
    fn complete(state: &mut PluginState) {
        values::complete(&Self::default(), state, Self::BEFORE);
    }
}

/// What a project keeps beside the parameters, in a field `session` with `#[persist]`.
pub(crate) trait SavedSession: Default + Serialize + DeserializeOwned {
    /// The version that this plugin writes. It reads older ones, and refuses newer ones with a message.
    const VERSION: u32;
    /// What a newer plugin is needed for, such as "load its model".
    const PURPOSE: &'static str;

    /// The version that wrote it.
    fn version(&self) -> u32;

    /// Whether this version of the plugin understands it.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    fn check(&self) -> Result<(), String> {
        if self.version() <= Self::VERSION {
            return Ok(());
        }
        Err(format!("the project was saved by a newer neurdsp; update this one to {}", Self::PURPOSE))
    }
}

/// The session of a state, if it has one, and the normalised values of all parameters but those `apart`.
pub(crate) type Parts<S> = (Option<S>, Vec<(String, f32)>);

/// Takes a state apart.
///
/// # Errors
///
/// A sentence for the user: the state is damaged, or was saved by a newer version.
pub(crate) fn parts<P: SavedParams, S: SavedSession>(
    state: &PluginState,
    apart: &[&str],
) -> Result<Parts<S>, String> {
    let mut state = state.clone();
    P::complete(&mut state);
    let session: Option<S> = match state.fields.get(FIELD) {
        Some(text) => Some(serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?),
        None => None,
    };
    session.as_ref().map_or(Ok(()), S::check)?;
    let mut values = values::of_state(&P::default(), &state);
    values.retain(|(id, _)| !apart.contains(&id.as_str()));
    Ok((session, values))
}

/// A state of this version with these values of parameters, and no session.
pub(crate) fn new_state(values: impl IntoIterator<Item = (String, ParamValue)>) -> PluginState {
    PluginState {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        params: values.into_iter().collect(),
        fields: [].into(),
    }
}

/// The same state with a session.
///
/// # Errors
///
/// The session cannot be written.
pub(crate) fn with_session(
    mut state: PluginState,
    session: &impl SavedSession,
) -> Result<PluginState, String> {
    let text = serde_json::to_string(session).map_err(|error| error.to_string())?;
    state.fields.insert(FIELD.to_owned(), text);
    Ok(state)
}
