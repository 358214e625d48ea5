//! The chain is its parts in order; switches, levels, latency and bad samples behave as documented.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Toy, noise, pulse};
use neurdsp_dsp::live::{
    Convolver, DcBlock, GateSettings, LiveBlock, NoiseGate, ResampleQuality, ToneSettings, ToneStack,
};
use neurdsp_rt::{
    AmpChain, Bank, ChainHandle, ChainSettings, Error, ImpulseResponse, ModelLevels, Operation, Parameter,
    adapt,
};

const RATE: f64 = 48_000.0;

fn curve(x: f32) -> f32 {
    x.tanh()
}

fn amp() -> Toy {
    Toy::new(4.0, 0.05, 0.2, 3, curve)
}

fn response() -> Vec<f32> {
    noise(3000, 2).iter().enumerate().map(|(n, x)| x * 0.1 * (-0.002 * n as f32).exp()).collect()
}

fn toned() -> ChainSettings {
    ChainSettings::default()
        .with(Parameter::InputGainDb, 6.0)
        .with(Parameter::GateOn, 1.0)
        .with(Parameter::GateThresholdDb, -30.0)
        .with(Parameter::BassDb, 5.0)
        .with(Parameter::MidDb, -4.0)
        .with(Parameter::TrebleDb, 3.0)
        .with(Parameter::OutputGainDb, -3.0)
}

/// A chain with amp and cabinet that has come to rest.
fn chain(settings: &ChainSettings, n_channels: usize) -> (AmpChain, ChainHandle) {
    let (mut chain, mut handle) = AmpChain::new(RATE, n_channels).unwrap();
    let streams = (0..n_channels).map(|_| amp().boxed()).collect();
    handle.send_model(Bank::new(streams, ModelLevels::default()).unwrap()).unwrap();
    handle.load_cabinet(&ImpulseResponse::new(vec![response()], RATE).unwrap(), false).unwrap();
    handle.settings().store(settings);
    chain.process(&mut []);
    chain.reset();
    (chain, handle)
}

fn bursts(n: usize) -> Vec<f32> {
    let loud = |n: usize| if (n / 4000).is_multiple_of(2) { 0.3 } else { 0.003 };
    noise(n, 9).iter().enumerate().map(|(n, x)| x * loud(n)).collect()
}

fn played(chain: &mut AmpChain, input: &[f32], block: usize) -> Vec<f32> {
    let mut samples = input.to_vec();
    samples.chunks_mut(block).for_each(|block| chain.process(&mut [block]));
    samples
}

#[test]
fn the_chain_is_its_parts_in_order() {
    let input = bursts(24_000);
    let (mut chain, _handle) = chain(&toned(), 1);
    let got = played(&mut chain, &input, 480);

    let gain = |db: f32| 10f32.powf(db / 20.0);
    let mut want: Vec<f32> = input.iter().map(|x| x * gain(6.0)).collect();
    let settings = GateSettings { threshold_db: -30.0, ..Default::default() };
    NoiseGate::new(RATE, settings).unwrap().process(&mut want);
    let dry = want.clone();
    let mut model = amp().boxed();
    model.process(&dry, &mut want);
    // What the model puts out for silence is taken off before the filter.
    let mut rest = [0.0];
    amp().boxed().process(&[0.0], &mut rest);
    want.iter_mut().for_each(|y| *y -= rest[0]);
    DcBlock::new(RATE, 5.0).unwrap().process(&mut want);
    let mut tone = ToneStack::new(RATE).unwrap();
    tone.set(ToneSettings { bass_db: 5.0, mid_db: -4.0, treble_db: 3.0 });
    tone.reset();
    tone.process(&mut want);
    Convolver::new(&response()).unwrap().process(&mut want);
    want.iter_mut().for_each(|y| *y *= gain(-3.0));
    assert_eq!(got, want);
}

#[test]
fn the_cut_into_blocks_changes_no_bit() {
    let input = bursts(20_000);
    let settings = toned().with(Parameter::Mix, 0.7);
    let whole = played(&mut chain(&settings, 1).0, &input, 20_000);
    for block in [1, 7, 64, 257, 8192] {
        assert_eq!(played(&mut chain(&settings, 1).0, &input, block), whole, "in blocks of {block}");
    }
}

