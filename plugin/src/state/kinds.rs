//! Kinds of parameters that several plugins have.

use std::sync::Arc;

use nice_plug::prelude::*;

use crate::ui::text::number;

/// The bottom of a fader, in dB, where it is silent.
pub(crate) const SILENT_DB: f32 = -60.0;
/// The top of a fader, in dB.
const LOUDEST_DB: f32 = 12.0;
/// The shape of a fader's travel: 0 dB is at 0.69 of it, -12 dB at 0.44, -24 dB at 0.25.
const TRAVEL: f32 = 2.0;

/// A fader. Its value is in dB.
pub(crate) fn fader(name: &'static str) -> FloatParam {
    let range = FloatRange::Skewed { min: SILENT_DB, max: LOUDEST_DB, factor: TRAVEL };
    FloatParam::new(name, 0.0, range)
        .with_unit(" dB")
        .with_step_size(0.1)
        .with_value_to_string(Arc::new(|db| {
            // A fader that nearly rests at zero does so without a sign.
            if db <= SILENT_DB {
                "-∞".to_owned()
            } else {
                format!("{:+.1}", db + 0.0).replace("+0.0", "0.0")
            }
        }))
        .with_string_to_value(Arc::new(|text: &str| {
            let off =
                ["-inf", "-∞", "−∞", "off"].iter().any(|off| text.trim().to_lowercase().starts_with(off));
            if off {
                return Some(SILENT_DB);
            }
            number(text).parse::<f32>().ok().filter(|value| value.is_finite())
        }))
}

/// The gain of a fader at a value in dB.
pub(crate) fn fader_gain(db: f32) -> f32 {
    if db > SILENT_DB { util::db_to_gain(db) } else { 0.0 }
}

/// A share from 0 to 1, shown in percent.
pub(crate) fn percentage(name: impl Into<String>, default: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(typed(100.0))
}

/// Reads a value that was typed in a host, with a decimal comma too; `of_one` is what 1 is shown as.
pub(crate) fn typed(of_one: f32) -> Arc<impl Fn(&str) -> Option<f32> + Send + Sync> {
    Arc::new(move |text: &str| {
        let value = number(text).parse::<f32>().ok()?;
        Some(value / of_one).filter(|value| value.is_finite())
    })
}
