//! A slot replaces what plays: with equal power, without freeing on the audio thread, newest first.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::Toy;
use neurdsp_models::StreamingModel;
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use neurdsp_rt::{Bank, Error, ModelLevels, Planes, Slot, SlotSender, slot};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

fn bank(gain: f32) -> Bank {
    Bank::new(vec![Toy::gain(gain).boxed()], ModelLevels::default()).unwrap()
}

fn play(slot: &mut Slot, planes: &mut Planes, n: usize) -> Vec<f32> {
    planes.set_len(n);
    planes.channel_mut(0).fill(1.0);
    slot.process(planes);
    planes.channel(0).to_vec()
}

fn fresh(fade: u32) -> (SlotSender, Slot, Planes) {
    let (sender, slot) = slot(1, fade, 100).unwrap();
    (sender, slot, Planes::new(1))
}

#[test]
fn the_gains_of_a_fade_are_sine_and_cosine() {
    let (mut sender, mut slot, mut planes) = fresh(100);
    sender.send(bank(1.0)).unwrap();
    for _ in 0..2 {
        play(&mut slot, &mut planes, 100);
    }
    sender.send(bank(-1.0)).unwrap();
    let faded = [play(&mut slot, &mut planes, 30), play(&mut slot, &mut planes, 70)].concat();
    for (n, y) in faded.iter().enumerate() {
        let angle = (n + 1) as f32 / 100.0 * std::f32::consts::FRAC_PI_2;
        assert!((y - (angle.cos() - angle.sin())).abs() < 1e-6, "sample {n} is {y}");
    }
    assert!(!slot.is_fading());
    assert_eq!(play(&mut slot, &mut planes, 10), [-1.0; 10]);
}

#[test]
fn without_a_fade_the_switch_is_at_once() {
    let (mut sender, mut slot, mut planes) = fresh(0);
    sender.send(bank(2.0)).unwrap();
    assert_eq!(play(&mut slot, &mut planes, 3), [2.0; 3]);
    sender.set_fade(4);
    sender.send(Bank::passing()).unwrap();
    assert_ne!(play(&mut slot, &mut planes, 4), [1.0; 4]);
    assert_eq!(play(&mut slot, &mut planes, 4), [1.0; 4]);
}

#[test]
fn of_several_that_wait_the_newest_plays_and_all_others_are_freed_by_the_sender() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (mut sender, mut slot, mut planes) = fresh(64);
    for gain in [2.0, 3.0, 4.0] {
        let toy = Toy::gain(gain).counted(&alive);
        sender.send(Bank::new(vec![toy.boxed()], ModelLevels::default()).unwrap()).unwrap();
    }
    assert_eq!(alive.load(Ordering::SeqCst), 3);
    play(&mut slot, &mut planes, 64);
    assert_eq!(play(&mut slot, &mut planes, 2), [4.0; 2]);
    assert_eq!(alive.load(Ordering::SeqCst), 3, "the audio thread freed something");
    // Two that were never heard, and the one that passed the signal.
    assert_eq!(sender.collect(), 3);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop((sender, slot));
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_sender_that_goes_too_fast_is_told_so() {
    let (mut sender, mut slot, mut planes) = fresh(64);
    let sent = (0..100).take_while(|_| sender.send(bank(2.0)).is_ok()).count();
    assert_eq!(sent, 8);
    assert!(matches!(sender.send(bank(2.0)), Err(Error::Busy { waiting: 8 })));
    for _ in 0..8 {
        play(&mut slot, &mut planes, 64);
    }
    sender.send(bank(5.0)).unwrap();
    play(&mut slot, &mut planes, 64);
    assert_eq!(play(&mut slot, &mut planes, 1), [5.0]);
}

#[test]
fn a_sender_that_never_collects_loses_nothing_and_stops_nothing() {
    let (mut sender, mut slot, mut planes) = fresh(10);
    for round in 0..50 {
        while sender.send(bank(round as f32)).is_ok() {}
        play(&mut slot, &mut planes, 10);
        play(&mut slot, &mut planes, 10);
    }
    assert_eq!(play(&mut slot, &mut planes, 1), [49.0]);
}

#[test]
fn playing_and_swapping_neither_allocates_nor_frees() {
    let (mut sender, mut slot, mut planes) = fresh(50);
    for round in 0..20 {
        sender.send(bank(round as f32)).unwrap();
        let ((), seen) = count_allocations(|| {
            for n in [1, 7, 64, 256] {
                planes.set_len(n);
                slot.process(&mut planes);
            }
        });
        assert_eq!(seen, Allocations::default());
    }
}

#[test]
fn a_bank_that_does_not_fit_is_refused() {
    let (mut sender, _slot, _) = fresh(50);
    let two =
        Bank::new(vec![Toy::gain(1.0).boxed(), Toy::gain(1.0).boxed()], ModelLevels::default()).unwrap();
    let error = sender.send(two).unwrap_err().to_string();
    assert_eq!(error, "the number of streams is 2, but there must be one for each of the 1 channels");
    assert!(Bank::new(Vec::new(), ModelLevels::default()).is_err());
    assert!(slot(0, 1, 1).is_err());
}

/// The mean of the last 50 samples, times a gain: a model that remembers.
struct Mean {
    gain: f32,
    past: [f32; 50],
    at: usize,
}

impl Mean {
    fn bank(gain: f32) -> Bank {
        let stream = Box::new(Mean { gain, past: [0.0; 50], at: 0 });
        Bank::new(vec![stream], ModelLevels::default()).unwrap()
    }
}

impl StreamingModel for Mean {
    fn reset(&mut self) {
        self.past = [0.0; 50];
    }
    fn prewarm(&mut self) {
        self.reset();
    }
    fn receptive_field(&self) -> usize {
        50
    }
    fn latency(&self) -> usize {
        0
    }
    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        for (x, y) in input.iter().zip(output) {
            self.past[self.at] = *x;
            self.at = (self.at + 1) % 50;
            *y = self.gain * self.past.iter().sum::<f32>() / 50.0;
        }
    }
}

#[test]
fn a_bank_that_follows_listens_first_and_fades_in_linearly() {
    let turn = |next: Bank| {
        let (mut sender, mut slot, mut planes) = fresh(100);
        sender.send(Mean::bank(1.0)).unwrap();
        (0..3).for_each(|_| drop(play(&mut slot, &mut planes, 100)));
        sender.send(next).unwrap();
        [60, 1, 200].map(|n| play(&mut slot, &mut planes, n)).concat()
    };
    let turned = turn(Mean::bank(2.0).following());
    for (n, y) in turned.iter().enumerate() {
        let share = ((n as f32 + 1.0 - 50.0) / 100.0).clamp(0.0, 1.0);
        assert!((y - (1.0 + share)).abs() < 1e-5, "sample {n} is {y}");
    }
    // Without it, the start of the bank is audible, and equal power is too loud for two similar signals.
    let swapped = turn(Mean::bank(2.0));
    let loudest = swapped.iter().copied().fold(0.0, f32::max);
    assert!(swapped[..30].iter().any(|&y| y < 0.999) || loudest > 2.1, "{loudest}");
}
