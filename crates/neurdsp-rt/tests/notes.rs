//! Notes along a host's song: one end for each, at loops, seeks, stops and any tempo, on the same samples in any blocks.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use neurdsp_rt::{NoteEvent, NotePlayer, TimedNote, Transport};

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

const RATE: f64 = 48_000.0;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

fn note(start_beats: f64, end_beats: f64, pitch: u8) -> TimedNote {
    TimedNote { start_beats, end_beats, channel: 3, pitch, velocity: 100 }
}

const fn on(pitch: u8) -> NoteEvent {
    NoteEvent::On { channel: 3, pitch, velocity: 100 }
}

const fn off(pitch: u8) -> NoteEvent {
    NoteEvent::Off { channel: 3, pitch }
}

/// Plays blocks, each given by its first sample, its samples and its transport, and gives the events by absolute samples.
fn play(
    notes: &[TimedNote],
    blocks: impl Iterator<Item = (usize, usize, Transport)>,
) -> Vec<(usize, NoteEvent)> {
    let (mut player, mut sent) = (NotePlayer::new(64), Vec::new());
    for (begin, len, transport) in blocks {
        player.process(notes, &transport, len, &mut |sample, event| {
            assert!(sample < len);
            sent.push((begin + sample, event));
        });
    }
    player.release(0, &mut |_, event| sent.push((usize::MAX, event)));
    sent
}

fn steady(total: usize, size: usize, tempo: f64) -> impl Iterator<Item = (usize, usize, Transport)> {
    (0..total).step_by(size).map(move |begin| {
        let beat = begin as f64 * tempo / 60.0 / RATE;
        (begin, size.min(total - begin), Transport::playing(beat, tempo, RATE))
    })
}

#[test]
fn notes_fall_on_the_same_samples_in_blocks_of_1_to_4096() {
    let mut notes: Vec<_> =
        (0..40).map(|k| note(f64::from(k) / 6.0, f64::from(k) / 6.0 + 0.2, 40 + k as u8)).collect();
    notes.push(note(6.6, 6.6, 1)); // no length
    notes.sort_by(|a, b| a.start_beats.total_cmp(&b.start_beats));
    let whole = play(&notes, steady(200_000, 200_000, 120.0));
    assert_eq!(whole.len(), 2 * notes.len());
    assert_eq!(whole[0], (0, on(40)));
    assert_eq!(whole[1], (4_000, on(41)));
    for size in [1, 64, 480, 1000, 4096] {
        assert_eq!(play(&notes, steady(200_000, size, 120.0)), whole, "blocks of {size}");
    }
}

#[test]
fn an_end_stays_at_its_beat_when_the_tempo_halves() {
    let notes = [note(0.0, 2.0, 60)];
    for size in [1, 100, 4096] {
        // One beat at 120, then 60 beats a minute: the second beat takes twice as long.
        let blocks = steady(24_000, size, 120.0).chain((0..72_000).step_by(size).map(move |begin| {
            let beat = 1.0 + begin as f64 / RATE;
            (24_000 + begin, size.min(72_000 - begin), Transport::playing(beat, 60.0, RATE))
        }));
        assert_eq!(play(&notes, blocks), [(0, on(60)), (72_000, off(60))], "blocks of {size}");
    }
}

/// Blocks of a song that loops from beat 0 to beat 1 at 120; hosts report positions inside of the loop.
fn looping(total: usize, size: usize) -> impl Iterator<Item = (usize, usize, Transport)> {
    (0..total).step_by(size).map(move |begin| {
        let beat = (begin % 24_000) as f64 / 24_000.0;
        let loop_beats = Some([0.0, 1.0]);
        (begin, size.min(total - begin), Transport { loop_beats, ..Transport::playing(beat, 120.0, RATE) })
    })
}

