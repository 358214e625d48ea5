//! A place in the signal path whose bank can be replaced during playback: without a lock, with a fade, freed elsewhere.

use crate::bank::Bank;
use crate::error::{Error, Result};
use crate::levels::ModelLevels;
use crate::planes::Planes;
use rtrb::{Consumer, Producer, RingBuffer};
use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

/// The most banks that may wait.
const CAPACITY: usize = 8;

/// The side of a slot off the audio thread: it sends banks, and frees those that come back.
#[derive(Debug)]
pub struct SlotSender {
    there: Producer<Box<Bank>>,
    back: Consumer<Box<Bank>>,
    fade: Arc<AtomicU32>,
    held: Arc<AtomicUsize>,
    n_channels: usize,
    max_latency: usize,
    ramp: u32,
}

/// The side of a slot that plays.
///
/// A new bank fades in over the old one with equal power: the gains are sine and cosine, so that unrelated signals keep
/// their loudness. A bank that [follows](Bank::following) fades in linearly. During a fade both banks play. The audio thread
/// frees nothing: a bank that has faded out goes back to the [`SlotSender`]. If several banks wait, only the last plays.
///
/// Banks of different latencies are aligned during a fade: the earlier one is delayed. The fade begins after the new bank
/// has played twice its latency, so that it does not begin with a gap. The latency of the slot is the longer one: it rises at
/// the start of the fade, over the time given to [`slot`], and falls after it. With [`SlotSender::hold_latency`] it stays
/// the same, and no change shifts the audio.
#[derive(Debug)]
pub struct Slot {
    now: Box<Bank>,
    next: Option<Box<Bank>>,
    there: Consumer<Box<Bank>>,
    back: Producer<Box<Bank>>,
    fade: Arc<AtomicU32>,
    held: Arc<AtomicUsize>,
    /// The latency that all banks are delayed to.
    latency: usize,
    ramp: u32,
    /// Samples since the new bank began to play; how many of them are unheard; the length of the fade after those.
    done: u32,
    unheard: u32,
    length: u32,
    other: Planes,
    scratch: Planes,
    /// What the banks would put out at rest, one channel; and that of the older bank in a fade.
    rest: Planes,
    other_rest: Planes,
}

/// A slot that passes the signal unchanged until a bank is sent.
///
/// `fade_samples` is the initial length of fades, and the length of changes of latency. No latency may exceed `max_latency`,
/// in samples.
///
/// # Errors
/// `n_channels` is 0, or `max_latency` above [`Delay::MAX_SAMPLES`](neurdsp_dsp::live::Delay::MAX_SAMPLES).
///
/// # Example
///
/// ```no_run
/// use neurdsp_rt::{Bank, ModelLevels, Planes, slot};
///
/// let (mut sender, mut slot) = slot(1, 960, 8192)?;
/// let model = neurdsp_models::load("amp.safetensors")?;
/// sender.send(Bank::new(vec![model.build_stream()?], ModelLevels::default())?)?;
///
/// // On the audio thread:
/// let mut planes = Planes::new(1);
/// planes.set_len(64);
/// slot.process(&mut planes);
/// # Ok::<(), neurdsp_rt::Error>(())
/// ```
pub fn slot(n_channels: usize, fade_samples: u32, max_latency: usize) -> Result<(SlotSender, Slot)> {
    if n_channels == 0 {
        return Err(Error::parameter("n_channels", n_channels, "it must be at least 1"));
    }
    let (there, from) = RingBuffer::new(CAPACITY);
    // Two more than can be sent: the playing banks come back as well, so the audio thread always has room.
    let (to, back) = RingBuffer::new(CAPACITY + 2);
    let fade = Arc::new(AtomicU32::new(fade_samples));
    let held = Arc::new(AtomicUsize::new(0));
    let slot = Slot {
        now: Box::new(Bank::passing().with_delays(n_channels, max_latency, fade_samples)?),
        next: None,
        there: from,
        back: to,
        fade: Arc::clone(&fade),
        held: Arc::clone(&held),
        latency: 0,
        ramp: fade_samples,
        done: 0,
        unheard: 0,
        length: 0,
        other: Planes::new(n_channels),
        scratch: Planes::new(n_channels),
        rest: Planes::new(1),
        other_rest: Planes::new(1),
    };
    Ok((SlotSender { there, back, fade, held, n_channels, max_latency, ramp: fade_samples }, slot))
}

