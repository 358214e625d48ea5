//! A worker beside an audio thread: nothing is lost or mixed up, nothing waits, and what is heard depends on no thread.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

#[path = "../../neurdsp-models/tests/music/random.rs"]
mod networks;

use neurdsp_models::music::MusicPart;
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use neurdsp_rt::inference::{
    DropPolicy, Fallback, Inference, InferenceHandle, InferenceMode, InferenceSettings, Job, Priority,
    inference,
};
use neurdsp_rt::{Error, MusicJob, MusicStep, Transport};
use neurdsp_simd::Isa;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

const WIDTH: usize = 32;

/// Features of a request, all told by its number.
fn features(number: u64) -> [f32; WIDTH] {
    std::array::from_fn(|index| ((number * 31 + index as u64 * 7) % 1009) as f32)
}

/// Sums up its features, and the answers before.
#[derive(Default)]
struct Sum {
    /// Whether answers depend on those before.
    remembers: bool,
    before: f32,
    sleep: Duration,
    panics: bool,
}

impl Sum {
    fn of(request: &[f32; WIDTH]) -> f32 {
        request.iter().enumerate().map(|(index, value)| value * (index + 1) as f32).sum()
    }
}

impl Job for Sum {
    type Request = [f32; WIDTH];
    type Answer = f32;

    fn run(&mut self, request: &[f32; WIDTH]) -> f32 {
        assert!(!self.panics, "a model that fails");
        if self.sleep > Duration::ZERO {
            std::thread::sleep(self.sleep);
        }
        let answer = Sum::of(request) + if self.remembers { 0.5 * self.before } else { 0.0 };
        self.before = answer % 4096.0;
        answer
    }

    fn reset(&mut self) {
        self.before = 0.0;
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Sum>()
    }
}

type Sides = (Inference<Sum>, InferenceHandle<Sum>);

fn sides(mode: InferenceMode, settings: InferenceSettings, job: Sum) -> Sides {
    let (audio, mut handle) = inference(mode, settings).unwrap();
    handle.load(|| Ok::<_, Error>(job)).unwrap();
    (audio, handle)
}

