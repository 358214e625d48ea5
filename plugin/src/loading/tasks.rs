//! Tasks of one instance, such as reading a file, each on a thread. Of two tasks of one kind the later one wins.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::state::Refusal;
use crate::window::Repaint;

/// What the editor shows of the tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Status {
    /// Whether a file is being loaded.
    pub(crate) loading: bool,
    /// What went wrong last.
    pub(crate) error: Option<Refusal>,
}

/// The tasks of one instance. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    repaint: Repaint,
    status: Mutex<Status>,
    /// The number of the latest task of each kind.
    latest: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tasks {
    /// Tasks that redraw the editor when their status changes.
    pub(crate) fn new(repaint: Repaint) -> Tasks {
        Tasks(Arc::new(Inner { repaint, ..Inner::default() }))
    }

    /// Redraws the editor.
    pub(crate) fn repaint(&self) {
        self.0.repaint.request();
    }

    /// The status now.
    pub(crate) fn status(&self) -> Status {
        self.0.status.lock().clone()
    }

    /// Shows an error.
    pub(crate) fn refuse(&self, refusal: impl Into<Refusal>) {
        self.change(|status| status.error = Some(refusal.into()));
    }

    /// Shows no error any more.
    pub(crate) fn dismiss(&self) {
        self.change(|status| status.error = None);
    }

    /// Makes every task that was started before not the latest, whatever its kind.
    pub(crate) fn cancel(&self) {
        self.0.latest.lock().values_mut().for_each(|number| *number += 1);
    }

    /// Shows that nothing is being loaded, and `error`.
    pub(crate) fn settle(&self, error: Option<Refusal>) {
        self.change(|status| *status = Status { loading: false, error });
    }

    /// Runs `task` on a thread. It is given a function that tells whether it is still the latest of its `kind`; the error of a
    /// task that is not is dropped.
    pub(crate) fn spawn<T>(&self, kind: &'static str, task: T)
    where
        T: FnOnce(&dyn Fn() -> bool) -> Result<(), Refusal> + Send + 'static,
    {
        let number = {
            let mut latest = self.0.latest.lock();
            let number = latest.entry(kind).or_default();
            *number += 1;
            *number
        };
        self.change(|status| status.loading = true);
        let tasks = self.clone();
        let run = move || {
            let is_latest = || tasks.0.latest.lock().get(kind) == Some(&number);
            let error = task(&is_latest).err();
            if is_latest() {
                tasks.settle(error);
            }
        };
        if let Err(error) = std::thread::Builder::new().spawn(run) {
            let reason = format!("no thread can be created to load the file: {error}; close some programs");
            self.settle(Some(reason.into()));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.status.lock());
        self.repaint();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    use super::{Status, Tasks};

    fn settled(tasks: &Tasks) -> Status {
        let start = Instant::now();
        while tasks.status().loading && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        tasks.status()
    }

    #[test]
    fn of_two_tasks_of_a_kind_only_the_later_has_an_effect() {
        let tasks = Tasks::default();
        let (release, held) = channel::<()>();
        let (told, tell) = channel();
        let report = told.clone();
        tasks.spawn("model", move |is_latest| {
            held.recv().map_err(|error| error.to_string())?;
            report.send(("early", is_latest())).map_err(|error| error.to_string())?;
            Err("an error of the early task".to_owned().into())
        });
        tasks.spawn("cabinet", |_| Ok(()));
        tasks.spawn("model", move |is_latest| {
            told.send(("late", is_latest())).map_err(|error| error.to_string())?;
            Err("an error of the late task".to_owned().into())
        });
        assert_eq!(tell.recv().unwrap(), ("late", true));
        release.send(()).unwrap();
        assert_eq!(tell.recv().unwrap(), ("early", false));
        // The status is that of whichever of the two other tasks ended last.
        let error = settled(&tasks).error;
        assert!(error.is_none_or(|error| error.reason == "an error of the late task"));
    }

    #[test]
    fn a_cancelled_task_changes_no_status() {
        let tasks = Tasks::default();
        let (release, held) = channel::<()>();
        let (told, tell) = channel();
        tasks.spawn("model", move |is_latest| {
            held.recv().map_err(|error| error.to_string())?;
            told.send(is_latest()).map_err(|error| error.to_string())?;
            Err("too late".to_owned().into())
        });
        assert!(tasks.status().loading);
        tasks.cancel();
        tasks.settle(None);
        release.send(()).unwrap();
        assert!(!tell.recv().unwrap());
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(tasks.status(), Status::default());
    }
}