impl SlotSender {
    /// Prewarms a bank and sends it. It begins to play at the next block, or after the current fade.
    ///
    /// # Errors
    /// [`Error::Busy`] if eight wait already; a bank of another number of channels, or of too long a latency.
    pub fn send(&mut self, mut bank: Bank) -> Result<()> {
        self.collect();
        if ![0, self.n_channels].contains(&bank.n_streams()) {
            let allowed = format!("there must be one for each of the {} channels", self.n_channels);
            return Err(Error::parameter("the number of streams", bank.n_streams(), allowed));
        }
        if bank.latency() > self.max_latency {
            let allowed = format!("it must be at most {} samples", self.max_latency);
            return Err(Error::parameter("the latency", bank.latency(), allowed));
        }
        bank.prewarm();
        let bank = bank.with_delays(self.n_channels, self.max_latency, self.ramp)?;
        self.there.push(Box::new(bank)).map_err(|_| Error::Busy { waiting: CAPACITY })
    }

    /// Sets the length of fades from now on; 0 switches at once.
    pub fn set_fade(&self, samples: u32) {
        self.fade.store(samples, Relaxed);
    }

    /// Sets a minimum latency from the next block on. If it is the longest latency of all banks to be sent, the latency
    /// never changes.
    ///
    /// # Errors
    /// More than the slot's `max_latency`.
    pub fn hold_latency(&self, samples: usize) -> Result<()> {
        if samples > self.max_latency {
            let allowed = format!("it must be at most {} samples", self.max_latency);
            return Err(Error::parameter("the latency", samples, allowed));
        }
        self.held.store(samples, Relaxed);
        Ok(())
    }

    /// The minimum that [`hold_latency`](Self::hold_latency) set, 0 initially.
    #[must_use]
    pub fn held_latency(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// Frees the banks that have come back, and returns their number. [`send`](Self::send) does it too.
    pub fn collect(&mut self) -> usize {
        std::iter::from_fn(|| self.back.pop().ok()).count()
    }
}

impl Slot {
    /// The latency in samples: the minimum that is set, or that of the later bank if it is longer.
    #[must_use]
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// The receptive field in samples: the longest of the banks that play.
    #[must_use]
    pub fn receptive_field(&self) -> usize {
        let banks = [Some(&self.now), self.next.as_ref()];
        banks.into_iter().flatten().map(|bank| bank.receptive_field()).max().unwrap_or(0)
    }

    /// Whether a fade is in progress.
    #[must_use]
    pub fn is_fading(&self) -> bool {
        self.next.is_some()
    }

    /// Sets the gains of the banks, before and after the model, to what `gains_db` gives for their levels.
    pub fn set_gains(&mut self, gains_db: impl Fn(&ModelLevels) -> [f64; 2]) {
        for bank in [Some(&mut self.now), self.next.as_mut()].into_iter().flatten() {
            bank.set_gains(gains_db(bank.levels()));
        }
    }

    /// Takes a bank that was sent, if no fade is in progress; tells whether it did.
    ///
    /// [`process`](Self::process) does it too. A caller that sets gains does it first, so that a new bank has them from its
    /// first sample on.
    pub fn receive(&mut self) -> bool {
        let took = self.next.is_none() && self.take();
        self.align(took);
        took
    }

