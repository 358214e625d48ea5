//! The parameters that a host sees and automates. Their IDs never change: projects and presets are keyed by them.

use std::collections::BTreeMap;

use neurdsp_rt::{ChainSettings, Parameter};
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;

use super::files::KnobCard;
use super::mapping::{self, Row};
use super::session::Session;
use crate::state::kinds::{percentage, typed};
use crate::state::values::unit;
use crate::state::{Persisted, SavedParams, revision};

/// Knobs of models that a host can automate, as many as a model can have.
pub(super) const KNOBS: usize = 8;

/// All parameters, and what a project keeps beside them.
#[derive(Params)]
pub(crate) struct AmpParams {
    /// Passes the input on, delayed by the latency.
    #[id = "bypass"]
    pub(super) bypass: BoolParam,
    /// Gain before everything, in dB.
    #[id = "input"]
    pub(super) input: FloatParam,
    /// Level of the interface: dBu of a sine at full scale, used when calibration is on.
    #[id = "input_dbu"]
    pub(super) input_dbu: FloatParam,
    /// Whether the input is calibrated to the level that the model was captured at.
    #[id = "calibrate"]
    pub(super) calibrate: BoolParam,
    /// Whether the gate is on.
    #[id = "gate"]
    pub(super) gate: BoolParam,
    /// Level below which the gate closes, in dB relative to full scale.
    #[id = "gate_threshold"]
    pub(super) gate_threshold: FloatParam,
    /// Whether the model plays.
    #[id = "model"]
    pub(super) model: BoolParam,
    /// The size of a model that comes in several: 0 the smallest, 1 the largest.
    #[id = "quality"]
    pub(super) quality: FloatParam,
    /// How many times the model's rate it runs at.
    #[id = "oversampling"]
    pub(super) oversampling: EnumParam<Oversampling>,
    /// Whether the tone stack is on.
    #[id = "tone"]
    pub(super) tone: BoolParam,
    /// Gain around 150 Hz and below, in dB.
    #[id = "bass"]
    pub(super) bass: FloatParam,
    /// Gain around 425 Hz, in dB.
    #[id = "middle"]
    pub(super) middle: FloatParam,
    /// Gain around 1800 Hz and above, in dB.
    #[id = "treble"]
    pub(super) treble: FloatParam,
    /// Whether the cabinet plays.
    #[id = "cabinet"]
    pub(super) cabinet: BoolParam,
    /// Whether what is below 5 Hz is removed.
    #[id = "dc_block"]
    pub(super) dc_block: BoolParam,
    /// What the level of the output is tied to.
    #[id = "output_mode"]
    pub(super) output_mode: EnumParam<OutputMode>,
    /// Gain after everything, in dB.
    #[id = "output"]
    pub(super) output: FloatParam,
    /// Share of the processed signal; the rest is dry.
    #[id = "mix"]
    pub(super) mix: FloatParam,
    /// The model's own knobs, in the order of its file. Those beyond the model's have no effect.
    #[nested]
    pub(super) knobs: Knobs,
    /// Which of the inputs is played.
    #[id = "input_channels"]
    pub(super) input_channels: EnumParam<InputChannels>,
    /// Whether the output is kept below full scale.
    #[id = "ceiling"]
    pub(super) ceiling: BoolParam,
    /// Counts the files that were loaded, so that the host sees that the project has changed.
    #[id = "revision"]
    pub(super) revision: IntParam,
    /// The model and the cabinet that are loaded.
    #[persist = "session"]
    pub(super) session: Persisted<Session>,
}

impl Default for AmpParams {
    fn default() -> AmpParams {
        AmpParams {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            input: level("Input", mapping::INPUT, " dB"),
            input_dbu: level("Interface level", mapping::INPUT_DBU, " dBu"),
            calibrate: switch("Calibrate input", mapping::CALIBRATE),
            gate: switch("Gate", mapping::GATE),
            gate_threshold: level("Gate threshold", mapping::GATE_THRESHOLD, " dB"),
            model: switch("Model", mapping::MODEL),
            quality: percentage("Quality", 1.0),
            oversampling: EnumParam::new("Oversampling", Oversampling::One).non_automatable(),
            tone: switch("Tone stack", mapping::TONE),
            bass: level("Bass", mapping::BASS, " dB"),
            middle: level("Middle", mapping::MIDDLE, " dB"),
            treble: level("Treble", mapping::TREBLE, " dB"),
            cabinet: switch("Cabinet", mapping::CABINET),
            dc_block: switch("DC block", mapping::DC_BLOCK),
            output_mode: EnumParam::new(
                "Output mode",
                OutputMode::from_index(mapping::OUTPUT_MODE.default() as usize),
            ),
            output: level("Output", mapping::OUTPUT, " dB"),
            mix: percentage("Mix", mapping::MIX.default()),
            knobs: Knobs::default(),
            input_channels: EnumParam::new("Input channels", InputChannels::Stereo).non_automatable(),
            ceiling: BoolParam::new("Ceiling", true),
            revision: revision(),
            session: Persisted::default(),
        }
    }
}

