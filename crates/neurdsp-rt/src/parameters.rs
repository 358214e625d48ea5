//! The parameters of a chain: names, ranges, defaults, and values that threads share without a lock.

use crate::error::{Error, Result};
use crate::levels::OutputMode;
use neurdsp_dsp::live::{GateSettings, ToneSettings};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A parameter of an [`AmpChain`](crate::AmpChain). Switches are 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Parameter {
    /// Input gain, in dB.
    InputGainDb,
    /// Whether the model is driven at the level of the device; see [`ModelLevels::input_gain_db`](crate::ModelLevels::input_gain_db).
    CalibrateInput,
    /// Level of a sine that reaches 0 dBFS peak at the user's interface, in dBu.
    InterfaceLevelDbu,
    /// Whether the gate is on.
    GateOn,
    /// See [`GateSettings`].
    GateThresholdDb,
    /// See [`GateSettings`].
    GateHysteresisDb,
    /// See [`GateSettings`].
    GateAttackMs,
    /// See [`GateSettings`].
    GateHoldMs,
    /// See [`GateSettings`].
    GateReleaseMs,
    /// Whether the model is on.
    ModelOn,
    /// Whether the tone stack is on.
    ToneOn,
    /// See [`ToneSettings`].
    BassDb,
    /// See [`ToneSettings`].
    MidDb,
    /// See [`ToneSettings`].
    TrebleDb,
    /// Whether the impulse response is on.
    CabinetOn,
    /// Whether the DC block, a high-pass at 5 Hz, is on.
    DcBlockOn,
    /// 0 raw, 1 normalised, 2 calibrated: [`OutputMode`].
    OutputMode,
    /// Output gain, in dB.
    OutputGainDb,
    /// The share of the processed signal, from 0 to 1; the rest is the input, delayed by the latency.
    Mix,
}

/// One row for each parameter: name, range and default.
const TABLE: [(Parameter, &str, [f32; 2], f32); Parameter::COUNT] = [
    (Parameter::InputGainDb, "input_gain_db", [-60.0, 60.0], 0.0),
    (Parameter::CalibrateInput, "calibrate_input", [0.0, 1.0], 0.0),
    (Parameter::InterfaceLevelDbu, "interface_level_dbu", [-30.0, 60.0], 12.0),
    (Parameter::GateOn, "gate_on", [0.0, 1.0], 0.0),
    (Parameter::GateThresholdDb, "gate_threshold_db", [-100.0, 0.0], -70.0),
    (Parameter::GateHysteresisDb, "gate_hysteresis_db", [0.0, 24.0], 6.0),
    (Parameter::GateAttackMs, "gate_attack_ms", [0.0, 1000.0], 1.0),
    (Parameter::GateHoldMs, "gate_hold_ms", [0.0, 5000.0], 50.0),
    (Parameter::GateReleaseMs, "gate_release_ms", [0.0, 5000.0], 100.0),
    (Parameter::ModelOn, "model_on", [0.0, 1.0], 1.0),
    (Parameter::ToneOn, "tone_on", [0.0, 1.0], 1.0),
    (Parameter::BassDb, "bass_db", [-20.0, 20.0], 0.0),
    (Parameter::MidDb, "mid_db", [-15.0, 15.0], 0.0),
    (Parameter::TrebleDb, "treble_db", [-10.0, 10.0], 0.0),
    (Parameter::CabinetOn, "cabinet_on", [0.0, 1.0], 1.0),
    (Parameter::DcBlockOn, "dc_block_on", [0.0, 1.0], 1.0),
    (Parameter::OutputMode, "output_mode", [0.0, 2.0], 0.0),
    (Parameter::OutputGainDb, "output_gain_db", [-60.0, 60.0], 0.0),
    (Parameter::Mix, "mix", [0.0, 1.0], 1.0),
];

impl Parameter {
    /// The number of parameters.
    pub const COUNT: usize = 19;

    /// Every parameter, in order.
    pub fn all() -> impl Iterator<Item = Parameter> {
        TABLE.iter().map(|row| row.0)
    }

    /// Its name in Python and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// The parameter of that name.
    ///
    /// # Errors
    /// If no parameter has this name; the message lists all names.
    pub fn by_name(name: &str) -> Result<Parameter> {
        Parameter::all().find(|parameter| parameter.name() == name).ok_or_else(|| {
            let names: Vec<_> = Parameter::all().map(Parameter::name).collect();
            Error::parameter(
                "the parameter",
                format!("'{name}'"),
                format!("it must be one of {}", names.join(", ")),
            )
        })
    }

    /// The smallest and the largest value.
    #[must_use]
    pub fn range(self) -> [f32; 2] {
        TABLE[self as usize].2
    }

    /// The default value.
    #[must_use]
    pub fn default_value(self) -> f32 {
        TABLE[self as usize].3
    }
}

/// A value for every parameter of a chain.
///
/// # Example
///
/// ```
/// use neurdsp_rt::{ChainSettings, Parameter};
///
/// let settings = ChainSettings::default().with(Parameter::BassDb, 4.0).with(Parameter::Mix, 7.0);
/// assert_eq!(settings.get(Parameter::BassDb), 4.0);
/// assert_eq!(settings.get(Parameter::Mix), 1.0); // kept in range
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainSettings([f32; Parameter::COUNT]);

impl Default for ChainSettings {
    fn default() -> Self {
        ChainSettings(TABLE.map(|row| row.3))
    }
}

