//! Attention with one head among the pixels of a small image.
// Pixels are `LANES` values, which every vector divides; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::pixels::{Image, LANES};
use super::work::Work;
use neurdsp_simd::{Isa, Lanes, dispatch, exp};

/// `softmax(Q Kᵀ / sqrt(channels)) V` among the pixels of each of `images` images of a stack.
///
/// Source: A. Vaswani et al., "Attention is all you need", arXiv 1706.03762.
///
/// # Panics
/// If the images differ in size.
#[must_use]
pub fn attention(isa: Isa, images: usize, [q, k, v]: [&Image; 3], work: &Work) -> Image {
    for other in [k, v] {
        let size = |image: &Image| (image.channels(), image.height(), image.width());
        assert_eq!(size(q), size(other), "images of one size");
    }
    assert!(images > 0 && q.height().is_multiple_of(images), "a stack of images");
    let mut output = work.image(q.channels(), q.height(), q.width());
    let pixels = q.height() / images * q.width();
    if pixels == 0 {
        return output;
    }
    let mut scores = vec![0.0; pixels.next_multiple_of(LANES)];
    let scale = 1.0 / (q.channels() as f32).sqrt();
    let stride = q.block_len();
    for image in 0..images {
        let job = Job {
            sources: [q, k, v].map(Image::data),
            first: image * pixels * LANES,
            block_stride: stride,
            blocks: q.blocks(),
            pixels,
            scale,
        };
        attend(isa, &job, &mut scores, output.data_mut());
    }
    output
}

struct Job<'a> {
    sources: [&'a [f32]; 3],
    first: usize,
    block_stride: usize,
    blocks: usize,
    pixels: usize,
    scale: f32,
}

dispatch! {
    fn attend(job: &Job<'_>, scores: &mut [f32], output: &mut [f32]) = attend_generic
}

#[inline(always)]
unsafe fn attend_generic<V: Lanes<Element = f32>>(job: &Job<'_>, scores: &mut [f32], output: &mut [f32]) {
    unsafe {
        let end = (job.blocks - 1) * job.block_stride + job.first + job.pixels * LANES;
        assert!(job.sources.iter().all(|source| source.len() >= end) && output.len() >= end, "pixels");
        assert!(scores.len() >= job.pixels.next_multiple_of(LANES), "room for the scores");
        let [q, k, v] = job.sources.map(|source| source.as_ptr().add(job.first));
        for query in 0..job.pixels {
            for (key, score) in scores[..job.pixels].iter_mut().enumerate() {
                let mut sum = V::splat(0.0);
                for block in 0..job.blocks {
                    for lane in (0..LANES).step_by(V::LANES) {
                        let place = block * job.block_stride + lane;
                        let (a, b) = (q.add(place + query * LANES), k.add(place + key * LANES));
                        sum = V::load(a).fma(V::load(b), sum);
                    }
                }
                *score = sum.sum_lanes() * job.scale;
            }
            let largest = scores[..job.pixels].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for scores in scores.chunks_exact_mut(V::LANES) {
                exp(V::load(scores.as_ptr()).sub(V::splat(largest))).store(scores.as_mut_ptr());
            }
            let total: f32 = scores[..job.pixels].iter().sum();
            for block in 0..job.blocks {
                for lane in (0..LANES).step_by(V::LANES) {
                    let place = block * job.block_stride + lane;
                    let mut sum = V::splat(0.0);
                    for (key, score) in scores[..job.pixels].iter().enumerate() {
                        sum = V::splat(*score).fma(V::load(v.add(place + key * LANES)), sum);
                    }
                    let to = output.as_mut_ptr().add(job.first + place + query * LANES);
                    sum.div(V::splat(total)).store(to);
                }
            }
        }
    }
}
