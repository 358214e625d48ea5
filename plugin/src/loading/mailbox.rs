//! A place for one thing, between the audio thread and another. Whoever comes later wins; nobody waits.

use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Holds at most one thing.
pub(crate) struct Mailbox<T> {
    held: AtomicPtr<T>,
    _owns: PhantomData<Box<T>>,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Mailbox<T> {
        Mailbox { held: AtomicPtr::new(ptr::null_mut()), _owns: PhantomData }
    }
}

impl<T> std::fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl<T> Mailbox<T> {
    /// Puts something in; returns what was there and has not been taken. Neither allocates, frees nor waits.
    pub(crate) fn put(&self, item: Box<T>) -> Option<Box<T>> {
        self.swap(Box::into_raw(item))
    }

    /// Takes what is there. Neither allocates, frees nor waits.
    pub(crate) fn take(&self) -> Option<Box<T>> {
        self.swap(ptr::null_mut())
    }

    fn swap(&self, item: *mut T) -> Option<Box<T>> {
        let before = self.held.swap(item, Ordering::AcqRel);
        // SAFETY: it is null, or was a box when it was put in, and nobody else has it since it was swapped out.
        (!before.is_null()).then(|| unsafe { Box::from_raw(before) })
    }
}

impl<T> Drop for Mailbox<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Mailbox;

    #[test]
    fn each_thing_comes_out_once_whoever_takes_it() {
        let mailbox = Mailbox::default();
        assert!(mailbox.put(Box::new(1)).is_none());
        assert_eq!(mailbox.put(Box::new(2)).as_deref(), Some(&1));
        assert_eq!((mailbox.take().as_deref(), mailbox.take()), (Some(&2), None));

        let (mailbox, alive) = (Arc::new(Mailbox::default()), Arc::new(()));
        let putting = {
            let (mailbox, alive) = (Arc::clone(&mailbox), Arc::clone(&alive));
            std::thread::spawn(move || {
                (0..10_000).filter(|_| mailbox.put(Box::new(Arc::clone(&alive))).is_none()).count()
            })
        };
        let mut taken = 0;
        while !putting.is_finished() {
            taken += usize::from(mailbox.take().is_some());
        }
        let put = putting.join().unwrap();
        assert_eq!(put, taken + usize::from(mailbox.take().is_some()));
        drop(mailbox);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