/// Waits until everything submitted is answered or dropped.
fn settle(audio: &mut Inference<Sum>) {
    let begin = Instant::now();
    loop {
        audio.receive();
        let report = audio.monitor().report();
        if report.answers + report.dropped() == report.submissions {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{report:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn of_a_million_submissions_each_is_answered_by_its_own_features_or_counted_as_dropped() {
    const N: u64 = 1_000_000;
    let settings =
        InferenceSettings { capacity: 1024, deadline: Duration::from_secs(5), ..Default::default() };
    let (mut audio, handle) = sides(InferenceMode::Worker, settings, Sum::default());
    let (mut answers, mut dropped, mut late) = (0u64, 0u64, 0u64);
    let mut slowest = vec![0u32; 4096];
    let mut check = |due: (u64, Result<f32, Fallback>), late: &mut u64| match due {
        (number, Ok(answer)) => {
            assert_eq!(answer, Sum::of(&features(number)), "request {number}");
            answers += 1;
        }
        (_, Err(Fallback::Late)) => *late += 1,
        (_, Err(_)) => dropped += 1,
    };
    for number in 0..N {
        let request = features(number);
        let begin = Instant::now();
        let (sequence, seen) = count_allocations(|| audio.submit(&request, number as i64));
        let ns = begin.elapsed().as_nanos() as usize;
        slowest[(ns / 16).min(4095)] += 1;
        assert_eq!((sequence, seen), (number, Allocations::default()));
        // Answers are due 600 requests later; a burst now and then is more than the queue holds.
        if number % 700 == 0 {
            std::thread::sleep(Duration::from_micros(if number % 70_000 == 0 { 900 } else { 0 }));
        }
        let (due, seen) = count_allocations(|| audio.due(number as i64 - 600));
        assert_eq!(seen, Allocations::default());
        if let Some(due) = due {
            check(due, &mut late);
        }
    }
    settle(&mut audio);
    while let Some(due) = audio.due(i64::MAX) {
        check(due, &mut late);
    }
    let report = handle.monitor().report();
    assert_eq!(report.submissions, N);
    assert_eq!(report.answers + report.dropped(), N, "{report:?}");
    // What did not fit into the schedule at all never comes due.
    assert!(answers + dropped + late <= N && report.late == late && answers + late >= report.answers);
    assert!(answers > 1000, "{report:?}");
    assert_eq!((report.audio_waits, report.queue_depth, report.failed), (0, 0, 0));
    assert!(report.max_queue_depth <= 1025 && report.median_us <= report.p999_us);
    let mut seen = 0;
    let p99 = slowest.iter().position(|count| {
        seen += u64::from(*count);
        seen * 100 >= 99 * N
    });
    let p99_ns = 16 * (p99.unwrap() + 1);
    assert!(p99_ns <= 20_000, "99 % of the submissions took at most {p99_ns} ns; {report:?}");
}

/// Plays a song in blocks of such a size: at each step, what is due is heard, and the next is asked for.
fn bounce(audio: &mut Inference<Sum>, block: usize) -> Vec<(usize, i64, f32)> {
    let (tempo, rate, total) = (133.0, 48_000.0, 600_000);
    let (mut heard, mut position) = (Vec::new(), 0);
    audio.restart();
    while position < total {
        let len = block.min(total - position);
        let transport = Transport::playing(position as f64 * tempo / 60.0 / rate, tempo, rate);
        for (sample, step) in transport.steps(len, 4.0) {
            while let Some((_, answer)) = audio.due(step) {
                heard.push((position + sample, step, answer.unwrap()));
            }
            audio.submit(&features(step as u64), step + 3);
        }
        position += len;
    }
    heard
}

#[test]
fn offline_renders_are_the_same_on_any_thread_in_blocks_of_any_size() {
    let job = |sleep| Sum { remembers: true, sleep, ..Sum::default() };
    let settings = InferenceSettings { deadline: Duration::ZERO, ..Default::default() };
    let (mut audio, handle) = sides(InferenceMode::Worker, settings, job(Duration::from_micros(300)));
    audio.set_offline(true);
    let first = bounce(&mut audio, 512);
    assert_eq!(first.len(), 111 - 3);
    assert!(handle.monitor().report().audio_waits > 0, "offline the audio thread may wait");
    let (mut inline, _handle) = sides(InferenceMode::Inline, settings, job(Duration::ZERO));
    for block in [1, 64, 512, 4096] {
        assert_eq!(bounce(&mut inline, block), first, "blocks of {block}");
    }
    assert_eq!(bounce(&mut audio, 4096), first);
    assert_eq!(handle.monitor().report().dropped(), 0);
}

#[test]
fn without_a_model_and_after_one_that_fails_every_request_falls_back() {
    for mode in [InferenceMode::Worker, InferenceMode::Inline] {
        let (mut audio, mut handle) = inference::<Sum>(mode, InferenceSettings::default()).unwrap();
        audio.set_offline(true);
        audio.submit(&features(0), 0);
        assert_eq!(audio.due(0), Some((0, Err(Fallback::NoModel))));
        handle.load(|| Ok::<_, Error>(Sum::default())).unwrap();
        audio.submit(&features(1), 1);
        assert_eq!(audio.due(1), Some((1, Ok(Sum::of(&features(1))))));
        handle.remove().unwrap();
        audio.submit(&features(2), 2);
        assert_eq!(audio.due(2), Some((2, Err(Fallback::NoModel))));
        let refused = handle.load(|| Err(Error::Busy { waiting: 3 }));
        assert!(refused.is_err() && !handle.monitor().report().has_model);
    }
    let (mut audio, mut handle) =
        sides(InferenceMode::Worker, InferenceSettings::default(), Sum { panics: true, ..Sum::default() });
    audio.set_offline(true);
    audio.submit(&features(0), 0);
    assert_eq!(audio.due(0), Some((0, Err(Fallback::Failed))));
    audio.submit(&features(1), 1);
    assert_eq!(audio.due(1), Some((1, Err(Fallback::NoModel))));
    handle.load(|| Ok::<_, Error>(Sum::default())).unwrap();
    audio.submit(&features(2), 2);
    assert_eq!(audio.due(2), Some((2, Ok(Sum::of(&features(2))))));
    drop(handle);
    audio.submit(&features(3), 3);
    assert_eq!(audio.due(3), Some((3, Err(Fallback::NoModel))));
}

#[test]
fn a_worker_that_falls_behind_drops_what_its_policy_says() {
    let slow = || Sum { sleep: Duration::from_millis(5), ..Sum::default() };
    let settings = InferenceSettings { capacity: 16, deadline: Duration::from_secs(5), ..Default::default() };
    let (mut audio, handle) =
        sides(InferenceMode::Worker, InferenceSettings { policy: DropPolicy::Latest, ..settings }, slow());
    for number in 0..16 {
        audio.submit(&features(number), 0);
    }
    settle(&mut audio);
    let report = handle.monitor().report();
    assert!(report.skipped >= 10 && report.answers >= 1, "{report:?}");
    let due: Vec<_> = std::iter::from_fn(|| audio.due(0)).collect();
    assert_eq!(due.last(), Some(&(15, Ok(Sum::of(&features(15))))), "the latest is answered");

    let (mut audio, handle) = sides(
        InferenceMode::Worker,
        InferenceSettings { deadline: Duration::from_millis(1), ..settings },
        slow(),
    );
    for number in 0..17 {
        audio.submit(&features(number), 0);
    }
    settle(&mut audio);
    let report = handle.monitor().report();
    assert!(report.expired >= 10 && report.refused == 1, "{report:?}");
    assert!(report.missed_deadlines >= report.expired);
}

#[test]
fn after_a_seek_nothing_that_was_asked_before_is_heard_and_the_model_begins_anew() {
    let job = Sum { remembers: true, ..Sum::default() };
    let (mut audio, _handle) = sides(InferenceMode::Worker, InferenceSettings::default(), job);
    audio.set_offline(true);
    for number in 0..5 {
        audio.submit(&features(number), number as i64);
    }
    assert_eq!(audio.due(0), Some((0, Ok(Sum::of(&features(0))))));
    audio.restart();
    assert_eq!(audio.due(100), None);
    audio.submit(&features(7), 2);
    assert_eq!(audio.due(2), Some((5, Ok(Sum::of(&features(7))))), "the state is new");
}

#[test]
fn an_answer_that_is_not_there_at_its_step_is_late_and_not_applied_afterwards() {
    let job = Sum { sleep: Duration::from_millis(20), ..Sum::default() };
    let (mut audio, handle) = sides(InferenceMode::Worker, InferenceSettings::default(), job);
    audio.submit(&features(0), 4);
    assert_eq!(audio.due(4), Some((0, Err(Fallback::Late))));
    settle(&mut audio);
    assert_eq!(audio.due(i64::MAX), None);
    let report = handle.monitor().report();
    assert_eq!((report.late, report.submissions), (1, 1));
}

#[test]
fn inline_and_changes_of_models_allocate_nothing_on_the_audio_thread() {
    let (mut audio, mut handle) = sides(InferenceMode::Inline, InferenceSettings::default(), Sum::default());
    for number in 0..40 {
        handle.load(|| Ok::<_, Error>(Sum::default())).unwrap();
        let ((), seen) = count_allocations(|| {
            audio.submit(&features(number), number as i64);
            let (_, answer) = audio.due(number as i64).unwrap();
            assert_eq!(answer, Ok(Sum::of(&features(number))));
            audio.restart();
        });
        assert_eq!(seen, Allocations::default());
    }
    assert!(handle.collect() <= 1, "models that are done with were freed while others were loaded");
    handle.monitor().reset();
    let report = handle.monitor().report();
    assert_eq!((report.submissions, report.worst_us, report.priority), (0, 0.0, Priority::Normal));
    assert!(report.memory_bytes as usize > size_of::<Sum>());
}

#[test]
fn settings_out_of_bounds_are_refused() {
    for settings in [
        InferenceSettings { capacity: 0, ..Default::default() },
        InferenceSettings { capacity: 1 << 20, ..Default::default() },
        InferenceSettings { poll: Duration::from_secs(1), ..Default::default() },
    ] {
        let refused = inference::<Sum>(InferenceMode::Worker, settings).err().unwrap();
        assert!(matches!(refused, Error::Parameter { .. }), "{refused}");
    }
}

#[test]
fn steps_of_all_music_networks_allocate_nothing_and_give_the_bits_of_a_run() {
    for int8 in [false, true] {
        let all = MusicPart::ALL
            .map(|part| Arc::new(networks::network(part, &networks::whole(part), int8, Isa::detect())));
        let (mut audio, mut handle) = inference(InferenceMode::Inline, InferenceSettings::default()).unwrap();
        handle.load(|| MusicJob::new(all.iter().cloned())).unwrap();
        for round in 0..3 {
            for network in &all {
                let mut run = neurdsp_models::music::MusicRun::new(Arc::clone(network));
                let mut expected = vec![0.0; network.n_outputs()];
                audio.restart();
                // Beyond the window of the melody.
                for row in networks::inputs(network, 70, round).chunks(network.n_inputs()) {
                    run.step(row, &mut expected);
                    let request = MusicStep::new(network.part(), row);
                    let (due, seen) = count_allocations(|| {
                        audio.submit(&request, 0);
                        audio.due(0)
                    });
                    assert_eq!(seen, Allocations::default(), "{}", network.part().name());
                    assert_eq!(due.unwrap().1.unwrap().values(), expected);
                }
            }
        }
        let report = handle.monitor().report();
        assert_eq!((report.answers, report.dropped(), report.audio_waits), (3 * 5 * 70, 0, 0));
        let weights: usize = all.iter().map(|network| network.n_bytes()).sum();
        assert!(report.memory_bytes > weights as u64 && report.load_ms > 0.0 && report.last_us > 0.0);
    }
}
