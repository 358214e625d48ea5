//! The partials: cosines whose pitch and level glide from knot to knot, the first of them through a waveshaper.
//!
//! Between two knots the logarithms of frequency and amplitude are linear in time, so both grow by a constant factor from
//! sample to sample. The phase is summed by trapezoids in double precision.

use neurdsp_nn::exact::functions::{cos_turns, exp, tanh};
use neurdsp_nn::exact::{Saturation, add_cosines, add_saturated};
use neurdsp_simd::Isa;

use super::code::{KickCode, PARTIALS, Part, SILENT_PARTIAL};
use super::knots::{DRIVE_KNOTS, PARTIAL_KNOTS, interpolate};
use super::time::Time;

/// Samples that are made together.
const BLOCK: usize = 1024;
/// The drive times the frequency stays below this, so that what it adds does not fold.
const DRIVE_LIMIT_HZ: f32 = 6000.0;
/// Drives below this leave the cosine as it is.
const LEAST_DRIVE: f64 = 1e-3;

/// What all partials of a kick share.
pub(super) struct Setting<'a> {
    pub(super) code: &'a KickCode,
    pub(super) time: Time,
    pub(super) rate: f64,
    /// Factor of every frequency.
    pub(super) tune: f64,
    pub(super) isa: Isa,
}

/// Adds the partials to `to`, which begins with the kick.
pub(super) fn add_partials(setting: &Setting<'_>, to: &mut [f32]) {
    let length = to.len();
    let mut scratch = [[0.0_f32; BLOCK]; 7];
    for index in 0..PARTIALS {
        let Some(mut partial) = Partial::new(setting, index, length) else { continue };
        let mut shaper = if index == 0 { Shaper::new(setting, length) } else { None };
        let mut first = 0;
        while first < partial.end {
            let count = BLOCK.min(partial.end - first);
            let [turns, amplitude, hertz, drive, bias, mean, sum] = &mut scratch;
            partial.run(&mut turns[..count], &mut amplitude[..count], &mut hertz[..count]);
            // Kernels take whole registers; what lies behind the end is not added.
            let whole = count.next_multiple_of(16);
            amplitude[count..whole].fill(0.0);
            sum[..whole].fill(0.0);
            match &mut shaper {
                Some(shaper) => {
                    shaper.run(first, count, [drive, bias, mean]);
                    // Any frequency that can be divided by.
                    hertz[count..whole].fill(1.0);
                    let saturation = Saturation {
                        hertz: &hertz[..whole],
                        limit_hz: DRIVE_LIMIT_HZ,
                        drive: &drive[..whole],
                        bias: &bias[..whole],
                        mean: &mean[..whole],
                    };
                    add_saturated(
                        setting.isa,
                        &turns[..whole],
                        &amplitude[..whole],
                        saturation,
                        &mut sum[..whole],
                    );
                }
                None => add_cosines(setting.isa, &turns[..whole], &amplitude[..whole], &mut sum[..whole]),
            }
            to[first..first + count].iter_mut().zip(&*sum).for_each(|(to, sum)| *to += sum);
            first += count;
        }
    }
}

/// Samples between which frequency and amplitude grow by constant factors.
struct Stretch {
    end: usize,
    hertz: f64,
    hertz_factor: f64,
    amplitude: f64,
    amplitude_factor: f64,
    /// Whether the frequency comes close to half the sample rate.
    is_high: bool,
}

/// One partial, from its first sample on.
struct Partial {
    stretches: Vec<Stretch>,
    next: usize,
    /// The sample to come, and the first behind the last that sounds.
    at: usize,
    end: usize,
    cycles: f64,
    before: f64,
    rate: f64,
    hertz: f64,
    amplitude: f64,
}

impl Partial {
    /// `None` if it is silent.
    fn new(setting: &Setting<'_>, index: usize, length: usize) -> Option<Partial> {
        let Setting { code, time, rate, tune, .. } = setting;
        let knots = PARTIAL_KNOTS.len();
        let of = |part: Part| &code.part(part)[index * knots..][..knots];
        let (log_f, log_a) = (of(Part::LogF), of(Part::LogA));
        let last = log_a.iter().rposition(|level| f64::from(*level) > SILENT_PARTIAL)?;
        let seconds = |n: usize| n as f64 / rate;
        let first_at = |wanted: f64, of: &dyn Fn(usize) -> f64| first_at(length, wanted, of);
        let code_time = |n: usize| time.code(seconds(n));
        let end = first_at(PARTIAL_KNOTS[(last + 1).min(knots - 1)], &code_time);
        let mut ends: Vec<usize> = PARTIAL_KNOTS
            .iter()
            .flat_map(|knot| [first_at(*knot, &seconds), first_at(*knot, &code_time)])
            .chain(time.breaks().map(|second| first_at(second, &seconds)))
            .chain([end])
            .filter(|n| (1..=end).contains(n))
            .collect();
        ends.sort_unstable();
        ends.dedup();
        let pitch = |n: usize| interpolate(&PARTIAL_KNOTS, seconds(n), |i| f64::from(log_f[i]));
        let level = |n: usize| interpolate(&PARTIAL_KNOTS, code_time(n), |i| f64::from(log_a[i]));
        let mut stretches = Vec::with_capacity(ends.len());
        let mut first = 0;
        for end in ends {
            let per_sample = |of: &dyn Fn(usize) -> f64| match end - first {
                1 => 0.0,
                count => (of(end - 1) - of(first)) / (count - 1) as f64,
            };
            let hertz = tune * exp(pitch(first));
            let stretch = Stretch {
                end,
                hertz,
                hertz_factor: exp(per_sample(&pitch)),
                amplitude: exp(level(first)),
                amplitude_factor: exp(per_sample(&level)),
                is_high: hertz.max(tune * exp(pitch(end - 1))) > 0.44 * rate,
            };
            stretches.push(stretch);
            first = end;
        }
        let phase = f64::from(code.part(Part::Phase)[index]) / std::f64::consts::TAU;
        let before = -stretches.first()?.hertz;
        // One turn more, so that it stays positive.
        let cycles = phase + 1.0;
        Some(Partial {
            stretches,
            next: 0,
            at: 0,
            end,
            cycles,
            before,
            rate: *rate,
            hertz: 0.0,
            amplitude: 0.0,
        })
    }

