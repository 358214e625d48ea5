//! The mixin of a layer that modulates the convolution or the mixin alone, so that the two cannot share their sums.

use neurdsp_nn::planar::{Affine, Base, Input, PlanarBlock, Rows, RowsMut, accumulate};
use neurdsp_simd::Isa;

use super::film::{PreparedFilm, affine};
use crate::amp::nam::{Film, Layer};
use crate::error::Result;

/// A mixin that does not share the convolution's sums.
#[derive(Debug)]
pub(super) struct MixinApart {
    mixin: Affine,
    conv_post: Option<PreparedFilm>,
    mixin_pre: Option<PreparedFilm>,
    mixin_post: Option<PreparedFilm>,
}

impl MixinApart {
    pub(super) fn new(layer: &Layer, isa: Isa) -> Result<MixinApart> {
        let film = |film: &Option<Film>| film.as_ref().map(|film| PreparedFilm::new(film, isa)).transpose();
        Ok(MixinApart {
            mixin: affine(&layer.mixin, isa)?,
            conv_post: film(&layer.films.conv_post)?,
            mixin_pre: film(&layer.films.input_mixin_pre)?,
            mixin_post: film(&layer.films.input_mixin_post)?,
        })
    }

    /// Rows of scratch that the largest modulation needs.
    pub(super) fn film_scratch(&self) -> usize {
        let films = [&self.conv_post, &self.mixin_pre, &self.mixin_post];
        films.into_iter().flatten().map(PreparedFilm::scratch).max().unwrap_or(0)
    }

    /// Channels of the condition.
    pub(super) fn condition_size(&self) -> usize {
        self.mixin.shape().inputs
    }

    /// Adds the mixed condition to `z`, which holds the output of the convolution.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn run(
        &self,
        z: &mut RowsMut<'_>,
        condition: Rows<'_>,
        other: &mut PlanarBlock,
        film_scratch: &mut PlanarBlock,
        condition_scratch: &mut PlanarBlock,
        frames: usize,
        isa: Isa,
    ) {
        if let Some(film) = &self.conv_post {
            film.run(z, condition, film_scratch, frames);
        }
        let mut mixed = other.first_mut(self.mixin.shape().outputs);
        match &self.mixin_pre {
            None => self.mixin.run(Input::Rows(condition), None, Base::Zero, &mut mixed, frames),
            Some(film) => {
                let mut modulated = condition_scratch.first_mut(condition.channels());
                modulated.copy_from(condition, frames);
                film.run(&mut modulated, condition, film_scratch, frames);
                self.mixin.run(Input::Rows(modulated.as_rows()), None, Base::Zero, &mut mixed, frames);
            }
        }
        if let Some(film) = &self.mixin_post {
            film.run(&mut mixed, condition, film_scratch, frames);
        }
        accumulate(isa, z, mixed.as_rows(), 1.0, frames);
    }
}
