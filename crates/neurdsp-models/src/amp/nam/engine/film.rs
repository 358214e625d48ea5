//! The modulation of a signal by the condition.

use neurdsp_nn::planar::{Affine, AffineShape, Base, Input, PlanarBlock, Rows, RowsMut, modulate};
use neurdsp_simd::Isa;

use crate::amp::nam::{Conv, Film};
use crate::error::Result;

/// A modulation with its weights prepared.
#[derive(Debug)]
pub(super) struct PreparedFilm {
    /// From the condition to the scales, then the shifts if there are any.
    affine: Affine,
    width: usize,
    shift: bool,
    isa: Isa,
}

impl PreparedFilm {
    pub(super) fn new(film: &Film, isa: Isa) -> Result<PreparedFilm> {
        Ok(PreparedFilm { affine: affine(&film.conv, isa)?, width: film.width(), shift: film.shift, isa })
    }

    /// Rows of scratch that [`run`](Self::run) takes.
    pub(super) fn scratch(&self) -> usize {
        self.affine.shape().outputs
    }

    pub(super) fn run(
        &self,
        x: &mut RowsMut<'_>,
        condition: Rows<'_>,
        scratch: &mut PlanarBlock,
        frames: usize,
    ) {
        let mut scale_shift = scratch.first_mut(self.scratch());
        self.affine.run(Input::Rows(condition), None, Base::Zero, &mut scale_shift, frames);
        let rows = scale_shift.as_rows();
        let shift = self.shift.then(|| rows.range(self.width, self.width));
        modulate(self.isa, x, rows.range(0, self.width), shift, frames);
    }
}

/// A convolution with its weights prepared.
pub(super) fn affine(conv: &Conv, isa: Isa) -> Result<Affine> {
    let shape = AffineShape {
        inputs: conv.inputs,
        outputs: conv.outputs,
        taps: conv.kernel_size,
        dilation: conv.dilation,
        groups: conv.groups,
        mix: 0,
    };
    Ok(Affine::new(&shape, &conv.weight, conv.bias.as_deref().unwrap_or(&[]), &[], isa)?)
}