    /// The next samples: phase in turns from 0 to 1, amplitude, and frequency.
    fn run(&mut self, turns: &mut [f32], amplitudes: &mut [f32], hertz: &mut [f32]) {
        let (half_step, silent) = (0.5 / self.rate, exp(SILENT_PARTIAL));
        let (first, end) = (self.at, self.at + turns.len());
        while self.at < end {
            let stretch = &self.stretches[self.next];
            let starts = self.next.checked_sub(1).map_or(0, |before| self.stretches[before].end) == self.at;
            if starts {
                (self.hertz, self.amplitude) = (stretch.hertz, stretch.amplitude);
            }
            let until = stretch.end.min(end);
            let range = self.at - first..until - first;
            let values = turns[range.clone()].iter_mut().zip(&mut amplitudes[range.clone()]);
            for ((turn, amplitude), to) in values.zip(&mut hertz[range]) {
                self.cycles += (self.before + self.hertz) * half_step;
                *turn = (self.cycles - (self.cycles as i64) as f64) as f32;
                let mut level = (self.amplitude - silent).max(0.0);
                if stretch.is_high {
                    level *= ((0.5 * self.rate - self.hertz) / (0.05 * self.rate)).clamp(0.0, 1.0);
                }
                *amplitude = level as f32;
                *to = self.hertz as f32;
                self.before = self.hertz;
                self.hertz *= stretch.hertz_factor;
                self.amplitude *= stretch.amplitude_factor;
            }
            self.at = until;
            if until == stretch.end {
                self.next += 1;
            }
        }
    }
}

/// Drive, bias and mean of the waveshaper, as lines from knot to knot.
struct Shaper {
    /// The last sample of each line, the values at its first, and their steps.
    lines: Vec<(usize, [f64; 3], [f64; 3])>,
}

impl Shaper {
    /// `None` if it does nothing.
    fn new(setting: &Setting<'_>, length: usize) -> Option<Shaper> {
        let Setting { code, time, rate, .. } = setting;
        let (drive, bias) = (code.part(Part::Drive), code.part(Part::Bias));
        if !drive.iter().any(|drive| f64::from(*drive) > LEAST_DRIVE) {
            return None;
        }
        let values: Vec<[f64; 3]> = drive
            .iter()
            .zip(bias)
            .map(|(drive, bias)| {
                let (drive, bias) = (f64::from(*drive), f64::from(*bias));
                [drive, bias, mean(drive.max(LEAST_DRIVE), bias)]
            })
            .collect();
        let seconds = |n: usize| n as f64 / rate;
        let code_time = |n: usize| time.code(seconds(n));
        let mut ends: Vec<usize> = DRIVE_KNOTS
            .iter()
            .map(|knot| first_at(length, *knot, &code_time))
            .chain(time.breaks().map(|second| first_at(length, second, &seconds)))
            .chain([length])
            .filter(|n| *n > 0)
            .collect();
        ends.sort_unstable();
        ends.dedup();
        let at = |n: usize| {
            std::array::from_fn(|part| interpolate(&DRIVE_KNOTS, code_time(n), |knot| values[knot][part]))
        };
        let (mut lines, mut first) = (Vec::new(), 0);
        for end in ends {
            let (from, to): ([f64; 3], [f64; 3]) = (at(first), at(end - 1));
            let count = (end - 1 - first).max(1) as f64;
            lines.push((end, from, std::array::from_fn(|part| (to[part] - from[part]) / count)));
            first = end;
        }
        Some(Shaper { lines })
    }

    /// The values of `count` samples from `first` on.
    fn run(&self, first: usize, count: usize, to: [&mut [f32; BLOCK]; 3]) {
        for (part, to) in to.into_iter().enumerate() {
            let mut begin = 0;
            for (end, from, step) in &self.lines {
                let range = begin.max(first)..(*end).min(first + count);
                for n in range {
                    to[n - first] = (from[part] + step[part] * (n - begin) as f64) as f32;
                }
                begin = *end;
            }
        }
    }
}

/// The mean of a saturated cosine over a period.
fn mean(drive: f64, bias: f64) -> f64 {
    let (high, low) = (tanh(drive * (1.0 + bias)), tanh(drive * (bias - 1.0)));
    let sum: f64 = (0..32)
        .map(|j| tanh(drive * (cos_turns(f64::from(j) / 32.0) + bias)))
        .map(|value| (2.0 * value - (high + low)) / (high - low))
        .sum();
    sum / 32.0
}

/// The first of `length` samples whose time, which never falls, is at least `wanted`.
fn first_at(length: usize, wanted: f64, time: &dyn Fn(usize) -> f64) -> usize {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        if time(middle) < wanted { low = middle + 1 } else { high = middle }
    }
    low
}