    /// Delays the banks to their common latency. `is_new` says that the next bank has not played yet.
    fn align(&mut self, is_new: bool) {
        let next = self.next.as_ref().map_or(0, |bank| bank.latency());
        self.latency = self.held.load(Relaxed).max(self.now.latency()).max(next);
        let moves = self.now.delay_to(self.latency, false);
        if let Some(next) = &mut self.next {
            next.delay_to(self.latency, is_new);
        }
        if is_new {
            // Delaying filters ring for as long again after a sound sets in; and an old bank whose delay changes is aligned
            // only after that.
            let moved = if moves { self.ramp } else { 0 };
            let listens = self.next.as_ref().and_then(|bank| bank.follows()).unwrap_or(0);
            self.unheard = moved.max((self.latency + next) as u32).max(listens);
        }
    }

    /// Takes the newest bank that was sent, if there is one.
    fn take(&mut self) -> bool {
        // There must be room to send back both the bank taken and the one that it replaces.
        while self.back.slots() >= 2
            && let Ok(bank) = self.there.pop()
        {
            if let Some(unheard) = self.next.replace(bank) {
                self.give_back(unheard);
            }
        }
        (self.done, self.length) = (0, self.fade.load(Relaxed));
        self.next.is_some()
    }

    /// Takes a bank that was sent, and plays the next samples.
    pub fn process(&mut self, planes: &mut Planes) {
        self.receive();
        self.play(planes);
    }

    /// Plays the next samples with the present banks.
    pub(crate) fn play(&mut self, planes: &mut Planes) {
        if self.next.is_some() && self.has_faded() {
            self.finish();
        }
        let Some(next) = self.next.as_mut() else {
            return self.now.process(planes, &mut self.scratch, &mut self.rest);
        };
        self.other.copy_from(planes);
        self.now.process(&mut self.other, &mut self.scratch, &mut self.other_rest);
        next.process(planes, &mut self.scratch, &mut self.rest);
        let is_linear = next.follows().is_some();
        let fade = |new: &mut [f32], old: &[f32]| {
            for (i, (new, old)) in new.iter_mut().zip(old).enumerate() {
                let heard = (self.done + i as u32 + 1).saturating_sub(self.unheard);
                if heard == 0 {
                    *new = *old;
                } else if heard < self.length {
                    let share = heard as f32 / self.length as f32;
                    let (rising, falling) =
                        if is_linear { (share, 1.0 - share) } else { (share * FRAC_PI_2).sin_cos() };
                    *new = *new * rising + *old * falling;
                }
            }
        };
        for (index, new) in planes.channels_mut().enumerate() {
            fade(new, self.other.channel(index));
        }
        fade(self.rest.channel_mut(0), self.other_rest.channel(0));
        self.done += planes.len() as u32;
        if self.has_faded() {
            self.finish();
        }
    }

    /// What the last samples would have been at rest, with the gains and the fade that they had: one channel.
    pub(crate) fn rest(&self) -> &Planes {
        &self.rest
    }

    fn has_faded(&self) -> bool {
        self.done >= self.unheard.saturating_add(self.length)
    }

    /// Ends the fade: only the new bank plays.
    pub(crate) fn finish(&mut self) {
        if let Some(next) = self.next.take() {
            let old = std::mem::replace(&mut self.now, next);
            self.give_back(old);
        }
    }

    fn give_back(&mut self, bank: Box<Bank>) {
        if let Err(rtrb::PushError::Full(bank)) = self.back.push(bank) {
            // Cannot happen, since `take` makes sure of room. Leaking is safe here, freeing is not.
            std::mem::forget(bank);
        }
    }

    /// Forgets the signal of one channel.
    pub(crate) fn reset_channel(&mut self, index: usize) {
        for bank in [Some(&mut self.now), self.next.as_mut()].into_iter().flatten() {
            bank.reset_channel(index);
        }
    }

    /// Forgets the signal; a fade in progress ends.
    pub fn reset(&mut self) {
        self.finish();
        self.align(false);
        self.now.reset();
    }
}
