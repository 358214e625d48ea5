//! A field that a project keeps beside the parameters.

use std::sync::{Arc, OnceLock};

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
    /// Calls `act` with `of`, as long as that lives, whenever the host has restored the value, which it does after the parameters.
    /// Only the first call counts.
    pub(crate) fn on_restore<O: Send + Sync + 'static>(
        &self,
        of: &Arc<O>,
        act: impl Fn(Arc<O>) + Send + Sync + 'static,
    ) {
        // Weak: it may hold this value.
        let weak = Arc::downgrade(of);
        let act = move || {
            if let Some(of) = weak.upgrade() {
                act(of);
            }
        };
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
