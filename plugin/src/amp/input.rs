//! Which inputs are played, and on how many channels.
//!
//! One input, or the sum of both, is one signal: it plays through one channel of the chain, at half the cost, and is heard on both
//! sides. A change makes no click. The inputs are faded; a second channel that begins plays unheard until it has the same past as the
//! first, and one that ends plays on until both are alike.

use neurdsp_rt::AmpChain;

use super::params::InputChannels;
use crate::audio::Ramp;

/// How many channels of the chain play.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Width {
    /// One, heard on both sides.
    One,
    /// Two, of which the second is unheard for as many samples more.
    Opening(usize),
    Two,
    /// Two, which hear the same; in as many samples they are alike.
    Closing(usize),
}

/// The input of one instance with two outputs.
#[derive(Debug)]
pub(super) struct Input {
    /// Whether there are two inputs.
    is_stereo: bool,
    /// Samples after which the filters of the chain have forgotten.
    decay: usize,
    width: Width,
    /// Shares of left and right in what the first channel hears, then in what the second does.
    shares: [Ramp; 4],
    /// Share of the second channel in what the right side hears; the rest is the first.
    own: Ramp,
}

/// The shares for a choice.
fn shares(choice: InputChannels) -> [f32; 4] {
    match choice {
        InputChannels::Stereo => [1.0, 0.0, 0.0, 1.0],
        InputChannels::Left => [1.0, 0.0, 1.0, 0.0],
        InputChannels::Right => [0.0, 1.0, 0.0, 1.0],
        InputChannels::Sum => [1.0; 4],
    }
}

impl Input {
    /// The input of an instance with one or two inputs, at a sample rate in Hz; fades take `ramp_samples`.
    pub(super) fn new(is_stereo: bool, sample_rate: usize, ramp_samples: u32) -> Input {
        let ramp = |value| Ramp::new(value, ramp_samples);
        Input {
            is_stereo,
            decay: sample_rate,
            width: Width::Two,
            shares: shares(InputChannels::Stereo).map(ramp),
            own: ramp(1.0),
        }
    }

    /// Whether there is one input for two outputs.
    pub(super) fn is_mono(&self) -> bool {
        !self.is_stereo
    }

    /// The choice that counts: a single input is the left one.
    fn counting(&self, choice: InputChannels) -> InputChannels {
        if self.is_stereo { choice } else { InputChannels::Left }
    }

    /// Completes every change, before any sound.
    pub(super) fn reset(&mut self, choice: InputChannels, chain: &mut AmpChain) {
        let choice = self.counting(choice);
        let is_wide = choice == InputChannels::Stereo;
        self.width = if is_wide { Width::Two } else { Width::One };
        chain.set_channels(if is_wide { 2 } else { 1 });
        self.own.set(if is_wide { 1.0 } else { 0.0 });
        self.own.finish();
        for (share, target) in self.shares.iter_mut().zip(shares(choice)) {
            share.set(target);
            share.finish();
        }
    }

    /// Whether a change is in progress or `choice` begins one.
    pub(super) fn is_changing(&self, choice: InputChannels) -> bool {
        let width = if self.counting(choice) == InputChannels::Stereo { Width::Two } else { Width::One };
        self.width != width || !self.own.rests() || !self.shares.iter().all(Ramp::rests)
    }

    /// Mixes the next samples of both inputs for the channels of the chain.
    pub(super) fn take(&mut self, choice: InputChannels, chain: &mut AmpChain, channels: &mut [&mut [f32]]) {
        let [left, right, ..] = channels else { return };
        let choice = self.counting(choice);
        self.advance(choice, left.len(), chain);
        // While the second channel is not heard yet, both still hear what the first did.
        let holds = choice == InputChannels::Stereo && !(self.width == Width::Two && self.own.rests_at(1.0));
        if !holds {
            for (share, target) in self.shares.iter_mut().zip(shares(choice)) {
                share.set(target);
            }
        }
        let rests = self.shares.iter().all(Ramp::rests);
        if rests && choice == InputChannels::Stereo && !holds {
            return;
        }
        for (left, right) in left.iter_mut().zip(right.iter_mut()) {
            let [a, b, c, d] = self.shares.each_mut().map(Ramp::step);
            // An input without a share must not matter, whatever it holds.
            let part = |share: f32, sample: f32| if share == 0.0 { 0.0 } else { share * sample };
            (*left, *right) = (part(a, *left) + part(b, *right), part(c, *left) + part(d, *right));
        }
    }

