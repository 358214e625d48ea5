//! Makes kicks and renders them, on a thread beside the audio thread, and keeps them in the project.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::thread::Thread;

use neurdsp_models::kick::{Hybrid, KickRenderer, RenderSpec};
use parking_lot::Mutex;

use super::bank::{Bank, sounding};
use super::codes::{Kick, Kicks};
use super::generator::{generate, shipped, vary};
use super::job::Job;
use super::own::Own;
use super::params::KickParams;
use super::session::{Session, VERSION};
use super::shared::{Peaks, Shared, Shown, peaks};
use super::wishes::Wishes;
use crate::instance::Instance;
use crate::loading::WorkerSlot;
use crate::state::{Refusal, Resource, SavedSession};

/// The kind of the tasks.
const KICK: &str = "kick";
/// Requests whose kicks are remembered.
const REMEMBERED: usize = 32;
/// Parts of a kick that are shown, and of a variation.
const PARTS: (usize, usize) = (880, 96);
/// The rate at which variations are rendered that are only shown, in Hz.
const SKETCH_RATE: f64 = 11_025.0;

/// The maker of one instance. Clones are the same.
#[derive(Clone)]
pub(crate) struct Maker(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) instance: Arc<Instance<KickParams>>,
    shared: Arc<Shared>,
    bench: Mutex<Bench>,
    /// Makes what the audio thread requests, while there is one.
    worker: WorkerSlot,
}

/// What one thread at a time works with.
#[derive(Default)]
struct Bench {
    /// The rate of the host in Hz, while it plays.
    rate: Option<f64>,
    renderer: Option<KickRenderer>,
    /// Kicks by their requests, the latest last: a request that comes back, as after an undo, brings its kick, even if that was
    /// taken from the variations.
    remembered: Vec<Kicks>,
    /// The hash of the file of the generator that made those.
    remembered_of: Option<String>,
    /// The generator of the user's own that was read last.
    own: Option<Own>,
    /// What was rendered last, and of which kicks.
    made: Option<(Job, u64)>,
    /// Whether the next kick is played as soon as it is there.
    is_heard_at_once: bool,
}

impl Maker {
    /// The maker of `instance`. It keeps what it makes in its session.
    pub(super) fn new(instance: &Arc<Instance<KickParams>>, shared: &Arc<Shared>) -> Maker {
        let maker = Maker(Arc::new(Inner {
            instance: Arc::clone(instance),
            shared: Arc::clone(shared),
            bench: Mutex::default(),
            worker: WorkerSlot::default(),
        }));
        maker.0.instance.params.session.on_restore(&maker.0, |inner| Maker(inner).restored());
        maker
    }

    /// Makes the kick of the session at once, at a rate in Hz. The thread that it returns makes others when it is unparked after a
    /// request in [`Shared::requests`].
    pub(super) fn attach(&self, rate: f64) -> Option<Thread> {
        self.detach();
        {
            let mut bench = self.0.bench.lock();
            (bench.rate, bench.made) = (Some(rate), None);
        }
        self.0.shared.shown.lock().failed = None;
        self.make_or_refuse();
        let maker = self.clone();
        let lack = "the kick cannot follow its controls";
        self.0.worker.start(
            &self.0.shared.requests,
            move || maker.make_or_refuse(),
            &self.0.instance.tasks,
            lack,
        )
    }

    /// Ends the thread.
    pub(super) fn detach(&self) {
        self.0.bench.lock().rate = None;
        self.0.worker.stop();
    }

    /// Makes what the parameters ask for, if it was not made, without the audio thread, which may be stopped.
    pub(super) fn nudge(&self) {
        self.0.worker.nudge(&self.0.shared.requests);
    }

    /// Plays the session that the host has restored, now or once it plays.
    fn restored(&self) {
        // Earlier requests no longer count.
        self.0.instance.tasks.cancel();
        self.0.shared.shown.lock().failed = None;
        self.make_or_refuse();
    }

    fn make_or_refuse(&self) {
        if let Err(refusal) = self.make() {
            self.0.instance.tasks.refuse(refusal);
        }
    }

