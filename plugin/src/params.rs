//! The parameters that a host sees and automates. Their identifiers are for ever: projects and presets are keyed by them.

use nice_plug::prelude::*;

use crate::state::Kept;

/// Reach of the gains before and after everything.
const RANGE_DB: f32 = 24.0;

/// Knobs of models that a host can automate: a model has at most as many.
pub(crate) const KNOBS: usize = 8;

/// Values of the hidden parameter that counts loaded files.
pub(crate) const REVISIONS: i32 = 1 << 20;

/// All parameters, and what a project keeps beside them.
#[derive(Params)]
pub(crate) struct AmpParams {
    /// Passes the input on, delayed by the latency.
    #[id = "bypass"]
    pub(crate) bypass: BoolParam,
    /// Gain before everything, in dB.
    #[id = "input"]
    pub(crate) input: FloatParam,
    /// Level of the interface: dBu of a sine at full scale, used when calibration is on.
    #[id = "input_dbu"]
    pub(crate) input_dbu: FloatParam,
    /// Whether the input is calibrated to the level that the model was captured at.
    #[id = "calibrate"]
    pub(crate) calibrate: BoolParam,
    /// Whether the gate is on.
    #[id = "gate"]
    pub(crate) gate: BoolParam,
    /// Level below which the gate closes, in dB relative to full scale.
    #[id = "gate_threshold"]
    pub(crate) gate_threshold: FloatParam,
    /// Whether the model plays.
    #[id = "model"]
    pub(crate) model: BoolParam,
    /// The size of a model that comes in several: 0 the smallest, 1 the largest.
    #[id = "quality"]
    pub(crate) quality: FloatParam,
    /// How many times the model's rate it runs at.
    #[id = "oversampling"]
    pub(crate) oversampling: EnumParam<Oversampling>,
    /// Whether the tone stack is on.
    #[id = "tone"]
    pub(crate) tone: BoolParam,
    /// Gain around 150 Hz and below, in dB.
    #[id = "bass"]
    pub(crate) bass: FloatParam,
    /// Gain around 425 Hz, in dB.
    #[id = "middle"]
    pub(crate) middle: FloatParam,
    /// Gain around 1800 Hz and above, in dB.
    #[id = "treble"]
    pub(crate) treble: FloatParam,
    /// Whether the cabinet plays.
    #[id = "cabinet"]
    pub(crate) cabinet: BoolParam,
    /// Whether what is below 5 Hz is taken out.
    #[id = "dc_block"]
    pub(crate) dc_block: BoolParam,
    /// What the level of the output is tied to.
    #[id = "output_mode"]
    pub(crate) output_mode: EnumParam<OutputMode>,
    /// Gain after everything, in dB.
    #[id = "output"]
    pub(crate) output: FloatParam,
    /// How much of the processed signal is heard beside the dry one.
    #[id = "mix"]
    pub(crate) mix: FloatParam,
    /// The model's own knobs, in the order of its file. What the model has no knob for moves nothing.
    #[nested]
    pub(crate) knobs: Knobs,
    /// Counts the files that were loaded, so that the host sees that the project has changed.
    #[id = "revision"]
    pub(crate) revision: IntParam,
    /// The model and the cabinet that are loaded.
    #[persist = "session"]
    pub(crate) session: Kept,
}

/// Parameters `knob1` to `knob8`, from 0 (fully left) to 1 (fully right).
pub(crate) struct Knobs([FloatParam; KNOBS]);

// SAFETY: the parameters lie in the struct itself, so they live as long as it does.
unsafe impl Params for Knobs {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let named =
            |(i, knob): (usize, &FloatParam)| (format!("knob{}", i + 1), knob.as_ptr(), String::new());
        self.0.iter().enumerate().map(named).collect()
    }
}

impl Default for Knobs {
    fn default() -> Knobs {
        let knob = |i: usize| {
            FloatParam::new(format!("Knob {}", i + 1), 0.5, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_value_to_string(formatters::v2s_f32_rounded(2))
        };
        Knobs(std::array::from_fn(knob))
    }
}

impl Knobs {
    /// The parameter of the model's knob `index`.
    pub(crate) fn get(&self, index: usize) -> Option<&FloatParam> {
        self.0.get(index)
    }

