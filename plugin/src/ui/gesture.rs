//! Gestures: what a hand does with a control, from its first touch to its release. Each can be undone. What the host automates is
//! no gesture.

use egui::{Context, Id, Ui};
use nice_plug::params::Param;
use nice_plug::params::internals::ParamPtr;

/// One parameter that was moved by hand; both values are normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gesture {
    pub(crate) param: ParamPtr,
    pub(crate) from: f32,
    pub(crate) to: f32,
    /// When it ended, in seconds of the window.
    pub(crate) time_s: f64,
    /// Whether it was one of a series that counts as one, such as the notches of a wheel.
    pub(crate) is_notch: bool,
}

/// Gestures that the history has not taken yet.
#[derive(Clone, Default)]
struct Done(Vec<Gesture>);

/// Notes the end of a gesture.
pub(super) fn done<P: Param>(ui: &Ui, param: &P, from: f32, to: f32, is_notch: bool) {
    let time_s = ui.input(|input| input.time);
    if from != to {
        let gesture = Gesture { param: param.as_ptr(), from, to, time_s, is_notch };
        ui.data_mut(|data| data.get_temp_mut_or_default::<Done>(Id::NULL).0.push(gesture));
    }
}

/// The gestures since the last call.
pub(super) fn take(context: &Context) -> Vec<Gesture> {
    context.data_mut(|data| data.remove_temp::<Done>(Id::NULL)).unwrap_or_default().0
}