    /// Makes and renders what the parameters ask for now.
    fn make(&self) -> Result<(), Refusal> {
        let mut bench = self.0.bench.lock();
        let Some(rate) = bench.rate else { return Ok(()) };
        let (params, shared) = (&self.0.instance.params, &self.0.shared);
        params.session.read(Session::check)?;
        let job = params.job();
        // What could not be made is not tried again and again, but with the next change of a control.
        if shared.shown.lock().failed == Some(job) {
            return Ok(());
        }
        let before = params.session.get();
        let made = bench.kicks(&job, before.kicks.as_ref(), before.model.as_ref());
        shared.shown.lock().failed = made.is_err().then_some(job);
        let kicks = made?;
        let made = (job, kicks.identity());
        if !self.keep(&before, &kicks) {
            return Ok(());
        }
        let is_heard_at_once = std::mem::take(&mut bench.is_heard_at_once);
        if bench.made == Some(made) && !is_heard_at_once {
            return Ok(());
        }
        let spec = job.look.spec(rate);
        let step = f64::from(spec.sample_rate) / rate;
        let kick = bench.render(&kicks.kick, &spec)?;
        let mut shown = Shown {
            job: Some(job),
            failed: None,
            kick: peaks(&kick[..sounding(&kick)], PARTS.0),
            variations: Vec::new(),
            length: sounding(&kick),
            rate_hz: spec.sample_rate,
        };
        if job.round_robin {
            let all = kicks.variations.iter().map(|kick| bench.render(kick, &spec));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            shown.variations = small(&all);
            shared.exchange.offer(Bank::new(all, step, is_heard_at_once));
        } else {
            shared.exchange.offer(Bank::new(vec![kick], step, is_heard_at_once));
            let sketch = job.look.spec(SKETCH_RATE);
            let variations = kicks.variations.iter().map(|kick| bench.render(kick, &sketch));
            shown.variations = small(&variations.collect::<Result<Vec<_>, _>>()?);
        }
        bench.made = Some(made);
        *shared.shown.lock() = shown;
        self.0.instance.repaint.request();
        Ok(())
    }

