//! Model files, and the models that they hold.