#[test]
fn at_the_seam_of_a_loop_each_note_ends_and_the_first_sounds_once() {
    let notes = [note(0.0, 0.25, 36), note(0.5, 1.0, 40), note(0.75, 5.0, 38)];
    for size in [1, 64, 480, 1000, 4096, 24_000, 60_000] {
        let sent = play(&notes, looping(72_000, size));
        for round in 0..3 {
            let begin = round * 24_000;
            let of =
                |event| sent.iter().filter(|one| one.1 == event).map(|one| one.0).collect::<Vec<_>>()[round];
            assert_eq!(of(on(36)), begin, "blocks of {size}");
            assert_eq!(of(off(36)), begin + 6_000);
            assert_eq!(of(on(38)), begin + 18_000);
            let end = if round < 2 { begin + 24_000 } else { usize::MAX };
            assert_eq!((of(off(38)), of(off(40))), (end, end));
        }
        assert_eq!(sent.len(), 18);
    }
}

#[test]
fn whatever_the_transport_does_each_note_ends_once_and_nothing_is_allocated() {
    let mut random = Random(11);
    for _ in 0..300 {
        let mut notes: Vec<_> = (0..60)
            .map(|_| {
                let start = random.below(64) as f64 / 8.0;
                note(start, start + random.below(20) as f64 / 8.0, 60 + random.below(6) as u8)
            })
            .collect();
        notes.sort_by(|a, b| a.start_beats.total_cmp(&b.start_beats));
        let (mut player, mut balance, mut begun) = (NotePlayer::new(8), [0i32; 128], 0);
        let mut transport = Transport::playing(0.0, 120.0, RATE);
        let mut count = |event: NoteEvent| match event {
            NoteEvent::On { pitch, .. } => {
                balance[usize::from(pitch)] += 1;
                begun += 1;
            }
            NoteEvent::Off { pitch, .. } => {
                balance[usize::from(pitch)] -= 1;
                assert!(balance[usize::from(pitch)] >= 0, "an end without a start");
            }
        };
        for _ in 0..120 {
            let mut bypassed = false;
            match random.below(14) {
                0 => transport.is_playing = !transport.is_playing,
                1 => transport.beat = random.below(800) as f64 / 100.0 - 1.0,
                2 => transport.beats_per_sample = [30.0, 120.0, 999.0][random.below(3)] / 60.0 / RATE,
                3 => {
                    let begin = random.below(8) as f64;
                    let end = begin + [0.0, 0.001, 0.25, 1.0, 3.0][random.below(5)];
                    transport.loop_beats = Some([begin, end]);
                }
                4 => transport.loop_beats = None,
                5 => bypassed = true,
                6 => transport.beat = f64::NAN,
                _ => {}
            }
            let len = [1, 64, 511, 4096, 40_000][random.below(5)];
            let mut last = 0;
            let ((), seen) = count_allocations(|| {
                if bypassed {
                    player.release(0, &mut |_, event| count(event));
                } else {
                    player.process(&notes, &transport, len, &mut |sample, event| {
                        assert!(sample < len && sample >= last, "{sample} after {last}, of {len}");
                        last = sample;
                        count(event);
                    });
                }
            });
            assert_eq!(seen, Allocations::default());
            if bypassed || !transport.is_playing {
                assert_eq!(player.n_sounding(), 0);
            }
            // Half of the hosts wrap positions in a loop, the others let the next block say so.
            transport.beat = match transport.segments(len).last() {
                Some(end) if end.wraps => transport.loop_beats.unwrap()[0],
                Some(end) => end.end_beat(),
                None if transport.beat.is_nan() => 0.5,
                None => transport.beat,
            };
        }
        player.release(0, &mut |_, event| count(event));
        assert_eq!(balance, [0; 128]);
        assert!(begun > 0 && player.n_sounding() == 0);
    }
}

#[test]
fn other_notes_may_come_while_some_sound() {
    let (mut player, mut sent) = (NotePlayer::new(2), Vec::new());
    let mut send = |sample: usize, event| sent.push((sample, event));
    player.process(&[note(0.0, 1.0, 60)], &Transport::playing(0.0, 120.0, RATE), 12_000, &mut send);
    let others = [note(0.25, 0.75, 61), note(0.5, 0.75, 62), note(0.5, 0.75, 63)];
    player.changed(&others);
    player.process(&others, &Transport::playing(0.5, 120.0, RATE), 24_000, &mut send);
    assert_eq!(sent, [(0, on(60)), (0, on(62)), (6_000, off(62)), (12_000, off(60))]);
    assert_eq!(player.lost(), 1);
}