#[test]
fn every_part_can_be_switched_off_and_then_the_input_comes_through() {
    let off = [
        Parameter::GateOn,
        Parameter::ModelOn,
        Parameter::ToneOn,
        Parameter::CabinetOn,
        Parameter::DcBlockOn,
    ];
    let settings = off.into_iter().fold(ChainSettings::default(), |s, switch| s.with(switch, 0.0));
    let input = bursts(5000);
    assert_eq!(played(&mut chain(&settings, 1).0, &input, 64), input);
    let dry = toned().with(Parameter::Mix, 0.0);
    assert_eq!(played(&mut chain(&dry, 1).0, &input, 64), input);
}

#[test]
fn a_switch_fades_and_what_was_off_works_again() {
    for switch in [Parameter::ModelOn, Parameter::CabinetOn, Parameter::ToneOn, Parameter::GateOn] {
        let (mut chain, handle) = chain(&toned(), 1);
        let sine: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.01).sin() * 0.3).collect();
        let mut output = Vec::new();
        for (index, block) in sine.chunks(4800).enumerate() {
            handle.settings().set(switch, if index % 2 == 0 { 1.0 } else { 0.0 });
            output.extend(played(&mut chain, block, 100));
        }
        // The input changes by at most 0.003 per sample; the chain makes it no steeper than this, not even while switching.
        let steepest = output.windows(2).skip(5000).map(|y| (y[1] - y[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.1, "{switch:?}: {steepest}");
    }
}

#[test]
fn gains_are_reached_in_a_straight_line() {
    let (mut chain, handle) = AmpChain::new(RATE, 1).unwrap();
    handle.settings().set(Parameter::DcBlockOn, 0.0);
    chain.process(&mut []);
    chain.reset();
    handle.settings().set(Parameter::OutputGainDb, 20.0);
    let output = played(&mut chain, &[0.1; 2000], 33);
    for (n, y) in output.iter().enumerate() {
        let share = ((n + 1) as f32 / 960.0).min(1.0);
        assert!((y - 0.1 * (1.0 + 9.0 * share)).abs() < 1e-5, "sample {n} is {y}");
    }
}

#[test]
fn levels_in_the_file_become_gains_before_and_after_the_model() {
    let levels =
        ModelLevels { loudness_db: Some(-24.0), input_level_dbu: Some(18.0), output_level_dbu: Some(15.0) };
    let run = |changes: &[(Parameter, f32)]| {
        let (mut chain, mut handle) = AmpChain::new(RATE, 1).unwrap();
        let settings =
            changes.iter().fold(ChainSettings::default().with(Parameter::DcBlockOn, 0.0), |s, (p, value)| {
                s.with(*p, *value)
            });
        handle.settings().store(&settings);
        // A nonlinear model tells the gain before it from the gain after it.
        handle
            .send_model(Bank::new(vec![Toy::new(1.0, 0.0, 0.0, 1, |x| x * x).boxed()], levels).unwrap())
            .unwrap();
        chain.process(&mut []);
        chain.reset();
        20.0 * played(&mut chain, &[0.5; 4], 4)[3].log10()
    };
    let (plain, db) =
        (run(&[]), |got: f32, want: f32| assert!((got - want).abs() < 1e-3, "{got} dB, not {want}"));
    db(plain, 20.0 * 0.25f32.log10());
    db(run(&[(Parameter::CalibrateInput, 1.0)]) - plain, 2.0 * (12.0 - 18.0));
    db(run(&[(Parameter::CalibrateInput, 1.0), (Parameter::InterfaceLevelDbu, 20.0)]) - plain, 4.0);
    db(run(&[(Parameter::OutputMode, 1.0)]) - plain, 6.0);
    db(run(&[(Parameter::OutputMode, 2.0)]) - plain, 3.0);
    db(run(&[(Parameter::OutputMode, 2.0), (Parameter::InterfaceLevelDbu, 20.0)]) - plain, -5.0);
}