    /// Makes one of the variations the kick, and plays it.
    pub(super) fn take(&self, index: usize) {
        let maker = self.clone();
        self.0.instance.tasks.spawn(KICK, move |is_latest| {
            let Session { kicks, model, .. } = maker.0.instance.params.session.get();
            let Some(Kicks { wishes, amount_percent, variations, .. }) = kicks else { return Ok(()) };
            let Some(taken) = variations.into_iter().nth(index) else { return Ok(()) };
            let network = maker.0.bench.lock().network(model.as_ref())?;
            let kicks = vary(&network, &wishes, taken, amount_percent)?;
            if is_latest() {
                maker.store(Some(kicks), model);
                maker.0.bench.lock().is_heard_at_once = true;
                maker.make()?;
                maker.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Plays kicks that were opened, once the parameters ask for them, or else what these ask for.
    pub(super) fn play_opened(&self, opened: Session) {
        let maker = self.clone();
        self.0.instance.tasks.spawn(KICK, move |is_latest| {
            if is_latest() {
                let Session { kicks, model, .. } = maker.0.instance.params.session.get();
                // The kick that plays may stay, if it is of the same generator.
                let stays = kicks.filter(|_| model == opened.model);
                maker.store(opened.kicks.or(stays), opened.model);
                maker.0.shared.shown.lock().failed = None;
                maker.make()?;
                maker.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Has kicks made by the generator of a file from now on, or by the one inside the plugin.
    pub(super) fn open(&self, path: Option<&Path>) {
        let (maker, path) = (self.clone(), path.map(Path::to_owned));
        self.0.instance.tasks.spawn(KICK, move |is_latest| {
            let own = path.as_deref().map(Own::read).transpose()?;
            if is_latest() {
                maker.store(None, own.as_ref().map(|own| own.resource.clone()));
                {
                    let mut bench = maker.0.bench.lock();
                    (bench.own, bench.is_heard_at_once) = (own, true);
                }
                maker.0.shared.shown.lock().failed = None;
                maker.make()?;
                maker.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Plays the next kick that is made as soon as it is there.
    pub(super) fn hear_next(&self) {
        self.0.bench.lock().is_heard_at_once = true;
    }

    /// Keeps kicks that were made for a session, unless that has become another since: whoever changed it has its own made next.
    fn keep(&self, before: &Session, kicks: &Kicks) -> bool {
        let mut is_kept = false;
        self.0.instance.params.session.change(|session| {
            is_kept = session == before;
            if is_kept && session.kicks.as_ref() != Some(kicks) {
                *session =
                    Session { version: VERSION, kicks: Some(kicks.clone()), model: before.model.clone() };
            }
        });
        is_kept
    }

    fn store(&self, kicks: Option<Kicks>, model: Option<Resource>) {
        self.0
            .instance
            .params
            .session
            .change(|session| *session = Session { version: VERSION, kicks, model });
    }

    /// The kick that plays, rendered at the rate of the host; none before the first.
    ///
    /// # Errors
    ///
    /// In words for the user.
    pub(super) fn rendered(&self) -> Result<Option<Rendered>, Refusal> {
        let Some(kicks) = self.0.instance.params.session.get().kicks else { return Ok(None) };
        let mut bench = self.0.bench.lock();
        let spec = self.0.instance.params.job().look.spec(bench.rate.unwrap_or(44_100.0));
        let samples = bench.render(&kicks.kick, &spec)?;
        Ok(Some(Rendered { wishes: kicks.wishes, samples, rate_hz: spec.sample_rate }))
    }
}

/// A kick as it is saved.
pub(super) struct Rendered {
    pub(super) wishes: Wishes,
    pub(super) samples: Vec<f32>,
    pub(super) rate_hz: u32,
}

impl Bench {
    /// The generator of a session.
    fn network(&mut self, model: Option<&Resource>) -> Result<Arc<Hybrid>, Refusal> {
        let Some(model) = model else { return Ok(shipped()?) };
        if let Some(own) = self.own.as_ref().filter(|own| own.resource.is(model)) {
            return Ok(Arc::clone(&own.network));
        }
        let own = Own::restore(model)?;
        Ok(Arc::clone(&self.own.insert(own).network))
    }

    /// The kicks of a job: those of the session if they were made for it, or those that were, or new ones. Only the last need the
    /// file of a generator.
    fn kicks(
        &mut self,
        job: &Job,
        present: Option<&Kicks>,
        model: Option<&Resource>,
    ) -> Result<Kicks, Refusal> {
        let hash = model.map(|model| model.hash.clone());
        if self.remembered_of != hash {
            self.remembered.clear();
            self.remembered_of = hash;
        }
        let is_asked = |kicks: &&Kicks| kicks.wishes == job.wishes;
        let known = present.filter(is_asked).or_else(|| self.remembered.iter().rev().find(is_asked)).cloned();
        let kicks = match known {
            Some(kicks) if kicks.amount_percent == job.amount_percent => kicks,
            Some(kicks) => vary(&*self.network(model)?, &kicks.wishes, kicks.kick, job.amount_percent)?,
            None => generate(&*self.network(model)?, &job.wishes, job.amount_percent)?,
        };
        self.remember(kicks.clone());
        Ok(kicks)
    }

    fn remember(&mut self, kicks: Kicks) {
        self.remembered.retain(|known| known.wishes != kicks.wishes);
        self.remembered.push(kicks);
        if self.remembered.len() > REMEMBERED {
            self.remembered.remove(0);
        }
    }

    fn render(&mut self, kick: &Kick, spec: &RenderSpec) -> Result<Vec<f32>, String> {
        let renderer = self.renderer.get_or_insert_default();
        renderer.render(&kick.code, kick.key, spec).map_err(|error| error.to_string())
    }
}

/// Small pictures of kicks, all as long as the longest sounds.
fn small(kicks: &[Vec<f32>]) -> Vec<Peaks> {
    let longest = kicks.iter().map(|kick| sounding(kick)).max().unwrap_or(0);
    kicks.iter().map(|kick| peaks(&kick[..longest.min(kick.len())], PARTS.1)).collect()
}

impl Kicks {
    /// Tells kicks apart.
    pub(super) fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for kick in std::iter::once(&self.kick).chain(&self.variations) {
            kick.key.hash(&mut hasher);
            kick.code.values().iter().for_each(|value| value.to_bits().hash(&mut hasher));
        }
        hasher.finish()
    }
}
