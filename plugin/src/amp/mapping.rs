//! The parameters of the chain, each with the plugin's parameter for it.
//!
//! This is the one place where the two are matched. Names differ because a plugin's IDs never change; ranges and defaults are
//! those of the chain, but for the ones given here. [`AmpParams`](super::params::AmpParams) is made from it.

use neurdsp_rt::Parameter;

/// A parameter of the chain, as the plugin offers it. Switches are 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) chain: Parameter,
    /// The ID of the plugin's parameter.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compare the parameters with the table"))]
    pub(super) id: &'static str,
    /// A range narrower than the chain's.
    range: Option<[f32; 2]>,
    /// A default other than the chain's.
    default: Option<f32>,
}

impl Row {
    const fn new(chain: Parameter, id: &'static str) -> Row {
        Row { chain, id, range: None, default: None }
    }

    const fn within(self, least: f32, largest: f32) -> Row {
        Row { range: Some([least, largest]), ..self }
    }

    const fn at(self, default: f32) -> Row {
        Row { default: Some(default), ..self }
    }

    /// Least and largest value.
    pub(super) fn range(&self) -> [f32; 2] {
        self.range.unwrap_or_else(|| self.chain.range())
    }

    /// The value in a new instance.
    pub(super) fn default(&self) -> f32 {
        self.default.unwrap_or_else(|| self.chain.default_value())
    }
}

/// Reach of the gains before and after everything: a knob over the chain's 60 dB would be too coarse.
const GAIN_DB: f32 = 24.0;

pub(super) const INPUT: Row = Row::new(Parameter::InputGainDb, "input").within(-GAIN_DB, GAIN_DB);
pub(super) const INPUT_DBU: Row = Row::new(Parameter::InterfaceLevelDbu, "input_dbu").within(-10.0, 30.0);
pub(super) const CALIBRATE: Row = Row::new(Parameter::CalibrateInput, "calibrate");
// In a new instance the gate is on, and every model is equally loud.
pub(super) const GATE: Row = Row::new(Parameter::GateOn, "gate").at(1.0);
pub(super) const GATE_THRESHOLD: Row = Row::new(Parameter::GateThresholdDb, "gate_threshold").at(-75.0);
pub(super) const MODEL: Row = Row::new(Parameter::ModelOn, "model");
pub(super) const TONE: Row = Row::new(Parameter::ToneOn, "tone");
pub(super) const BASS: Row = Row::new(Parameter::BassDb, "bass");
pub(super) const MIDDLE: Row = Row::new(Parameter::MidDb, "middle");
pub(super) const TREBLE: Row = Row::new(Parameter::TrebleDb, "treble");
pub(super) const CABINET: Row = Row::new(Parameter::CabinetOn, "cabinet");
pub(super) const DC_BLOCK: Row = Row::new(Parameter::DcBlockOn, "dc_block");
pub(super) const OUTPUT_MODE: Row = Row::new(Parameter::OutputMode, "output_mode").at(1.0);
pub(super) const OUTPUT: Row = Row::new(Parameter::OutputGainDb, "output").within(-GAIN_DB, GAIN_DB);
pub(super) const MIX: Row = Row::new(Parameter::Mix, "mix");

/// The parameters that the plugin offers.
#[cfg(test)]
pub(super) const OFFERED: [Row; 15] = [
    INPUT,
    INPUT_DBU,
    CALIBRATE,
    GATE,
    GATE_THRESHOLD,
    MODEL,
    TONE,
    BASS,
    MIDDLE,
    TREBLE,
    CABINET,
    DC_BLOCK,
    OUTPUT_MODE,
    OUTPUT,
    MIX,
];

/// The parameters that the plugin leaves at the chain's defaults: one knob is enough for a gate.
#[cfg(test)]
pub(super) const LEFT_OUT: [Parameter; 4] =
    [Parameter::GateHysteresisDb, Parameter::GateAttackMs, Parameter::GateHoldMs, Parameter::GateReleaseMs];

/// The plugin's parameters that the chain has no parameter for. A model is prepared with the first ones, which Python calls
/// `size`, `oversample` and the names of the knobs; bypass is a mix of 0, and the revision counts loaded files.
#[cfg(test)]
pub(super) const OWN: [&str; 14] = [
    "quality",
    "oversampling",
    "knob1",
    "knob2",
    "knob3",
    "knob4",
    "knob5",
    "knob6",
    "knob7",
    "knob8",
    "input_channels",
    "ceiling",
    "bypass",
    "revision",
];

#[cfg(test)]
mod tests {
    use neurdsp_rt::Parameter;

    use super::{LEFT_OUT, OFFERED};

    #[test]
    fn every_parameter_of_the_chain_is_offered_once_or_left_out() {
        for parameter in Parameter::all() {
            let offered = OFFERED.iter().filter(|row| row.chain == parameter).count();
            let left_out = LEFT_OUT.iter().filter(|left_out| **left_out == parameter).count();
            assert_eq!(offered + left_out, 1, "{}", parameter.name());
        }
    }

    #[test]
    fn ranges_and_defaults_are_within_those_of_the_chain() {
        for row in OFFERED {
            let ([least, largest], [from, to]) = (row.chain.range(), row.range());
            assert!(least <= from && to <= largest, "{}", row.id);
            assert!((from..=to).contains(&row.default()), "{}", row.id);
        }
    }
}
