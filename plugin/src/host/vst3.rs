//! An instance for VST3 hosts: the framework's, and answers of our own where hosts need more.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nice_plug::plugin::PluginState;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, BusDirections_, BusInfo, IAudioProcessor,
    IAudioProcessorTrait, IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait,
    IEditController, IEditControllerTrait, IParamValueQueueTrait, IParameterChangesTrait,
    IProcessContextRequirements, IProcessContextRequirementsTrait, IoMode, MediaType, MediaTypes_, ParamID,
    ParamValue, ParameterInfo, ProcessData, ProcessModes_, ProcessSetup, RestartFlags_, RoutingInfo,
    SpeakerArrangement, String128, SymbolicSampleSizes_, TChar,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, TBool, TUID, kInvalidArgument,
    kNotInitialized, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};
use nice_plug::wrapper::vst3::{Vst3Plugin, Wrapper};
use parking_lot::Mutex;

use super::buffers::{Scratch, are_plain};
use super::link::Link;
use super::pending::Pending;
use super::stream::{Written, write_all};
use crate::state::values;

/// The host's side that edits and restarts are reported to.
type Handler = Arc<Mutex<Option<ComPtr<IComponentHandler>>>>;

/// An instance.
pub(super) struct Instance {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    controller: ComPtr<IEditController>,
    requirements: ComPtr<IProcessContextRequirements>,
    link: Arc<Link>,
    handler: Handler,
    /// IDs of the parameters, in the host's order.
    ids: Vec<String>,
    pending: Pending,
    /// Whether the last setup was for an offline render, and whether there was one.
    setup_is_offline: AtomicBool,
    is_set_up: AtomicBool,
    is_processing: AtomicBool,
    max_samples: AtomicUsize,
    /// Channels of the main input and output.
    n_channels: [AtomicUsize; 2],
    scratch: Mutex<Scratch>,
}

impl Class for Instance {
    type Interfaces = (IComponent, IEditController, IAudioProcessor, IProcessContextRequirements);
}

impl Instance {
    /// An instance of `P`; none if the framework offers less than it promises.
    pub(super) fn create<P: Vst3Plugin>() -> Option<ComWrapper<Instance>> {
        let (inner, link) = Link::of(|| ComWrapper::new(Wrapper::<P>::new()));
        let ids = link.fresh_params().map(|params| params.param_map().into_iter().map(|(id, ..)| id));
        let controller = inner.to_com_ptr::<IEditController>()?;
        let numbers = numbers(&controller);
        let handler = Handler::default();
        let told = Arc::clone(&handler);
        link.on_names(move || {
            // Not under the lock: the host may call back.
            let handler = told.lock().clone();
            if let Some(handler) = handler {
                // SAFETY: the host keeps it alive, since it is counted.
                unsafe { handler.restartComponent(RestartFlags_::kParamTitlesChanged) };
            }
        });
        Some(ComWrapper::new(Instance {
            component: inner.to_com_ptr()?,
            processor: inner.to_com_ptr()?,
            requirements: inner.to_com_ptr()?,
            controller,
            link,
            handler,
            ids: ids.map(Iterator::collect).unwrap_or_default(),
            pending: Pending::new(numbers.into_iter()),
            setup_is_offline: AtomicBool::new(false),
            is_set_up: AtomicBool::new(false),
            is_processing: AtomicBool::new(false),
            max_samples: AtomicUsize::new(0),
            n_channels: [AtomicUsize::new(0), AtomicUsize::new(0)],
            scratch: Mutex::default(),
        }))
    }

    /// Channels of the main bus of a direction; 0 if it has none.
    fn count_channels(&self, direction: BusDirection) -> usize {
        // SAFETY: the information is ours, and plain numbers.
        unsafe {
            let mut info: BusInfo = std::mem::zeroed();
            let found = self.component.getBusInfo(MediaTypes_::kAudio as i32, direction, 0, &mut info);
            if found == kResultOk { usize::try_from(info.channelCount).unwrap_or(0) } else { 0 }
        }
    }

    /// Forgets the kept values that the block brings.
    ///
    /// # Safety
    ///
    /// `data` is what the host gave for the block.
    unsafe fn forget_brought(&self, data: &ProcessData) {
        // SAFETY: the host's changes live during the call.
        unsafe {
            let Some(changes) = ComRef::from_raw(data.inputParameterChanges) else { return };
            for index in 0..changes.getParameterCount() {
                if let Some(queue) = ComRef::from_raw(changes.getParameterData(index))
                    && queue.getPointCount() > 0
                {
                    self.pending.forget(queue.getParameterId());
                }
            }
        }
    }

