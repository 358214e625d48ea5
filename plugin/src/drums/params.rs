//! The parameters that a host sees and automates. Their IDs never change: projects and presets are keyed by them.

use nice_plug::prelude::*;

use super::session::Session;
use super::strips::{self, STRIPS};
use crate::state::kinds::{fader, fader_gain};
use crate::state::{Persisted, SavedParams, revision};

/// All parameters, and what a project keeps beside them.
#[derive(Params)]
pub(crate) struct DrumParams {
    /// Passes the input on, delayed by the latency.
    #[id = "bypass"]
    pub(super) bypass: BoolParam,
    /// Fader, mute and solo of each strip.
    #[nested]
    pub(super) strips: Strips,
    /// Gain of the mix, in dB.
    #[id = "master"]
    pub(super) master: FloatParam,
    /// Counts the files that were loaded, so that the host sees that the project has changed.
    #[id = "revision"]
    pub(super) revision: IntParam,
    /// The network that is loaded.
    #[persist = "session"]
    pub(super) session: Persisted<Session>,
}

impl Default for DrumParams {
    fn default() -> DrumParams {
        DrumParams {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            strips: Strips::default(),
            master: fader("Master"),
            revision: revision(),
            session: Persisted::default(),
        }
    }
}

/// The parameters of a strip.
pub(super) struct Channel {
    pub(super) fader: FloatParam,
    pub(super) mute: BoolParam,
    pub(super) solo: BoolParam,
}

/// Parameters `kick`, `kick_mute`, `kick_solo`, and so on.
pub(super) struct Strips([Channel; STRIPS]);

// SAFETY: the parameters lie in the struct itself, so they live as long as it does.
unsafe impl Params for Strips {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let mut map = Vec::new();
        for (channel, strip) in self.0.iter().zip(strips::ALL) {
            let group = || strip.title.to_owned();
            map.push((strip.name.to_owned(), channel.fader.as_ptr(), group()));
            map.push((format!("{}_mute", strip.name), channel.mute.as_ptr(), group()));
            map.push((format!("{}_solo", strip.name), channel.solo.as_ptr(), group()));
        }
        map
    }
}

impl Default for Strips {
    fn default() -> Strips {
        Strips(strips::ALL.map(|strip| Channel {
            fader: fader(strip.title),
            mute: BoolParam::new(format!("{} mute", strip.title), false),
            solo: BoolParam::new(format!("{} solo", strip.title), false),
        }))
    }
}

impl DrumParams {
    /// The parameters of each strip.
    pub(super) fn channels(&self) -> &[Channel; STRIPS] {
        &self.strips.0
    }

    /// Which strips are heard: those that are not muted, and of these only those in solo if any strip is.
    pub(super) fn audible(&self) -> [bool; STRIPS] {
        let channels = self.channels();
        let any_solo = channels.iter().any(|channel| channel.solo.value());
        channels.each_ref().map(|channel| !channel.mute.value() && (channel.solo.value() || !any_solo))
    }

    /// The gain of each strip.
    pub(super) fn gains(&self) -> [f32; STRIPS] {
        let audible = self.audible();
        std::array::from_fn(|index| {
            if audible[index] { fader_gain(self.channels()[index].fader.value()) } else { 0.0 }
        })
    }

    /// The gain of the mix.
    pub(super) fn level(&self) -> f32 {
        fader_gain(self.master.value())
    }
}

impl SavedParams for DrumParams {
    fn revision(&self) -> &IntParam {
        &self.revision
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use nice_plug::params::Param;
    use nice_plug::prelude::*;

    use super::DrumParams;
    use crate::state::kinds::SILENT_DB;

    /// Sets a parameter to a normalised value.
    fn set(params: &DrumParams, id: &str, value: f32) {
        let (_, param, _) = params.param_map().into_iter().find(|(found, ..)| found == id).unwrap();
        // SAFETY: `params` lives, and this is its only thread.
        unsafe { param._internal_set_normalized_value(value) };
    }

    #[test]
    fn ids_are_those_that_projects_are_keyed_by() {
        let ids: Vec<String> = DrumParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(
            ids.join(" "),
            "bypass kick kick_mute kick_solo snare snare_mute snare_solo toms toms_mute toms_solo hihat \
             hihat_mute hihat_solo cymbals cymbals_mute cymbals_solo residual residual_mute residual_solo \
             master revision"
        );
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn a_fader_is_neutral_where_it_starts_and_silent_at_the_bottom() {
        let params = DrumParams::default();
        assert_eq!((params.gains(), params.level()), ([1.0; 6], 1.0));
        set(&params, "snare", 0.0);
        set(&params, "master", 1.0);
        assert_eq!(params.gains(), [1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((params.level() - 3.981).abs() < 1e-3);
        let fader = &params.channels()[0].fader;
        for (db, at) in [(0.0, 0.694), (-12.0, 0.444), (-24.0, 0.25), (12.0, 1.0), (SILENT_DB, 0.0)] {
            assert!((fader.preview_normalized(db) - at).abs() < 1e-3, "{db}");
        }
    }

    #[test]
    fn a_solo_silences_the_others_and_a_mute_wins() {
        let params = DrumParams::default();
        set(&params, "kick_mute", 1.0);
        assert_eq!(params.audible(), [false, true, true, true, true, true]);
        set(&params, "kick_solo", 1.0);
        set(&params, "toms_solo", 1.0);
        assert_eq!(params.audible(), [false, false, true, false, false, false]);
        assert_eq!(params.gains(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn values_are_shown_with_a_sign_and_typed_in_any_way() {
        let params = DrumParams::default();
        let fader = &params.channels()[0].fader;
        let shown = |db: f32| fader.normalized_value_to_string(fader.preview_normalized(db), true);
        let texts = [0.0, 3.5, -12.0, SILENT_DB].map(shown);
        assert_eq!(texts, ["0.0 dB", "+3.5 dB", "-12.0 dB", "-∞ dB"]);
        let typed = |text: &str| fader.string_to_normalized_value(text).map(|at| fader.preview_plain(at));
        for text in ["-6", "-6,0", "−6.0 dB"] {
            assert!((typed(text).unwrap() + 6.0).abs() < 1e-4, "{text}");
        }
        assert_eq!([typed("-∞ dB"), typed("-inf")], [Some(SILENT_DB); 2]);
        assert_eq!([typed("loud"), typed("nan"), typed("")], [None; 3]);
    }
}
