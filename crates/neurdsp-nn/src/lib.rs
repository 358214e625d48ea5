//! Neural network kernels for streaming inference. No audio here.
