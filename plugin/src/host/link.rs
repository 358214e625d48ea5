//! What an instance and the host's side of it tell each other. The audio thread touches atomics only.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use nice_plug::params::Params;
use parking_lot::Mutex;

thread_local! {
    /// The link of the instance that this thread has made last. The framework makes instances itself and shows them to nobody.
    static LATEST: RefCell<Option<Arc<Link>>> = const { RefCell::new(None) };
}

type Act = Box<dyn Fn() + Send + Sync>;

/// The link of one instance.
#[derive(Default)]
pub(crate) struct Link {
    /// Makes parameters like those of the instance.
    fresh: Option<fn() -> Arc<dyn Params>>,
    is_offline: AtomicBool,
    tail_samples: AtomicU32,
    /// The latency that the host was told.
    latency: AtomicU32,
    /// Whether the host takes another latency only while it activates the plugin.
    defers_latency: AtomicBool,
    /// Whether the host is to activate the plugin anew.
    wants_restart: AtomicBool,
    /// Names of parameters that have another than their own, by ID.
    names: Mutex<BTreeMap<String, String>>,
    /// Calls [`Link::tell_names`] on the thread that the host expects it on.
    schedule: OnceLock<Act>,
    /// Tells the host that names have changed.
    on_names: OnceLock<Act>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("is_offline", &self.is_offline()).finish_non_exhaustive()
    }
}

impl Link {
    /// The link of an instance that this thread is making; `fresh` makes parameters like those of the instance.
    pub(crate) fn offer(fresh: fn() -> Arc<dyn Params>) -> Arc<Link> {
        let link = Arc::new(Link { fresh: Some(fresh), ..Link::default() });
        LATEST.set(Some(Arc::clone(&link)));
        link
    }

    /// Makes an instance by `make`; returns it with its link. A plugin that offers none has one that says nothing.
    pub(super) fn of<T>(make: impl FnOnce() -> T) -> (T, Arc<Link>) {
        LATEST.set(None);
        let made = make();
        (made, LATEST.take().unwrap_or_default())
    }

    /// Parameters like those of the instance, if it offers them.
    pub(super) fn fresh_params(&self) -> Option<Arc<dyn Params>> {
        self.fresh.map(|fresh| fresh())
    }

    /// Whether the host renders without anybody listening, so that the audio thread may wait.
    pub(crate) fn is_offline(&self) -> bool {
        self.is_offline.load(Ordering::Relaxed)
    }

    /// Says how the host renders from now on.
    pub(super) fn set_offline(&self, is_offline: bool) {
        self.is_offline.store(is_offline, Ordering::Relaxed);
    }

    /// For how many samples sound may go on after the input has ended.
    pub(super) fn tail_samples(&self) -> u32 {
        self.tail_samples.load(Ordering::Relaxed)
    }

    /// Says for how many samples sound may go on.
    pub(crate) fn set_tail_samples(&self, samples: usize) {
        self.tail_samples.store(u32::try_from(samples).unwrap_or(u32::MAX - 1), Ordering::Relaxed);
    }

    /// Says that the host takes another latency only while it activates the plugin.
    pub(super) fn defer_latency(&self) {
        self.defers_latency.store(true, Ordering::Relaxed);
    }

    /// Tells the host the latency by `tell`, while it activates the plugin.
    pub(crate) fn set_latency(&self, samples: u32, tell: impl FnOnce(u32)) {
        self.latency.store(samples, Ordering::Relaxed);
        tell(samples);
    }

    /// Tells the host of another latency while it plays, by `tell`, or asks it to activate the plugin anew, if it takes one only then.
    /// Returns whether the host knows this latency now.
    pub(crate) fn change_latency(&self, samples: u32, tell: impl FnOnce(u32)) -> bool {
        let is_known = self.latency.load(Ordering::Relaxed) == samples;
        if !is_known && self.defers_latency.load(Ordering::Relaxed) {
            self.wants_restart.store(true, Ordering::Relaxed);
            return false;
        }
        if !is_known {
            self.set_latency(samples, tell);
        }
        true
    }

    /// Whether the host is to activate the plugin anew; told once.
    pub(super) fn take_restart(&self) -> bool {
        self.wants_restart.swap(false, Ordering::Relaxed)
    }

    /// The name of a parameter, if it has another than its own.
    pub(super) fn name(&self, id: &str) -> Option<String> {
        self.names.lock().get(id).cloned()
    }

    /// Gives parameters other names, by ID, all others their own, and tells the host if that is a change.
    pub(crate) fn set_names(&self, names: BTreeMap<String, String>) {
        let before = std::mem::replace(&mut *self.names.lock(), names.clone());
        if before != names
            && let Some(schedule) = self.schedule.get()
        {
            schedule();
        }
    }

    /// How [`tell_names`](Self::tell_names) is called on the host's thread. Only the first call counts.
    pub(crate) fn schedule_by(&self, schedule: impl Fn() + Send + Sync + 'static) {
        // An instance has one editor, which brings this.
        let _ = self.schedule.set(Box::new(schedule));
    }

    /// How the host is told of names. Only the first call counts.
    pub(super) fn on_names(&self, act: impl Fn() + Send + Sync + 'static) {
        // An instance has one host.
        let _ = self.on_names.set(Box::new(act));
    }

    /// Tells the host that names have changed.
    pub(crate) fn tell_names(&self) {
        if let Some(act) = self.on_names.get() {
            act();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use nice_plug::prelude::*;

    use super::Link;

    #[test]
    fn each_instance_has_its_own_link_and_one_that_offers_none_an_empty_one() {
        #[derive(Params)]
        struct Nothing {}
        let (first, link) = Link::of(|| Link::offer(|| Arc::new(Nothing {})));
        assert!(Arc::ptr_eq(&first, &link) && link.fresh_params().is_some());
        let ((), other) = Link::of(|| ());
        assert!(!Arc::ptr_eq(&first, &other) && other.fresh_params().is_none());
    }

    #[test]
    fn a_latency_that_changes_is_told_at_once_or_when_the_host_activates_the_plugin_again() {
        let told = AtomicU32::new(0);
        let tell = |samples| told.store(samples, Ordering::Relaxed);
        let link = Link::default();
        link.set_latency(64, tell);
        assert!(link.change_latency(64, |_| panic!("told twice")) && link.change_latency(32, tell));
        assert_eq!((told.load(Ordering::Relaxed), link.take_restart()), (32, false));
        link.defer_latency();
        assert!(link.change_latency(32, tell) && !link.change_latency(0, tell));
        assert_eq!(
            (told.load(Ordering::Relaxed), link.take_restart(), link.take_restart()),
            (32, true, false)
        );
        link.set_latency(0, tell);
        assert!(told.load(Ordering::Relaxed) == 0 && link.change_latency(0, tell));
    }

    #[test]
    fn a_host_is_told_of_names_only_when_they_change() {
        let link = Arc::new(Link::default());
        let told = Arc::new(AtomicU32::new(0));
        let (weak, count) = (Arc::downgrade(&link), Arc::clone(&told));
        link.schedule_by(move || weak.upgrade().unwrap().tell_names());
        link.on_names(move || _ = count.fetch_add(1, Ordering::Relaxed));
        let gain = || [("knob1".to_owned(), "Gain".to_owned())].into();
        link.set_names(gain());
        link.set_names(gain());
        assert_eq!((link.name("knob1").as_deref(), told.load(Ordering::Relaxed)), (Some("Gain"), 1));
        link.set_names([].into());
        assert_eq!((link.name("knob1"), told.load(Ordering::Relaxed)), (None, 2));
    }
}