    fn advance(&mut self, choice: InputChannels, len: usize, chain: &mut AmpChain) {
        let is_wide = choice == InputChannels::Stereo;
        self.width = match self.width {
            Width::One if is_wide => {
                chain.set_channels(2);
                Width::Opening(chain.receptive_field().min(self.decay))
            }
            Width::Opening(0) if is_wide => Width::Two,
            Width::Opening(left) if is_wide => Width::Opening(left.saturating_sub(len)),
            Width::Opening(_) => Width::Closing(0),
            Width::Two if !is_wide => Width::Closing(chain.receptive_field().saturating_add(self.decay)),
            Width::Closing(_) if is_wide => Width::Two,
            Width::Closing(0) if self.own.rests_at(0.0) => {
                chain.set_channels(1);
                Width::One
            }
            Width::Closing(left) => Width::Closing(left.saturating_sub(len)),
            same => same,
        };
        match self.width {
            Width::Two => self.own.set(1.0),
            Width::Closing(0) => self.own.set(0.0),
            _ => {}
        }
    }

    /// Lets the right side hear what it should of both channels.
    pub(super) fn spread(&mut self, channels: &mut [&mut [f32]]) {
        let [left, right, ..] = channels else { return };
        if self.own.rests_at(0.0) {
            return right.copy_from_slice(left);
        }
        if self.own.rests_at(1.0) {
            return;
        }
        for (left, right) in left.iter().zip(right.iter_mut()) {
            let own = self.own.step();
            *right = *right * own + *left * (1.0 - own);
        }
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_rt::{AmpChain, ChainSettings, Operation};

    use super::{Input, Width};
    use crate::amp::params::InputChannels;

    /// A chain that amplifies by 0.5.
    fn chain() -> AmpChain {
        let (mut chain, mut handle) = AmpChain::new(48_000.0, 2).unwrap();
        let model = neurdsp_models::load_bytes(
            br#"{"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
                 "config": {"receptive_field": 1, "bias": false}, "weights": [0.5]}"#,
        );
        handle.load_model(&model.unwrap(), Operation::at(48_000.0)).unwrap();
        chain.set(&ChainSettings::default().with(neurdsp_rt::Parameter::DcBlockOn, 0.0));
        chain.reset();
        chain
    }

    /// Plays `samples` of left 0.25 and right -0.75; returns both sides.
    fn play(input: &mut Input, choice: InputChannels, chain: &mut AmpChain, samples: usize) -> [Vec<f32>; 2] {
        let (mut left, mut right) = (vec![0.25; samples], vec![-0.75; samples]);
        for (left, right) in left.chunks_mut(64).zip(right.chunks_mut(64)) {
            let channels = &mut [left, right];
            input.take(choice, chain, channels);
            chain.process(channels);
            input.spread(channels);
        }
        [left, right]
    }

    #[test]
    fn each_choice_is_heard_on_the_sides_that_it_says() {
        for (choice, sides) in [
            (InputChannels::Stereo, [0.125, -0.375]),
            (InputChannels::Left, [0.125; 2]),
            (InputChannels::Right, [-0.375; 2]),
            (InputChannels::Sum, [-0.25; 2]),
        ] {
            let (mut chain, mut input) = (chain(), Input::new(true, 48_000, 960));
            input.reset(choice, &mut chain);
            let [left, right] = play(&mut input, choice, &mut chain, 640);
            assert!(
                left.iter().all(|x| *x == sides[0]) && right.iter().all(|x| *x == sides[1]),
                "{choice:?}"
            );
        }
    }

    #[test]
    fn a_single_input_is_heard_on_both_sides_through_one_channel() {
        let (mut chain, mut input) = (chain(), Input::new(false, 48_000, 960));
        input.reset(InputChannels::Stereo, &mut chain);
        let [left, right] = play(&mut input, InputChannels::Stereo, &mut chain, 640);
        assert!(left == right && left.iter().all(|x| *x == 0.125) && input.width == Width::One);
    }

    #[test]
    fn a_change_of_choice_makes_no_step_and_ends_where_it_should() {
        let (mut chain, mut input) = (chain(), Input::new(true, 48_000, 960));
        input.reset(InputChannels::Stereo, &mut chain);
        let mut heard = [vec![], vec![]];
        let choices = [InputChannels::Right, InputChannels::Sum, InputChannels::Stereo, InputChannels::Left];
        for (choice, ends) in choices.into_iter().zip([[-0.375; 2], [-0.25; 2], [0.125, -0.375], [0.125; 2]])
        {
            let sides = play(&mut input, choice, &mut chain, 96_000);
            for ((heard, side), end) in heard.iter_mut().zip(sides).zip(ends) {
                assert!((side[95_999] - end).abs() < 1e-6, "{choice:?}: {}", side[95_999]);
                heard.extend(side);
            }
            assert!(!input.is_changing(choice), "{choice:?}");
        }
        for side in heard {
            let step = side.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            // The whole way of 0.5 takes 960 samples.
            assert!(step < 1.5 * 0.5 / 960.0, "{step}");
        }
    }
}
