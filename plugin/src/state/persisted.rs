//! A field that a project keeps beside the parameters.

use std::sync::OnceLock;

use nice_plug::params::persist::PersistentField;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// A value for a field with `#[persist]`, which reports when the host has restored it.
#[derive(Default)]
pub(crate) struct Persisted<T> {
    value: Mutex<T>,
    on_restore: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl<T: Clone> Persisted<T> {
    /// Calls `act` whenever the host has restored the value, which it does after the parameters. Only the first call counts.
    pub(crate) fn on_restore(&self, act: impl Fn() + Send + Sync + 'static) {
        // An instance has one loader.
        let _ = self.on_restore.set(Box::new(act));
    }

    /// The value now.
    pub(crate) fn get(&self) -> T {
        self.value.lock().clone()
    }

    /// Reads a part of it.
    pub(crate) fn read<R>(&self, part: impl FnOnce(&T) -> R) -> R {
        part(&self.value.lock())
    }

    /// Changes it; the host learns of that with the next save.
    pub(crate) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.lock());
    }
}

impl<'a, T: Serialize + Deserialize<'a> + Send> PersistentField<'a, T> for Persisted<T> {
    fn set(&self, value: T) {
        *self.value.lock() = value;
        if let Some(act) = self.on_restore.get() {
            act();
        }
    }

    fn map<F: Fn(&T) -> R, R>(&self, read: F) -> R {
        read(&self.value.lock())
    }
}