    /// Turns the first knobs to these positions, without telling the host.
    pub(crate) fn set(&self, positions: &[f32]) {
        for (knob, position) in self.0.iter().zip(positions) {
            // SAFETY: the pointer is used while `self` lives.
            unsafe { knob.as_ptr()._internal_set_normalized_value(*position) };
        }
    }
}

/// A value from 0 to 1; what is no number is 0.
pub(crate) fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

/// What a model is prepared with before it plays; none of it can change while it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Preparation {
    /// 1, 2 or 4.
    pub(crate) oversample: usize,
    /// From 0, the smallest, to 1.
    pub(crate) size: f32,
    /// Where the knobs stand, from 0 to 1; beyond those of the model 0.
    pub(crate) knobs: [f32; KNOBS],
}

impl AmpParams {
    /// How the parameters want a model of `n_knobs` knobs to be prepared.
    pub(crate) fn preparation(&self, n_knobs: usize) -> Preparation {
        let mut knobs = [0.0; KNOBS];
        for (position, knob) in knobs.iter_mut().zip(&self.knobs.0).take(n_knobs) {
            // A project may hold anything.
            *position = unit(knob.value());
        }
        Preparation { oversample: self.oversampling.value().factor(), size: self.quality.value(), knobs }
    }
}

/// How many times the model's rate it runs at.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Oversampling {
    /// As it was trained.
    #[id = "1x"]
    #[name = "1x"]
    One,
    /// Twice.
    #[id = "2x"]
    #[name = "2x"]
    Two,
    /// Four times.
    #[id = "4x"]
    #[name = "4x"]
    Four,
}

impl Oversampling {
    /// As a number.
    pub(crate) fn factor(self) -> usize {
        match self {
            Oversampling::One => 1,
            Oversampling::Two => 2,
            Oversampling::Four => 4,
        }
    }
}

/// What the level of the output is tied to.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OutputMode {
    /// As the model gives it.
    #[id = "raw"]
    #[name = "Raw"]
    Raw,
    /// Every model equally loud.
    #[id = "normalised"]
    #[name = "Normalised"]
    Normalised,
    /// As loud as the captured device, by the levels in the model's file.
    #[id = "calibrated"]
    #[name = "Calibrated"]
    Calibrated,
}

impl Default for AmpParams {
    fn default() -> AmpParams {
        AmpParams {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            input: decibels("Input", 0.0, RANGE_DB),
            input_dbu: FloatParam::new("Interface level", 12.0, FloatRange::Linear { min: -10.0, max: 30.0 })
                .with_unit(" dBu")
                .with_step_size(0.1),
            calibrate: BoolParam::new("Calibrate input", false),
            gate: BoolParam::new("Gate", true),
            gate_threshold: FloatParam::new(
                "Gate threshold",
                -75.0,
                FloatRange::Linear { min: -100.0, max: 0.0 },
            )
            .with_unit(" dB")
            .with_step_size(0.1),
            model: BoolParam::new("Model", true),
            quality: FloatParam::new("Quality", 1.0, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            oversampling: EnumParam::new("Oversampling", Oversampling::One).non_automatable(),
            tone: BoolParam::new("Tone stack", true),
            bass: decibels("Bass", 0.0, 20.0),
            middle: decibels("Middle", 0.0, 15.0),
            treble: decibels("Treble", 0.0, 10.0),
            cabinet: BoolParam::new("Cabinet", true),
            dc_block: BoolParam::new("DC block", true),
            output_mode: EnumParam::new("Output mode", OutputMode::Normalised),
            output: decibels("Output", 0.0, RANGE_DB),
            mix: FloatParam::new("Mix", 1.0, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            knobs: Knobs::default(),
            revision: IntParam::new("Revision", 0, IntRange::Linear { min: 0, max: REVISIONS - 1 })
                .non_automatable()
                .hide(),
            session: Kept::default(),
        }
    }
}

/// A gain between `-range` and `range` dB. The value is in dB, so that automation moves evenly to the ear.
fn decibels(name: &'static str, default: f32, range: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: -range, max: range })
        .with_unit(" dB")
        .with_step_size(0.1)
}