fn resampled(rate: f64) -> (AmpChain, ChainHandle) {
    let (chain, mut handle) = AmpChain::new(rate, 1).unwrap();
    let operation = Operation { oversample: 2, quality: ResampleQuality::High, ..Operation::at(rate) };
    let stream = adapt(&mut || Ok(Toy::gain(1.0).boxed()), 48_000.0, operation).unwrap();
    handle.send_model(Bank::new(vec![stream], ModelLevels::default()).unwrap()).unwrap();
    handle.settings().set(Parameter::DcBlockOn, 0.0);
    (chain, handle)
}

#[test]
fn the_latency_is_exact_and_the_dry_sound_is_aligned() {
    let input: Vec<f32> = (0..4000).map(|n| pulse(f64::from(n) - 1000.0) as f32).collect();
    for rate in [44_100.0, 48_000.0, 192_000.0] {
        for (switch, value) in [(Parameter::Mix, 1.0), (Parameter::Mix, 0.3), (Parameter::ModelOn, 0.0)] {
            let (mut chain, handle) = resampled(rate);
            handle.settings().set(switch, value);
            chain.process(&mut []);
            chain.reset();
            assert_eq!(chain.latency(), handle.latency());
            assert!(chain.latency() > 0);
            for (n, y) in played(&mut chain, &input, 100).iter().enumerate() {
                let error = f64::from(*y) - pulse(n as f64 - 1000.0 - chain.latency() as f64);
                assert!(error.abs() < 3e-6, "{rate} Hz, {switch:?} {value}: sample {n} is off by {error}");
            }
        }
    }
}

fn late(oversample: usize) -> Bank {
    let operation = Operation { oversample, ..Operation::at(RATE) };
    let stream = adapt(&mut || Ok(Toy::gain(1.0).boxed()), RATE, operation).unwrap();
    Bank::new(vec![stream], ModelLevels::default()).unwrap()
}

/// What two signals that are the same sum to at this share of a fade of equal power.
fn fade_gain(n: usize, begin: usize, length: usize) -> f32 {
    let share = (n + 1).saturating_sub(begin).min(length) as f32 / length as f32;
    let (rising, falling) = (share * std::f32::consts::FRAC_PI_2).sin_cos();
    rising + falling
}

#[test]
fn models_of_different_latencies_fade_aligned_where_the_latency_is_held() {
    let sine = |n: usize, late: usize| (0.05 * (n as f64 - late as f64)).sin() as f32;
    for mix in [1.0, 0.25] {
        let (mut chain, mut handle) = AmpChain::new(RATE, 1).unwrap();
        handle.hold_latency(late(2).latency()).unwrap();
        handle
            .settings()
            .store(&ChainSettings::default().with(Parameter::DcBlockOn, 0.0).with(Parameter::Mix, mix));
        chain.process(&mut []);
        chain.reset();
        let held = chain.latency();
        assert_eq!((held, handle.latency()), (162, 162));
        let mut at = 0;
        let mut block = |chain: &mut AmpChain, len: usize| {
            let mut samples: Vec<f32> = (at..at + len).map(|n| sine(n, 0)).collect();
            chain.process(&mut [&mut samples]);
            at += len;
            let wanted = (at - len..at).map(|n| sine(n, held));
            samples.into_iter().zip(wanted).collect::<Vec<(f32, f32)>>()
        };
        block(&mut chain, 1000);
        // From no model to one with latency, to one without, to another with latency.
        for bank in
            [late(2), Bank::new(vec![Toy::gain(1.0).boxed()], ModelLevels::default()).unwrap(), late(4)]
        {
            let begin = held + bank.latency();
            handle.send_model(bank).unwrap();
            // The fade of 960 samples begins when the new bank has played long enough.
            for (n, (y, wanted)) in block(&mut chain, 3000).into_iter().enumerate() {
                let wanted = wanted * (1.0 + mix * (fade_gain(n, begin, 960) - 1.0));
                assert!((y - wanted).abs() < 3e-5, "mix {mix}, sample {n}: {y}, not {wanted}");
            }
            assert_eq!((chain.latency(), handle.latency()), (held, held));
        }
    }
}

