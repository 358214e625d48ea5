//! What holds of every kick: its length, its end, its pitch, and that its bytes depend on nothing else.

use super::random::code;
use neurdsp_models::kick::{CODE_SIZE, KickCode, KickRenderer, Part, RenderSpec, kick_key};
use neurdsp_simd::Isa;

fn bits(audio: &[f32]) -> Vec<u32> {
    audio.iter().map(|sample| sample.to_bits()).collect()
}

#[test]
fn the_bytes_are_the_same_on_every_instruction_set_and_after_any_other_kick() {
    let spec = RenderSpec { length: 30_000, ..RenderSpec::default() };
    let high = RenderSpec { sample_rate: 96_000, tune_semitones: 3.0, decay: 0.7, ..spec };
    let wanted: Vec<_> =
        [spec, high].map(|spec| KickRenderer::new(Isa::Scalar).render(&code(1), 5, &spec).unwrap()).into();
    assert!(wanted.iter().all(|audio| audio.iter().any(|sample| *sample != 0.0)));
    for isa in Isa::available() {
        let mut renderer = KickRenderer::new(isa);
        for (spec, wanted) in [spec, high].iter().zip(&wanted) {
            renderer.render(&code(2), 9, &RenderSpec { length: 9000, ..*spec }).unwrap();
            assert_eq!(bits(&renderer.render(&code(1), 5, spec).unwrap()), bits(wanted), "{}", isa.name());
        }
    }
}

#[test]
fn a_kick_has_its_length_ends_at_zero_and_peaks_below_full_scale() {
    let mut renderer = KickRenderer::default();
    for (sample_rate, length) in
        [(44_100, 64), (44_100, 1000), (44_100, 441_000), (48_000, 4801), (8000, 16_000)]
    {
        let spec = RenderSpec { sample_rate, length, ..RenderSpec::default() };
        let audio = renderer.render(&code(3), kick_key(7, 0), &spec).unwrap();
        assert_eq!((audio.len(), audio[length - 1].abs()), (length, 0.0));
        let peak = audio.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - 0.891_250_9).abs() < 1e-6, "{length} samples at {sample_rate} Hz: {peak}");
    }
    // Ten seconds are filled: the code is stretched, and ends there.
    let spec = RenderSpec { length: 441_000, ..RenderSpec::default() };
    let audio = renderer.render(&code(3), 1, &spec).unwrap();
    let energy = |range: std::ops::Range<usize>| audio[range].iter().map(|x| x * x).sum::<f32>();
    assert!(energy(300_000..390_000) > 1e-7 && energy(440_000..441_000) < 1e-6);
}

/// A steady partial and nothing else.
fn tone(hertz: f32) -> KickCode {
    let mut values = vec![-10.0; CODE_SIZE];
    values[Part::LogF.range()].fill(hertz.ln());
    values[Part::LogA.range()][..31].fill(0.0);
    for part in [Part::Phase, Part::Drive, Part::Bias, Part::Transient] {
        values[part.range()].fill(0.0);
    }
    KickCode::new(&values).unwrap()
}

/// Frequency in Hz, by the zero crossings of a steady tone.
fn pitch(audio: &[f32], sample_rate: u32) -> f64 {
    let crossings: Vec<f64> = (1..audio.len())
        .filter(|n| audio[n - 1] < 0.0 && audio[*n] >= 0.0)
        .map(|n| (n - 1) as f64 + f64::from(audio[n - 1]) / f64::from(audio[n - 1] - audio[n]))
        .collect();
    let (first, last) = (crossings[0], crossings[crossings.len() - 1]);
    (crossings.len() - 1) as f64 / (last - first) * f64::from(sample_rate)
}

