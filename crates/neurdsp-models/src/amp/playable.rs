//! What the networks of amps have in common once they are ready to play.

use std::fmt;
use std::sync::Arc;

use crate::amp::nam::{NamFile, NamOptions};
use crate::error::Result;
use crate::kinds::StreamingModel;

/// A network with its weights prepared, which any number of streams share. It is mono and causal.
pub(crate) trait Playable: fmt::Debug + Send + Sync {
    /// The name of the architecture in a model file.
    fn architecture(&self) -> &'static str;

    /// How many input samples, the current one included, an output sample depends on.
    fn receptive_field(&self) -> usize;

    /// The number of trained values; of a model of several sizes, those of the size that plays.
    fn n_parameters(&self) -> usize;

    /// A new stream, in the state after silence for ever.
    ///
    /// # Errors
    /// A state that cannot be allocated.
    fn build_stream(self: Arc<Self>) -> Result<Box<dyn StreamingModel>>;

    /// The same weights prepared for other options, or `None` if the options make no difference.
    ///
    /// # Errors
    /// A size outside 0 to 1, or one that the model cannot be cut to.
    fn prepared(&self, options: &NamOptions) -> Result<Option<Arc<dyn Playable>>>;

    /// The `.nam` file, if it is one.
    fn nam(&self) -> Option<&NamFile>;
}