    /// Plays a block whose channels the framework would play wrongly; none if they are plain.
    ///
    /// # Safety
    ///
    /// As [`forget_brought`](Self::forget_brought).
    unsafe fn play_apart(&self, data: &ProcessData) -> Option<tresult> {
        let count = usize::try_from(data.numSamples).ok().filter(|count| *count > 0)?;
        if data.numInputs != 1 || data.numOutputs != 1 || data.inputs.is_null() || data.outputs.is_null() {
            return None;
        }
        // SAFETY: the host gives a bus for each side, with as many channels as it says.
        let (input, output, inputs, outputs) = unsafe {
            let (input, output) = (*data.inputs, *data.outputs);
            (input, output, channels(&input)?, channels(&output)?)
        };
        let [n_inputs, n_outputs] = [0, 1].map(|side: usize| self.n_channels[side].load(Ordering::Relaxed));
        if are_plain(inputs, outputs, n_inputs, n_outputs) {
            return None;
        }
        // Nobody else takes it while sound plays, so this does not wait.
        let mut scratch = self.scratch.try_lock()?;
        // SAFETY: as above.
        let pointers = unsafe { scratch.take(inputs, count)? };
        let bus = |of: AudioBusBuffers, n_channels: usize| AudioBusBuffers {
            numChannels: n_channels as i32,
            silenceFlags: of.silenceFlags,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers },
        };
        let (mut input, mut output) = (bus(input, n_inputs), bus(output, n_outputs));
        let mut own = ProcessData { inputs: &mut input, outputs: &mut output, ..*data };
        // SAFETY: the buses have memory for the block in every channel.
        let result = unsafe { self.processor.process(&mut own) };
        // SAFETY: as above.
        unsafe { scratch.give(outputs, count) };
        Some(result)
    }

    /// The state with the values that no block has brought yet; none if there are no such values.
    fn state_with_pending(&self) -> Option<Vec<u8>> {
        let pending = self.pending.all();
        let fresh = self.link.fresh_params().filter(|_| !pending.is_empty())?;
        let stream = ComWrapper::new(Written::default());
        let pointer = stream.to_com_ptr::<IBStream>()?;
        // SAFETY: the stream is ours.
        let written = unsafe { IComponentTrait::getState(&self.component, pointer.as_ptr()) };
        let mut state: PluginState =
            serde_json::from_slice(&stream.take()).ok().filter(|_| written == kResultOk)?;
        for (index, value) in pending {
            if let Some(id) = self.ids.get(index)
                && let Some(value) = values::plain(&*fresh, id, value as f32)
            {
                state.params.insert(id.clone(), value);
            }
        }
        serde_json::to_vec(&state).ok()
    }
}

/// The numbers of all parameters.
fn numbers(controller: &ComPtr<IEditController>) -> Vec<ParamID> {
    // SAFETY: the information is ours, and plain numbers.
    unsafe {
        let mut info: ParameterInfo = std::mem::zeroed();
        (0..controller.getParameterCount())
            .map(|index| {
                controller.getParameterInfo(index, &mut info);
                info.id
            })
            .collect()
    }
}

/// The channels of a bus; none if it has no list of them.
///
/// # Safety
///
/// The bus is the host's, and lives as long as the result is used.
unsafe fn channels<'a>(bus: &AudioBusBuffers) -> Option<&'a [*mut f32]> {
    let count = usize::try_from(bus.numChannels).ok()?;
    // SAFETY: only samples of 32 bits are offered.
    let list = unsafe { bus.__field0.channelBuffers32 };
    if list.is_null() {
        return (count == 0).then_some(&[]);
    }
    // SAFETY: the caller promises as many channels.
    Some(unsafe { std::slice::from_raw_parts(list, count) })
}

/// A text for the host: at most 127 letters of UTF-16 and a zero.
fn write_text(text: &str, to: &mut String128) {
    let room = to.len() - 1;
    to.fill(0);
    for (to, unit) in to.iter_mut().zip(text.encode_utf16().take(room)) {
        *to = unit;
    }
}

// SAFETY of all calls below: they pass on what the host gave, by the rules of the interface that the host has called.