/// A level in steps of 0.1. Its value is in dB, so automation moves evenly to the ear.
fn level(name: &'static str, row: Row, unit: &'static str) -> FloatParam {
    let [min, max] = row.range();
    FloatParam::new(name, row.default(), FloatRange::Linear { min, max })
        .with_unit(unit)
        .with_step_size(0.1)
        .with_string_to_value(typed(1.0))
}

fn switch(name: &'static str, row: Row) -> BoolParam {
    BoolParam::new(name, row.default() >= 0.5)
}

/// Parameters `knob1` to `knob8`, from 0 (fully left) to 1 (fully right).
pub(super) struct Knobs([FloatParam; KNOBS]);

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
                .with_string_to_value(typed(1.0))
        };
        Knobs(std::array::from_fn(knob))
    }
}

impl Knobs {
    /// The parameter of the model's knob `index`.
    pub(super) fn get(&self, index: usize) -> Option<&FloatParam> {
        self.0.get(index)
    }

    /// Turns the first knobs to these positions, without telling the host.
    pub(super) fn set(&self, positions: &[f32]) {
        for (knob, position) in self.0.iter().zip(positions) {
            // SAFETY: the pointer is used while `self` lives.
            unsafe { knob.as_ptr()._internal_set_normalized_value(*position) };
        }
    }
}

/// What a model is prepared with before it plays; changing any of it takes another preparation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Preparation {
    /// 1, 2 or 4.
    pub(super) oversample: usize,
    /// From 0, the smallest, to 1.
    pub(super) size: f32,
    /// Positions of the knobs, from 0 to 1; 0 for those beyond the model's.
    pub(super) knobs: [f32; KNOBS],
}

impl AmpParams {
    /// The preparation that the parameters ask for, of a model with `n_knobs` knobs.
    pub(super) fn preparation(&self, n_knobs: usize) -> Preparation {
        let mut knobs = [0.0; KNOBS];
        for (position, knob) in knobs.iter_mut().zip(&self.knobs.0).take(n_knobs) {
            // A project may hold anything.
            *position = unit(knob.value());
        }
        Preparation { oversample: self.oversampling.value().factor(), size: self.quality.value(), knobs }
    }

    /// The names of the parameters of a model's knobs, by ID: those of the knobs. One that another parameter has is marked.
    pub(super) fn knob_names(&self, knobs: &[KnobCard]) -> BTreeMap<String, String> {
        let map = self.param_map();
        // SAFETY: the pointers are valid as long as `self` lives.
        let others: Vec<String> =
            map.iter().map(|(_, param, _)| unsafe { param.name() }.to_lowercase()).collect();
        let name = |knob: &KnobCard| {
            let title = knob.title();
            if others.contains(&title.to_lowercase()) { format!("{title} (model)") } else { title }
        };
        knobs.iter().zip(1..).map(|(knob, number)| (format!("knob{number}"), name(knob))).collect()
    }

    /// Whether the output is kept below full scale: bypassed sound is not.
    pub(super) fn has_ceiling(&self) -> bool {
        self.ceiling.value() && !self.bypass.value()
    }

    /// The parameters as those of the chain.
    pub(super) fn settings(&self) -> ChainSettings {
        let switch = |param: &BoolParam| if param.value() { 1.0 } else { 0.0 };
        // Bypass is dry sound: faded to, and with the same delay as processed sound.
        let mix = if self.bypass.value() { 0.0 } else { self.mix.value() };
        ChainSettings::default()
            .with(Parameter::InputGainDb, self.input.value())
            .with(Parameter::InterfaceLevelDbu, self.input_dbu.value())
            .with(Parameter::CalibrateInput, switch(&self.calibrate))
            .with(Parameter::GateOn, switch(&self.gate))
            .with(Parameter::GateThresholdDb, self.gate_threshold.value())
            .with(Parameter::ModelOn, switch(&self.model))
            .with(Parameter::ToneOn, switch(&self.tone))
            .with(Parameter::BassDb, self.bass.value())
            .with(Parameter::MidDb, self.middle.value())
            .with(Parameter::TrebleDb, self.treble.value())
            .with(Parameter::CabinetOn, switch(&self.cabinet))
            .with(Parameter::DcBlockOn, switch(&self.dc_block))
            .with(Parameter::OutputMode, f32::from(self.output_mode.value() as u8))
            .with(Parameter::OutputGainDb, self.output.value())
            .with(Parameter::Mix, mix)
    }
}

/// Which of two inputs is played.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum InputChannels {
    /// Each by itself.
    #[id = "stereo"]
    #[name = "Stereo"]
    Stereo,
    /// The left one, on both sides.
    #[id = "left"]
    #[name = "Left"]
    Left,
    /// The right one, on both sides.
    #[id = "right"]
    #[name = "Right"]
    Right,
    /// Their sum, on both sides.
    #[id = "sum"]
    #[name = "Sum"]
    Sum,
}

