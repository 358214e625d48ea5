//! What a real-time audio thread needs around a model.