impl IPluginBaseTrait for Instance {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        // SAFETY: see above.
        unsafe { self.component.initialize(context) }
    }

    unsafe fn terminate(&self) -> tresult {
        *self.handler.lock() = None;
        // SAFETY: see above.
        unsafe { self.component.terminate() }
    }
}

impl IComponentTrait for Instance {
    unsafe fn getControllerClassId(&self, class: *mut TUID) -> tresult {
        // SAFETY: see above.
        unsafe { self.component.getControllerClassId(class) }
    }

    unsafe fn setIoMode(&self, mode: IoMode) -> tresult {
        // SAFETY: see above.
        unsafe { self.component.setIoMode(mode) }
    }

    unsafe fn getBusCount(&self, kind: MediaType, direction: BusDirection) -> i32 {
        // SAFETY: see above.
        unsafe { self.component.getBusCount(kind, direction) }
    }

    unsafe fn getBusInfo(
        &self,
        kind: MediaType,
        direction: BusDirection,
        index: i32,
        bus: *mut BusInfo,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.component.getBusInfo(kind, direction, index, bus) }
    }

    unsafe fn getRoutingInfo(&self, input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult {
        // SAFETY: see above.
        unsafe { self.component.getRoutingInfo(input, output) }
    }

    unsafe fn activateBus(
        &self,
        kind: MediaType,
        direction: BusDirection,
        index: i32,
        state: TBool,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.component.activateBus(kind, direction, index, state) }
    }

    unsafe fn setActive(&self, state: TBool) -> tresult {
        if state == 0 && self.is_processing.load(Ordering::Relaxed) {
            // A host may stop without saying so first; the framework would go on to ignore what it sets.
            // SAFETY: see above.
            unsafe { self.setProcessing(0) };
        }
        if state != 0 {
            let counts = [BusDirections_::kInput, BusDirections_::kOutput]
                .map(|direction| self.count_channels(direction as BusDirection));
            for (kept, count) in self.n_channels.iter().zip(counts) {
                kept.store(count, Ordering::Relaxed);
            }
            let max_samples = self.max_samples.load(Ordering::Relaxed);
            *self.scratch.lock() = Scratch::new(counts[0].max(counts[1]), max_samples);
        }
        // SAFETY: see above.
        unsafe { self.component.setActive(state) }
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        let result = unsafe { IComponentTrait::setState(&self.component, state) };
        if result == kResultOk {
            // What was set before the state does not change what it restores.
            self.pending.take();
        }
        result
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        match self.state_with_pending() {
            // SAFETY: see above.
            Some(bytes) if unsafe { write_all(state, &bytes) } => kResultOk,
            Some(_) => kResultFalse,
            // SAFETY: see above.
            None => unsafe { IComponentTrait::getState(&self.component, state) },
        }
    }
}

impl IEditControllerTrait for Instance {
    unsafe fn setComponentState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { self.controller.setComponentState(state) }
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { IEditControllerTrait::setState(&self.controller, state) }
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { IEditControllerTrait::getState(&self.controller, state) }
    }

    unsafe fn getParameterCount(&self) -> i32 {
        // SAFETY: see above.
        unsafe { self.controller.getParameterCount() }
    }

    unsafe fn getParameterInfo(&self, index: i32, info: *mut ParameterInfo) -> tresult {
        // SAFETY: see above. The framework refuses only indices beyond the one after the last.
        unsafe {
            if index < 0 || index >= self.getParameterCount() || info.is_null() {
                return kInvalidArgument;
            }
            let result = self.controller.getParameterInfo(index, info);
            if let Some(name) = self.ids.get(index as usize).and_then(|id| self.link.name(id)) {
                write_text(&name, &mut (*info).title);
                write_text(&name, &mut (*info).shortTitle);
            }
            result
        }
    }

    unsafe fn getParamStringByValue(&self, id: ParamID, value: ParamValue, text: *mut String128) -> tresult {
        // SAFETY: see above.
        unsafe { self.controller.getParamStringByValue(id, value, text) }
    }

    unsafe fn getParamValueByString(&self, id: ParamID, text: *mut TChar, value: *mut ParamValue) -> tresult {
        // SAFETY: see above.
        unsafe { self.controller.getParamValueByString(id, text, value) }
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: see above.
        unsafe { self.controller.normalizedParamToPlain(id, value) }
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: see above.
        unsafe { self.controller.plainParamToNormalized(id, value) }
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        // SAFETY: see above.
        self.pending.get(id).unwrap_or_else(|| unsafe { self.controller.getParamNormalized(id) })
    }

    unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
        if self.is_processing.load(Ordering::Relaxed) {
            return if self.pending.set(id, value) { kResultOk } else { kInvalidArgument };
        }
        // SAFETY: see above.
        unsafe { self.controller.setParamNormalized(id, value) }
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        // SAFETY: see above.
        unsafe {
            *self.handler.lock() = ComRef::from_raw(handler).map(|handler| handler.to_com_ptr());
            self.controller.setComponentHandler(handler)
        }
    }

    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        // SAFETY: see above; a name ends with a zero.
        if name.is_null() || unsafe { CStr::from_ptr(name) } != c"editor" {
            return std::ptr::null_mut();
        }
        // SAFETY: see above.
        unsafe { self.controller.createView(name) }
    }
}

