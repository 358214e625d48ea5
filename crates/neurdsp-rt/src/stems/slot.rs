//! A place for a network that can be replaced while it plays: without a lock, with a fade, freed elsewhere.

use super::bank::StemBank;
use crate::planes::Planes;
use rtrb::{Consumer, Producer, RingBuffer};

/// The most banks that may wait.
pub(super) const CAPACITY: usize = 8;

/// The side that plays. A new network hears the sound for as long as it is late, unheard, and then fades in linearly over the one
/// before: both take the same sound apart, so their stems are alike. The latency of both is the longer one.
#[derive(Debug)]
pub(super) struct StemSlot {
    now: Box<StemBank>,
    next: Option<Box<StemBank>>,
    there: Consumer<Box<StemBank>>,
    back: Producer<Box<StemBank>>,
    latency: usize,
    /// Samples since the next network began to play; how many of them are unheard; the length of the fade after those.
    done: u32,
    unheard: u32,
    length: u32,
    other: Planes,
}

/// The other side of a slot: what is sent, and what comes back to be freed.
pub(super) type Mail = (Producer<Box<StemBank>>, Consumer<Box<StemBank>>);

impl StemSlot {
    /// A slot with this bank, for `n_stems`; fades take `fade_samples`.
    pub(super) fn new(bank: StemBank, n_stems: usize, fade_samples: u32) -> (StemSlot, Mail) {
        let (there, from) = RingBuffer::new(CAPACITY);
        // Two more than can be sent: the playing banks come back as well, so the audio thread always has room.
        let (to, back) = RingBuffer::new(CAPACITY + 2);
        let slot = StemSlot {
            now: Box::new(bank),
            next: None,
            there: from,
            back: to,
            latency: 0,
            done: 0,
            unheard: 0,
            length: fade_samples,
            other: Planes::new(2 * n_stems),
        };
        (slot, (there, back))
    }

    pub(super) fn latency(&self) -> usize {
        self.latency
    }

    pub(super) fn receptive_field(&self) -> usize {
        let next = self.next.as_ref().map_or(0, |bank| bank.receptive_field());
        self.now.receptive_field().max(next)
    }

    pub(super) fn is_fading(&self) -> bool {
        self.next.is_some()
    }

    /// Takes the newest bank that was sent, unless a fade is in progress.
    pub(super) fn receive(&mut self) {
        if self.next.is_some() {
            return;
        }
        // There must be room to send back both the bank taken and the one that it replaces.
        while self.back.slots() >= 2
            && let Ok(bank) = self.there.pop()
        {
            if let Some(skipped) = self.next.replace(bank) {
                self.give_back(skipped);
            }
        }
        self.align();
    }

    /// Delays both banks to their common latency.
    fn align(&mut self) {
        let next = self.next.as_ref().map_or(0, |bank| bank.latency());
        self.latency = self.now.latency().max(next);
        self.now.delay_to(self.latency, false);
        if let Some(bank) = &mut self.next
            && self.done == 0
        {
            bank.delay_to(self.latency, true);
            // The other one may have to be delayed first, which takes a fade of its own.
            self.unheard = (self.latency + next) as u32 + self.length;
        }
    }

    /// Takes the next samples of both channels apart.
    pub(super) fn process(&mut self, input: &Planes, stems: &mut Planes) {
        stems.set_len(input.len());
        self.now.process(input, stems);
        let Some(next) = &mut self.next else { return };
        self.other.set_len(input.len());
        next.process(input, &mut self.other);
        for (index, old) in stems.channels_mut().enumerate().take(self.other.n_channels()) {
            for (i, (old, new)) in old.iter_mut().zip(self.other.channel(index)).enumerate() {
                let heard = (self.done + i as u32 + 1).saturating_sub(self.unheard);
                if heard > 0 {
                    let share = (heard as f32 / self.length.max(1) as f32).min(1.0);
                    *old += share * (new - *old);
                }
            }
        }
        self.done = self.done.saturating_add(input.len() as u32);
        if self.done >= self.unheard.saturating_add(self.length) {
            self.finish();
        }
    }

    /// Ends the fade: only the new bank plays.
    pub(super) fn finish(&mut self) {
        if let Some(next) = self.next.take() {
            let old = std::mem::replace(&mut self.now, next);
            self.give_back(old);
        }
        self.done = 0;
        self.align();
    }

    fn give_back(&mut self, bank: Box<StemBank>) {
        if let Err(rtrb::PushError::Full(bank)) = self.back.push(bank) {
            // Cannot happen, since `receive` makes sure of room. Leaking is safe here, freeing is not.
            std::mem::forget(bank);
        }
    }

    /// Takes what was sent, at once, and forgets the signal.
    pub(super) fn reset(&mut self) {
        self.finish();
        self.receive();
        self.finish();
        self.now.reset();
    }
}
