//! What every model that plays in real time can do.

/// A model that turns a mono signal into a mono signal, block by block.
///
/// Building one may fail and may allocate. After that nothing here does: [`process`](StreamingModel::process) does not
/// allocate, lock, log, do I/O or panic, whatever the samples are, so it may run on an audio thread.
///
/// The output does not depend on how the input is cut into blocks: it is the same bit for bit for blocks of 1, of 64 or
/// of any other length.
pub trait StreamingModel: Send {
    /// Forgets the past: the state becomes that of a newly built model, as if the input had been zero for ever.
    fn reset(&mut self);

    /// Plays silence until the state has settled, without giving the output out.
    ///
    /// For a model with a finite receptive field this is what [`reset`](StreamingModel::reset) gives; a recurrent
    /// model may need longer.
    fn prewarm(&mut self);

    /// How many input samples, the current one included, an output sample depends on.
    fn receptive_field(&self) -> usize;

    /// By how many samples the output lags behind the input; 0 for a causal model that looks at nothing ahead.
    fn latency(&self) -> usize;

    /// Processes one block, of any length.
    ///
    /// `input` and `output` are mono samples at the sample rate of the model, and should have the same length. If they
    /// differ, the shorter length is processed and the rest of `output` is left as it is.
    fn process(&mut self, input: &[f32], output: &mut [f32]);
}