#[test]
fn where_it_is_not_held_the_latency_is_that_of_the_later_model_until_the_fade_ends() {
    let (mut chain, mut handle) = AmpChain::new(RATE, 1).unwrap();
    handle.settings().set(Parameter::DcBlockOn, 0.0);
    handle.set_fade_ms(50.0);
    chain.process(&mut []);
    chain.reset();
    let mut at = 0;
    let mut play = |chain: &mut AmpChain, len: usize| {
        let mut samples: Vec<f32> = (at..at + len).map(|n| (0.05 * n as f64).sin() as f32).collect();
        chain.process(&mut [&mut samples]);
        at += len;
        (at - len, samples)
    };
    let check = |(first, got): (usize, Vec<f32>), latency: usize, gain: &dyn Fn(usize) -> f32| {
        for (n, y) in got.iter().enumerate() {
            let wanted = (0.05 * ((first + n) as f64 - latency as f64)).sin() as f32 * gain(n);
            assert!((y - wanted).abs() < 1e-5, "latency {latency}, sample {n}: {y}, not {wanted}");
        }
    };
    check(play(&mut chain, 1000), 0, &|_| 1.0);
    handle.send_model(late(2)).unwrap();
    // The delay of the old one changes for 20 ms, then both fade for 50.
    play(&mut chain, 960);
    assert_eq!((chain.latency(), handle.latency()), (162, 162));
    check(play(&mut chain, 2400), 162, &|n| fade_gain(n, 0, 2400));
    check(play(&mut chain, 1000), 162, &|_| 1.0);
    let bank = Bank::new(vec![Toy::gain(1.0).boxed()], ModelLevels::default()).unwrap();
    handle.send_model(bank).unwrap();
    check(play(&mut chain, 162 + 2400), 162, &|n| fade_gain(n, 162, 2400));
    assert_eq!((chain.latency(), handle.latency()), (162, 0));
    // After the fade, the delay returns to what the bank alone needs.
    play(&mut chain, 960);
    assert_eq!(chain.latency(), 0);
    check(play(&mut chain, 1000), 0, &|_| 1.0);
}

#[test]
fn two_channels_are_two_chains() {
    let (left, right) = (bursts(9000), noise(9000, 4));
    let (mut l, mut r) = (left.clone(), right.clone());
    let (mut stereo, _handle) = chain(&toned(), 2);
    for (l, r) in l.chunks_mut(300).zip(r.chunks_mut(300)) {
        stereo.process(&mut [l, r]);
    }
    assert_eq!(l, played(&mut chain(&toned(), 1).0, &left, 300));
    assert_eq!(r, played(&mut chain(&toned(), 1).0, &right, 300));
}

#[test]
fn a_channel_that_is_left_out_is_left_as_it_is_and_begins_anew() {
    let (left, right) = (bursts(9000), noise(9000, 4));
    let (mut stereo, _handle) = chain(&toned(), 2);
    let (mut l, mut r) = (left.clone(), right.clone());
    for (n, (l, r)) in l.chunks_mut(300).zip(r.chunks_mut(300)).enumerate() {
        stereo.set_channels(if (10..20).contains(&n) { 1 } else { 2 });
        stereo.process(&mut [l, r]);
    }
    assert_eq!(l, played(&mut chain(&toned(), 1).0, &left, 300));
    assert_eq!(r[..3000], played(&mut chain(&toned(), 1).0, &right, 300)[..3000]);
    assert_eq!(r[3000..6000], right[3000..6000]);
    assert_eq!(r[6000..], played(&mut chain(&toned(), 1).0, &right[6000..], 300));
    // As many as it was made for, and at least one.
    stereo.set_channels(9);
    stereo.process(&mut [&mut [0.1; 64], &mut [0.1; 64], &mut [0.1; 64]]);
    stereo.set_channels(0);
    stereo.process(&mut [&mut [0.1; 64]]);
}

