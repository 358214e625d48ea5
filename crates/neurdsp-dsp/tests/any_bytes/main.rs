//! Any bytes give finite numbers or an error: what `fuzz/fuzz_targets/dsp.rs` runs, on bytes from a generator.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod drive;

#[test]
fn any_bytes_give_finite_numbers_or_an_error() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..400 {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        let bytes: Vec<u8> = (0..40 + round * 7).map(|_| next()).collect();
        drive::drive(&bytes);
    }
}

#[test]
fn samples_up_to_the_limit_give_finite_results_and_larger_ones_are_named() {
    use neurdsp_dsp::{Error, Magnitude, Projection, Spectrogram, StftConfig};
    for power in [0.5, 1.0, 2.0, 3.0, 8.0] {
        let magnitude = Magnitude::from_power(power).unwrap();
        let plan =
            Spectrogram::<f32>::new(StftConfig::new(512), magnitude, Projection::Bins(257), None).unwrap();
        let Err(Error::TooLarge { index: 7, value, limit }) =
            plan.process(&(0..2000).map(|i| if i == 7 { -3e38 } else { 0.0 }).collect::<Vec<_>>())
        else {
            panic!("power {power} was not refused")
        };
        assert_eq!(value as f32, -3e38);
        let largest = limit as f32 * 0.999;
        assert!(plan.process(&[largest; 2000]).unwrap().iter().all(|value| value.is_finite()));
        // Audio at full scale is far within it.
        assert!(largest > 30.0, "power {power}: {largest}");
    }
}
