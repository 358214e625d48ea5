//! What each instance of a plugin has, whatever the plugin.

use std::sync::Arc;

use nice_plug::params::Params;

use crate::audio::CpuMeter;
use crate::host::Link;
use crate::loading::Tasks;
use crate::state::Changes;
use crate::window::Repaint;

/// What the audio thread, the loader and the editor of one instance share. The audio thread touches atomics only.
pub(crate) struct Instance<P> {
    pub(crate) params: Arc<P>,
    pub(crate) link: Arc<Link>,
    pub(crate) tasks: Tasks,
    pub(crate) changes: Changes,
    pub(crate) cpu: CpuMeter,
    pub(crate) repaint: Repaint,
}

impl<P: Params + Default> Instance<P> {
    /// The instance that the framework is making.
    pub(crate) fn create() -> Arc<Instance<P>> {
        let repaint = Repaint::default();
        Arc::new(Instance {
            params: Arc::default(),
            link: Link::offer(|| Arc::new(P::default())),
            tasks: Tasks::new(repaint.clone()),
            changes: Changes::default(),
            cpu: CpuMeter::default(),
            repaint,
        })
    }
}
