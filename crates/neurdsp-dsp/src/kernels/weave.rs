//! Writing complex spectra to rows of frames: whole lines of memory, past the caches where they would not stay.
// Pointers lead into staging and rows whose extents `blocks::weave` checks; `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::Lanes;

/// Bytes in a cache line.
pub(crate) const LINE: usize = 64;

/// Frames to be written, and those that wait for their lines to fill.
#[derive(Clone, Copy)]
pub struct Weave<T> {
    pub(crate) re: *mut T,
    pub(crate) im: *mut T,
    pub(crate) n_rows: usize,
    pub(crate) width: usize,
    pub(crate) lanes: usize,
    /// The first frame of the first row.
    pub(crate) outside: *mut T,
    /// Distance between rows of the result.
    pub(crate) step: usize,
    pub(crate) done: usize,
    pub(crate) count: usize,
    pub(crate) last: bool,
    /// Whether to bypass the caches.
    pub(crate) stream: bool,
}

/// Frames that are written once `n` are known: those before the first whole line, then whole registers.
#[inline(always)]
fn written(n: usize, head: usize, unit: usize) -> usize {
    if n < head { 0 } else { head + (n - head) / unit * unit }
}

#[inline(always)]
pub(super) unsafe fn weave<V: Lanes>(w: Weave<V::Element>) {
    unsafe {
        let end = w.done + w.count;
        for row in 0..w.n_rows {
            let out = w.outside.add(row * w.step);
            let number = 2 * size_of::<V::Element>();
            let head = (out as usize).wrapping_neg() % LINE / number;
            let from = written(w.done, head, V::LANES);
            let to = if w.last { end } else { written(end, head, V::LANES) };
            // Where frame zero would be: waiting frames lie before the new ones.
            let offset = (row * w.width + w.lanes).wrapping_sub(w.done);
            let (re, im) = (w.re.wrapping_add(offset), w.im.wrapping_add(offset));
            let mut frame = from;
            while frame < to.min(head) {
                put(out, re, im, frame);
                frame += 1;
            }
            while frame + V::LANES <= to {
                let (low, high) =
                    V::interleave(V::load(re.wrapping_add(frame)), V::load(im.wrapping_add(frame)));
                let at = out.add(2 * frame);
                if w.stream {
                    low.stream(at);
                    high.stream(at.add(V::LANES));
                } else {
                    low.store(at);
                    high.store(at.add(V::LANES));
                }
                frame += V::LANES;
            }
            while frame < to {
                put(out, re, im, frame);
                frame += 1;
            }
            if !w.last {
                for part in [w.re, w.im] {
                    let start = part.add(row * w.width);
                    for lane in (0..w.lanes).step_by(V::LANES) {
                        V::load(start.add(w.count + lane)).store(start.add(lane));
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn put<T: Copy>(out: *mut T, re: *const T, im: *const T, frame: usize) {
    unsafe {
        *out.add(2 * frame) = *re.wrapping_add(frame);
        *out.add(2 * frame + 1) = *im.wrapping_add(frame);
    }
}