#[test]
fn missing_and_surplus_channels_do_no_harm() {
    let input = bursts(3000);
    let (mut stereo, _handle) = chain(&toned(), 2);
    let mut alone = input.clone();
    stereo.process(&mut [&mut alone]);
    assert_eq!(alone, played(&mut chain(&toned(), 1).0, &input, 3000));
    let (mut first, mut surplus) = (input.clone(), input.clone());
    chain(&toned(), 1).0.process(&mut [&mut first, &mut surplus]);
    assert_eq!((first, surplus), (alone, input));
}

#[test]
fn bad_samples_count_as_zero_and_leave_no_trace() {
    let (mut bad, mut healed) = (bursts(9000), bursts(9000));
    for (n, value) in [(100, f32::NAN), (2000, f32::INFINITY), (2001, f32::NEG_INFINITY), (2002, 3e38)] {
        (bad[n], healed[n]) = (value, 0.0);
    }
    let settings = toned().with(Parameter::Mix, 0.5);
    let got = played(&mut chain(&settings, 1).0, &bad, 64);
    assert_eq!(got, played(&mut chain(&settings, 1).0, &healed, 64));
}

#[test]
fn a_model_that_is_sent_while_the_model_is_off_is_there_when_it_is_on() {
    let (mut chain, mut handle) = chain(&ChainSettings::default().with(Parameter::ModelOn, 0.0), 1);
    for gain in 0..30 {
        let bank = Bank::new(vec![Toy::gain(gain as f32).boxed()], ModelLevels::default()).unwrap();
        handle.send_model(bank).unwrap();
        played(&mut chain, &[0.0; 64], 64);
    }
    assert!(!chain.is_fading());
}

#[test]
fn the_monitor_counts_blocks_and_misses() {
    let (mut chain, handle) = chain(&toned(), 1);
    handle.monitor().reset();
    played(&mut chain, &bursts(6400), 64);
    let report = handle.monitor().report();
    assert_eq!(report.blocks, 100);
    assert!(report.median_us > 0.0 && report.median_us <= report.p99_us && report.p99_us <= report.worst_us);
    // A model that takes ten milliseconds cannot play 64 samples in time.
    let (mut chain, mut handle) = AmpChain::new(RATE, 1).unwrap();
    let slow = |x: f32| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        x
    };
    handle
        .send_model(
            Bank::new(vec![Toy::new(1.0, 0.0, 0.0, 1, slow).boxed()], ModelLevels::default()).unwrap(),
        )
        .unwrap();
    chain.process(&mut [&mut [0.0; 1]]);
    assert_eq!(handle.monitor().report().missed_deadlines, 1);
}

#[test]
fn a_wav_file_is_read_whatever_its_format_and_refused_where_it_is_none() {
    let folder = std::env::temp_dir().join(format!("neurdsp-cabinet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("cabinet.wav");
    let values = [0.5, -0.25, 0.125, 0.0];
    for (bits, format) in
        [(16, hound::SampleFormat::Int), (24, hound::SampleFormat::Int), (32, hound::SampleFormat::Float)]
    {
        let spec =
            hound::WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: bits, sample_format: format };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for value in values {
            match format {
                hound::SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                hound::SampleFormat::Int => {
                    writer.write_sample((value * f64::from(1u32 << (bits - 1))) as i32).unwrap();
                }
            }
        }
        writer.finalize().unwrap();
        let loaded = ImpulseResponse::load(&path).unwrap();
        let expected = ImpulseResponse::new(vec![vec![0.5, 0.125], vec![-0.25, 0.0]], 44_100.0).unwrap();
        assert_eq!(loaded, expected, "{bits} bits");
    }
    // Every truncation and many mutations of a good file load or fail, and never panic.
    let good = std::fs::read(&path).unwrap();
    for n in 0..good.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[n] = byte;
            std::fs::write(&path, &bad).unwrap();
            let _ = ImpulseResponse::load(&path);
        }
        std::fs::write(&path, &good[..n]).unwrap();
        let _ = ImpulseResponse::load(&path);
    }
    std::fs::write(&path, "no audio at all").unwrap();
    let error = ImpulseResponse::load(&path).unwrap_err();
    assert!(
        matches!(error, Error::AudioFile { .. }) && error.to_string().contains("give a WAV file"),
        "{error}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