impl IAudioProcessorTrait for Instance {
    unsafe fn setBusArrangements(
        &self,
        inputs: *mut SpeakerArrangement,
        n_inputs: i32,
        outputs: *mut SpeakerArrangement,
        n_outputs: i32,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.processor.setBusArrangements(inputs, n_inputs, outputs, n_outputs) }
    }

    unsafe fn getBusArrangement(
        &self,
        direction: BusDirection,
        index: i32,
        to: *mut SpeakerArrangement,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.processor.getBusArrangement(direction, index, to) }
    }

    unsafe fn canProcessSampleSize(&self, size: i32) -> tresult {
        // SAFETY: see above.
        unsafe { self.processor.canProcessSampleSize(size) }
    }

    unsafe fn getLatencySamples(&self) -> u32 {
        // SAFETY: see above.
        unsafe { self.processor.getLatencySamples() }
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        if setup.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: see above.
        let ProcessSetup {
            processMode: mode,
            symbolicSampleSize: size,
            maxSamplesPerBlock: max,
            sampleRate: rate,
        } = unsafe { *setup };
        let plays = size == SymbolicSampleSizes_::kSample32 as i32 && rate.is_finite() && rate > 0.0;
        let (true, Ok(max_samples)) = (plays, usize::try_from(max)) else { return kResultFalse };
        // The framework passes on the mode of the call before.
        // SAFETY: see above.
        let results =
            unsafe { [self.processor.setupProcessing(setup), self.processor.setupProcessing(setup)] };
        let is_offline = mode == ProcessModes_::kOffline as i32;
        self.setup_is_offline.store(is_offline, Ordering::Relaxed);
        self.link.set_offline(is_offline);
        self.max_samples.store(max_samples, Ordering::Relaxed);
        self.is_set_up.store(true, Ordering::Relaxed);
        results[1]
    }

    unsafe fn setProcessing(&self, state: TBool) -> tresult {
        // SAFETY: see above.
        let result = unsafe { self.processor.setProcessing(state) };
        self.is_processing.store(state != 0, Ordering::Relaxed);
        if state == 0 {
            // No block will bring them.
            for (number, value) in self.pending.take() {
                // SAFETY: see above.
                unsafe { self.controller.setParamNormalized(number, value) };
            }
        }
        result
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: see above.
        let Some(given) = (unsafe { data.as_ref() }) else { return kInvalidArgument };
        if !self.is_set_up.load(Ordering::Relaxed) {
            return kNotInitialized;
        }
        if given.symbolicSampleSize != SymbolicSampleSizes_::kSample32 as i32 || given.numSamples < 0 {
            return kInvalidArgument;
        }
        let is_offline = given.processMode == ProcessModes_::kOffline as i32;
        self.link.set_offline(is_offline || self.setup_is_offline.load(Ordering::Relaxed));
        // SAFETY: see above.
        unsafe {
            if self.pending.is_any() {
                self.forget_brought(given);
            }
            self.play_apart(given).unwrap_or_else(|| self.processor.process(data))
        }
    }

    unsafe fn getTailSamples(&self) -> u32 {
        self.link.tail_samples()
    }
}

impl IProcessContextRequirementsTrait for Instance {
    unsafe fn getProcessContextRequirements(&self) -> u32 {
        // SAFETY: see above.
        unsafe { self.requirements.getProcessContextRequirements() }
    }
}