#[test]
fn the_pitch_is_that_of_the_code_at_every_rate_and_moves_with_tune_alone() {
    let mut renderer = KickRenderer::default();
    for sample_rate in [44_100, 48_000, 96_000, 192_000] {
        for (tune_semitones, decay, factor) in
            [(0.0, 1.0, 1.0), (12.0, 1.0, 2.0), (-12.0, 1.0, 0.5), (0.0, 3.0, 1.0)]
        {
            let length = sample_rate as usize;
            let spec = RenderSpec { sample_rate, length, tune_semitones, decay, ..RenderSpec::default() };
            let audio = renderer.render(&tone(55.0), 0, &spec).unwrap();
            let found = pitch(&audio[..length * 9 / 10], sample_rate);
            let cents = 1200.0 * (found / (55.0 * factor)).log2();
            assert!(cents.abs() < 0.1, "{found} Hz at {sample_rate}, {tune_semitones} semitones");
        }
    }
}

#[test]
fn decay_stretches_what_follows_the_attack_and_leaves_the_attack() {
    let mut renderer = KickRenderer::default();
    let mut render = |decay| {
        let spec = RenderSpec { decay, level: false, ..RenderSpec::default() };
        renderer.render(&code(4), 3, &spec).unwrap()
    };
    let (plain, long) = (render(1.0), render(2.0));
    let difference = plain[..793].iter().zip(&long).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let energy = |audio: &[f32]| audio[20_000..].iter().map(|x| f64::from(x * x)).sum::<f64>();
    // Frames of noise reach half of their length beyond the attack.
    assert!(difference < 0.02, "{difference}");
    assert!(energy(&long) > 2.0 * energy(&plain));
}

#[test]
fn the_noise_stays_the_same_while_other_parts_move() {
    let noise_only = RenderSpec {
        length: 20_000,
        level: false,
        layers: [false, false, true, true, true],
        ..RenderSpec::default()
    };
    let mut renderer = KickRenderer::default();
    let wanted = renderer.render(&code(5), 11, &noise_only).unwrap();
    let mut values = code(5).values().to_vec();
    for part in [Part::LogF, Part::LogA, Part::Drive, Part::Transient] {
        values[part.range()].iter_mut().for_each(|value| *value += 0.3);
    }
    let moved = KickCode::new(&values).unwrap();
    let tuned = RenderSpec { tune_semitones: 7.0, ..noise_only };
    assert_eq!(bits(&renderer.render(&moved, 11, &tuned).unwrap()), bits(&wanted));
    assert_ne!(bits(&renderer.render(&code(5), 12, &noise_only).unwrap()), bits(&wanted));
    // The parts add up to the whole.
    let all = RenderSpec { layers: [true; 5], ..noise_only };
    let rest = RenderSpec { layers: [true, true, false, false, false], ..noise_only };
    let (all, rest) =
        (renderer.render(&code(5), 11, &all).unwrap(), renderer.render(&code(5), 11, &rest).unwrap());
    let worst = all.iter().zip(rest.iter().zip(&wanted)).map(|(all, (a, b))| (all - a - b).abs());
    assert!(worst.fold(0.0, f32::max) < 1e-5);
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let spec = RenderSpec::default();
    for (spec, message) in [
        (RenderSpec { sample_rate: 7999, ..spec }, "sample_rate is 7999, but must be from 8000 to 192000 Hz"),
        (
            RenderSpec { length: 63, ..spec },
            "length is 63, but must be from 64 to 441000 samples, ten seconds",
        ),
        (RenderSpec { length: usize::MAX, ..spec }, "length is"),
        (
            RenderSpec { tune_semitones: f64::NAN, ..spec },
            "tune is NaN, but must be from -48 to 48 semitones",
        ),
        (RenderSpec { decay: 0.0, ..spec }, "decay is 0, but must be from 0.1 to 10"),
    ] {
        let error = KickRenderer::default().render_into(&tone(50.0), 0, &spec, &mut []).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    let error = KickRenderer::default().render_into(&tone(50.0), 0, &spec, &mut [0.0; 5]).unwrap_err();
    assert_eq!(error.to_string(), "the room for a kick is 5, but must be 88200 samples, its length");
}
