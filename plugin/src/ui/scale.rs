//! What a control shows for its positions, which are 0 to 1.

use super::text::number;

/// A linear scale with a default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    /// The position to return to, from 0 to 1.
    pub(crate) default: f32,
    /// What is shown at 0 and at 1.
    pub(crate) range: [f32; 2],
}

impl Scale {
    /// What is shown at a position.
    pub(crate) fn text(&self, position: f32) -> String {
        let [from, to] = self.range;
        let decimals = match (to - from).abs() {
            span if span >= 100.0 => 0,
            span if span >= 10.0 => 1,
            _ => 2,
        };
        format!("{:.decimals$}", from + position * (to - from))
    }

    /// The position, kept in range, at which `text` is shown; none if that is not a number.
    pub(crate) fn position(&self, text: &str) -> Option<f32> {
        let [from, to] = self.range;
        let position = (number(text).parse::<f32>().ok()? - from) / (to - from);
        position.is_finite().then_some(position.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn positions_are_shown_and_read_in_the_units_of_the_scale() {
        let scale = |range| Scale { default: 0.5, range };
        let hertz = scale([100.0, 1000.0]);
        assert_eq!(hertz.text(0.5), "550");
        assert_eq!(hertz.position(" 550 "), Some(0.5));
        assert_eq!(hertz.position("550,0"), Some(0.5));
        assert_eq!(hertz.position("5000"), Some(1.0));
        assert_eq!(hertz.position("loud"), None);
        assert_eq!(scale([0.0, 1.0]).text(0.333_333), "0.33");
        assert_eq!(scale([1.0, 1.0]).position("1"), None);
    }
}