/// How many times the model's rate it runs at.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Oversampling {
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
    fn factor(self) -> usize {
        match self {
            Oversampling::One => 1,
            Oversampling::Two => 2,
            Oversampling::Four => 4,
        }
    }
}

/// What the level of the output is tied to.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OutputMode {
    /// The level of the model itself.
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

impl SavedParams for AmpParams {
    /// Without a ceiling, states are from before there was one.
    const BEFORE: &'static [(&'static str, ParamValue)] = &[("ceiling", ParamValue::Bool(false))];

    fn revision(&self) -> &IntParam {
        &self.revision
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use neurdsp_rt::Parameter;
    use nice_plug::plugin::{ParamValue, PluginState};
    use nice_plug::prelude::*;

    use super::super::mapping::{LEFT_OUT, OFFERED, OWN};
    use super::{AmpParams, KnobCard};
    use crate::state::SavedParams;

    /// The plain value at a normalised one; of an enum its index.
    fn plain(param: ParamPtr, normalised: f32) -> f32 {
        // SAFETY: the tests keep the parameters alive.
        unsafe { param.preview_plain(normalised) }
    }

    #[test]
    fn knobs_are_named_as_the_models_are_and_never_as_another_parameter() {
        let card = |name: &str| KnobCard {
            name: name.to_owned(),
            scale: crate::ui::Scale { default: 0.5, range: [0.0, 1.0] },
        };
        let names = AmpParams::default().knob_names(&[card("drive"), card("low_cut"), card("bass")]);
        let expected = [("knob1", "Drive"), ("knob2", "Low cut"), ("knob3", "Bass (model)")];
        assert_eq!(names, expected.map(|(id, name)| (id.to_owned(), name.to_owned())).into());
    }

    #[test]
    fn a_state_is_completed_with_defaults_and_an_older_one_has_no_ceiling() {
        let mut state = PluginState {
            version: String::new(),
            params: [("bass".to_owned(), ParamValue::F32(3.0))].into(),
            fields: [].into(),
        };
        AmpParams::complete(&mut state);
        assert_eq!(state.params.len(), AmpParams::default().param_map().len());
        assert!(matches!(state.params["bass"], ParamValue::F32(3.0)));
        assert!(matches!(state.params["input"], ParamValue::F32(0.0)));
        assert!(matches!(state.params["ceiling"], ParamValue::Bool(false)));
        assert!(matches!(&state.params["input_channels"], ParamValue::String(id) if id == "stereo"));
    }

    #[test]
    fn values_are_typed_with_a_comma_or_a_point_with_their_unit_or_without() {
        let params = AmpParams::default();
        for text in ["3,5", "3.5", "3,5 dB", "+3.5 dB"] {
            let typed = params.input.string_to_normalized_value(text).unwrap();
            assert!((params.input.preview_plain(typed) - 3.5).abs() < 1e-4, "{text}");
        }
        assert_eq!(params.mix.string_to_normalized_value("25,0 %"), Some(0.25));
        assert_eq!(params.knobs.get(0).unwrap().string_to_normalized_value("0,75"), Some(0.75));
        for text in ["loud", "nan", "inf", ""] {
            assert_eq!(params.input.string_to_normalized_value(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_and_defaults_are_those_of_the_table() {
        let params = AmpParams::default();
        let map = params.param_map();
        for row in OFFERED {
            let (_, param, _) = map.iter().find(|(id, ..)| id == row.id).unwrap();
            // SAFETY: `params` lives.
            let default = unsafe { param.default_normalized_value() };
            assert_eq!([plain(*param, 0.0), plain(*param, 1.0)], row.range(), "{}", row.id);
            assert!((plain(*param, default) - row.default()).abs() < 1e-4, "{}", row.id);
        }
    }

    #[test]
    fn every_parameter_is_in_the_table_or_the_plugins_own() {
        let ids: BTreeSet<String> = AmpParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        let known = OFFERED.iter().map(|row| row.id).chain(OWN).map(str::to_owned);
        assert_eq!(ids, known.collect());
    }

    #[test]
    fn each_parameter_moves_its_own_parameter_of_the_chain_and_no_other() {
        for row in OFFERED {
            let params = AmpParams::default();
            let before = params.settings();
            let map = params.param_map();
            let (_, param, _) = map.iter().find(|(id, ..)| id == row.id).unwrap();
            // SAFETY: `params` lives, and this is its only thread.
            let moved = unsafe {
                let to = if param.default_normalized_value() > 0.5 { 0.0 } else { 1.0 };
                param._internal_set_normalized_value(to);
                plain(*param, to)
            };
            let after = params.settings();
            for parameter in Parameter::all() {
                let expected = if parameter == row.chain { moved } else { before.get(parameter) };
                assert_eq!(after.get(parameter), expected, "{} by {}", parameter.name(), row.id);
            }
            assert_ne!(after, before, "{}", row.id);
        }
        let settings = AmpParams::default().settings();
        for parameter in LEFT_OUT {
            assert_eq!(settings.get(parameter), parameter.default_value());
        }
    }
}