impl ChainSettings {
    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, parameter: Parameter) -> f32 {
        self.0[parameter as usize]
    }

    /// Sets a parameter. Values out of range are clamped and NaN is ignored, so the audio thread may call it.
    pub fn set(&mut self, parameter: Parameter, value: f32) {
        if !value.is_nan() {
            let [least, largest] = parameter.range();
            self.0[parameter as usize] = value.clamp(least, largest);
        }
    }

    /// The settings with one parameter set, as [`set`](Self::set) does.
    #[must_use]
    pub fn with(mut self, parameter: Parameter, value: f32) -> ChainSettings {
        self.set(parameter, value);
        self
    }

    /// Sets a parameter to a user's value.
    ///
    /// # Errors
    /// A value out of range, or NaN.
    pub fn try_set(&mut self, parameter: Parameter, value: f64) -> Result<()> {
        let [least, largest] = parameter.range();
        if !(f64::from(least)..=f64::from(largest)).contains(&value) {
            let allowed = format!("it must be {least} to {largest}");
            return Err(Error::parameter(parameter.name(), value, allowed));
        }
        self.set(parameter, value as f32);
        Ok(())
    }

    pub(crate) fn is_on(&self, switch: Parameter) -> bool {
        self.get(switch) >= 0.5
    }

    pub(crate) fn gate(&self) -> GateSettings {
        GateSettings {
            threshold_db: self.get(Parameter::GateThresholdDb),
            hysteresis_db: self.get(Parameter::GateHysteresisDb),
            attack_ms: self.get(Parameter::GateAttackMs),
            hold_ms: self.get(Parameter::GateHoldMs),
            release_ms: self.get(Parameter::GateReleaseMs),
        }
    }

    pub(crate) fn tone(&self) -> ToneSettings {
        ToneSettings {
            bass_db: self.get(Parameter::BassDb),
            mid_db: self.get(Parameter::MidDb),
            treble_db: self.get(Parameter::TrebleDb),
        }
    }

    /// The treatment of the model's output level.
    #[must_use]
    pub fn output_mode(&self) -> OutputMode {
        match self.get(Parameter::OutputMode).round() as i32 {
            1 => OutputMode::Normalised,
            2 => OutputMode::Calibrated,
            _ => OutputMode::Raw,
        }
    }
}

/// Settings that any thread may change and the audio thread reads, without a lock.
///
/// Each value is an atomic of its own. The audio thread checks a counter once per block, and reads the values if it has
/// changed. A block between two stores of one change may see only the first; the next block sees both.
#[derive(Debug)]
pub struct SharedSettings {
    values: [AtomicU32; Parameter::COUNT],
    version: AtomicU64,
}

impl SharedSettings {
    pub(crate) fn new(settings: &ChainSettings) -> SharedSettings {
        SharedSettings {
            values: settings.0.map(|value| AtomicU32::new(value.to_bits())),
            version: AtomicU64::new(0),
        }
    }

    /// The latest values.
    #[must_use]
    pub fn load(&self) -> ChainSettings {
        ChainSettings(std::array::from_fn(|i| f32::from_bits(self.values[i].load(Ordering::Relaxed))))
    }

    /// Sets all values.
    pub fn store(&self, settings: &ChainSettings) {
        for (to, value) in self.values.iter().zip(settings.0) {
            to.store(value.to_bits(), Ordering::Relaxed);
        }
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Sets one value. Values out of range are clamped and NaN is ignored.
    pub fn set(&self, parameter: Parameter, value: f32) {
        if !value.is_nan() {
            let [least, largest] = parameter.range();
            let bits = value.clamp(least, largest).to_bits();
            self.values[parameter as usize].store(bits, Ordering::Relaxed);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// The values, if they have changed since `version`, which is updated.
    pub(crate) fn changed_since(&self, version: &mut u64) -> Option<ChainSettings> {
        let now = self.version.load(Ordering::Acquire);
        (now != *version).then(|| {
            *version = now;
            self.load()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_parameters_and_its_defaults_are_in_range() {
        for (index, (parameter, name, [least, largest], default)) in TABLE.into_iter().enumerate() {
            assert_eq!(parameter as usize, index);
            assert_eq!(Parameter::by_name(name).unwrap(), parameter);
            assert!(least <= default && default <= largest, "{name}");
        }
        let defaults = ChainSettings::default();
        assert_eq!(defaults.gate(), GateSettings::default());
        assert_eq!(defaults.tone(), ToneSettings::default());
    }

    #[test]
    fn what_a_user_gives_is_checked_by_name() {
        let mut settings = ChainSettings::default();
        let error = settings.try_set(Parameter::BassDb, 21.0).unwrap_err().to_string();
        assert_eq!(error, "bass_db is 21, but it must be -20 to 20");
        assert!(settings.try_set(Parameter::BassDb, f64::NAN).is_err());
        assert!(
            Parameter::by_name("base_db")
                .unwrap_err()
                .to_string()
                .contains("'base_db', but it must be one of")
        );
        settings.set(Parameter::OutputMode, 2.0);
        assert_eq!(settings.output_mode(), OutputMode::Calibrated);
    }

    #[test]
    fn a_change_is_seen_once() {
        let shared = SharedSettings::new(&ChainSettings::default());
        let mut version = 0;
        assert!(shared.changed_since(&mut version).is_none());
        shared.set(Parameter::Mix, 0.5);
        assert_eq!(shared.changed_since(&mut version).unwrap().get(Parameter::Mix), 0.5);
        assert!(shared.changed_since(&mut version).is_none());
        shared.set(Parameter::Mix, f32::NAN);
        assert!(shared.changed_since(&mut version).is_none());
    }
}
