//! The network that a mixer of stems plays, or none.

use crate::error::{Error, Result};
use crate::planes::Planes;
use neurdsp_dsp::live::{Delay, LiveBlock};
use neurdsp_models::StreamingModel;

/// The most outputs of a network, the residual included.
const MAX_OUTPUTS: usize = 32;

/// A network with the stem that each of its outputs is.
pub(super) struct StemBank {
    stream: Option<Box<dyn StreamingModel>>,
    /// The stem of each output but the last, which is what is in none.
    places: Vec<usize>,
    /// The input is delayed, so that networks of different latencies are aligned.
    delays: [Delay; 2],
    input: Planes,
    /// Where the last output goes, which nobody hears.
    unheard: Planes,
    latency: usize,
}

impl std::fmt::Debug for StemBank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let StemBank { places, latency, stream, .. } = self;
        write!(f, "StemBank {{ is_empty: {}, places: {places:?}, latency: {latency} }}", stream.is_none())
    }
}

impl StemBank {
    /// No network: all stems are silent.
    pub(super) fn empty(max_latency: usize, fade_samples: u32) -> Result<StemBank> {
        let delay = Delay::new(0, max_latency, fade_samples)?;
        Ok(StemBank {
            stream: None,
            places: Vec::new(),
            delays: [delay.clone(), delay],
            input: Planes::new(2),
            unheard: Planes::new(2),
            latency: 0,
        })
    }

    /// A network with two inputs, and two channels for each of its outputs: the stems `places`, and what is in none.
    pub(super) fn new(
        stream: Box<dyn StreamingModel>,
        places: &[usize],
        n_stems: usize,
        max_latency: usize,
        fade_samples: u32,
    ) -> Result<StemBank> {
        let refused = |name: &str, value: usize, allowed: String| Err(Error::parameter(name, value, allowed));
        let n_outputs = places.len() + 1;
        if n_outputs > MAX_OUTPUTS {
            let allowed = format!("it must be at most {MAX_OUTPUTS}");
            return refused("the number of outputs of the network", n_outputs, allowed);
        }
        if stream.in_channels() != 2 {
            let allowed = "it must be 2: left and right".to_owned();
            return refused("the number of inputs of the network", stream.in_channels(), allowed);
        }
        if stream.out_channels() != 2 * n_outputs {
            let allowed = format!("it must be {}: two for each stem and the residual", 2 * n_outputs);
            return refused("the number of output channels of the network", stream.out_channels(), allowed);
        }
        for (index, place) in places.iter().enumerate() {
            if *place >= n_stems || places[..index].contains(place) {
                let allowed = format!("each place may be taken once, and must be below {n_stems}");
                return refused("the place of a stem", *place, allowed);
            }
        }
        if stream.latency() > max_latency {
            let allowed = format!("it must be at most {max_latency} samples");
            return refused("the latency", stream.latency(), allowed);
        }
        let latency = stream.latency();
        let empty = StemBank::empty(max_latency, fade_samples)?;
        Ok(StemBank { stream: Some(stream), places: places.to_vec(), latency, ..empty })
    }

    /// By how many samples the network is late, without the delay before it.
    pub(super) fn latency(&self) -> usize {
        self.latency
    }

    pub(super) fn receptive_field(&self) -> usize {
        self.stream.as_ref().map_or(0, |stream| stream.receptive_field())
    }

    /// Delays the input so that all of it is `latency` samples late: at once, or with a fade.
    pub(super) fn delay_to(&mut self, latency: usize, at_once: bool) {
        for delay in &mut self.delays {
            let samples = latency.saturating_sub(self.latency);
            if at_once { delay.snap(samples) } else { delay.set(samples) }
        }
    }

    pub(super) fn prewarm(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.prewarm();
        }
    }

    pub(super) fn reset(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.reset();
        }
        self.delays.iter_mut().for_each(Delay::reset);
    }

    /// Takes both channels of `input` apart. `stems` has two channels for each stem, and may have more, which stay as they are.
    pub(super) fn process(&mut self, input: &Planes, stems: &mut Planes) {
        let Some(stream) = &mut self.stream else {
            return stems.channels_mut().for_each(|channel| channel.fill(0.0));
        };
        if self.places.len() + 1 < stems.n_channels() / 2 {
            stems.channels_mut().for_each(|channel| channel.fill(0.0));
        }
        self.input.copy_from(input);
        for (delay, channel) in self.delays.iter_mut().zip(self.input.channels_mut()) {
            delay.process(channel);
        }
        self.unheard.set_len(input.len());
        let mut outputs: [&mut [f32]; 2 * MAX_OUTPUTS] = std::array::from_fn(|_| &mut [][..]);
        for (index, channel) in stems.channels_mut().enumerate() {
            if let Some(output) = self.places.iter().position(|place| *place == index / 2) {
                outputs[2 * output + index % 2] = channel;
            }
        }
        let n_outputs = self.places.len() + 1;
        for (index, channel) in self.unheard.channels_mut().enumerate() {
            outputs[2 * (n_outputs - 1) + index] = channel;
        }
        let input = [self.input.channel(0), self.input.channel(1)];
        stream.process_channels(&input, &mut outputs[..2 * n_outputs]);
    }
}
