//! A plugin as hosts see it.

use std::sync::Arc;

use nice_plug::plugin::PluginState;
use nice_plug::prelude::*;

use super::window::{Contents, Window};
use crate::instance::Instance;
use crate::state::SavedParams;
use crate::ui::recall::Sound;
use crate::window::AppEditor;

/// A plugin: what hosts know it by, and its audio thread.
pub(crate) trait Player: Send + Sized + 'static {
    const CLAP_ID: &'static str;
    /// One line for the lists of hosts.
    const DESCRIPTION: &'static str;
    const CLAP_FEATURES: &'static [ClapFeature];
    const VST3_CATEGORIES: &'static [Vst3SubCategory];
    /// The first is the default.
    const LAYOUTS: &'static [AudioIOLayout];
    const MIDI_INPUT: MidiConfig = MidiConfig::None;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::None;
    /// How many events one block may bring.
    const EVENT_CAPACITY: usize = 1024;

    type Sound: Sound;
    type Contents: Contents<Sound = Self::Sound>;

    fn new(instance: &Arc<Instance<ParamsOf<Self>>>) -> Self;

    /// What the window shows, and the sound that it works on.
    fn window(&self) -> (Self::Sound, Self::Contents);

    /// Prepares to play; returns whether it can. Not on the audio thread.
    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        _config: &BufferConfig,
        _tell_latency: impl FnOnce(u32),
    ) -> bool {
        true
    }

    /// Forgets the sound so far.
    fn reset(&mut self) {}

    /// Plays a block.
    fn process(
        &mut self,
        buffer: &mut Buffer,
        outputs: &mut [Buffer],
        context: &mut impl ProcessContext<Shell<Self>>,
    );

    /// Ends the threads beside the audio thread. The instance may end after it, or play again.
    fn deactivate(&mut self) {}
}

/// The parameters of a plugin.
pub(crate) type ParamsOf<P> = <<P as Player>::Sound as Sound>::Params;

/// A plugin as the framework asks for it.
pub(crate) struct Shell<P: Player> {
    instance: Arc<Instance<ParamsOf<P>>>,
    player: P,
}

impl<P: Player> Default for Shell<P> {
    fn default() -> Shell<P> {
        let instance = Instance::create();
        Shell { player: P::new(&instance), instance }
    }
}

impl<P: Player> Drop for Shell<P> {
    fn drop(&mut self) {
        // Threads of tasks may still hold what holds the others.
        self.player.deactivate();
    }
}

impl<P: Player> Plugin for Shell<P> {
    const NAME: &'static str = P::Sound::OWNER.name;
    const VENDOR: &'static str = P::Sound::OWNER.vendor;
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = P::LAYOUTS;
    const MIDI_INPUT: MidiConfig = P::MIDI_INPUT;
    const MIDI_OUTPUT: MidiConfig = P::MIDI_OUTPUT;
    const INPUT_EVENT_CAPACITY: usize = P::EVENT_CAPACITY;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = AppEditor<Window<P::Contents>>;
    type SysExMessage = ();
    /// To tell the host of the names of parameters.
    type BackgroundTask = ();

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        let link = Arc::clone(&self.instance.link);
        Box::new(move |()| link.tell_names())
    }

    fn filter_state(state: &mut PluginState) {
        ParamsOf::<P>::complete(state);
    }

    fn params(&self) -> Arc<dyn Params> {
        self.instance.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.instance.link.schedule_by(move || executor.execute_gui(()));
        let (sound, contents) = self.player.window();
        Some(Window::editor(sound, contents))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.player.activate(layout, config, |samples| context.set_latency_samples(samples))
    }

    fn reset(&mut self) {
        self.player.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        self.player.process(buffer, aux.outputs, context);
        ProcessStatus::Normal
    }

    fn deactivate(&mut self) {
        self.player.deactivate();
    }
}

impl<P: Player> ClapPlugin for Shell<P> {
    const CLAP_ID: &'static str = P::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(P::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = P::CLAP_FEATURES;
}

impl<P: Player> Vst3Plugin for Shell<P> {
    const VST3_CLASS_ID: [u8; 16] = P::Sound::OWNER.class;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = P::VST3_CATEGORIES;
}
