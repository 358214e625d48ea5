//! An instance for VST3 hosts: the framework's, and answers of our own where hosts need more.

mod controller;
mod notes_and_units;
mod processor;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nice_plug::plugin::PluginState;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusDirections_, BusInfo, BusInfo_::BusFlags_, IAudioProcessor, IAudioProcessorTrait,
    IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait, IEditController,
    IEditControllerTrait, IMidiMapping, INoteExpressionController, IProcessContextRequirements, IUnitInfo,
    IoMode, MediaType, MediaTypes_, ParamID, ParameterInfo, RestartFlags_, RoutingInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, TBool, TUID, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper};
use nice_plug::wrapper::vst3::{Vst3Plugin, Wrapper};
use parking_lot::Mutex;

use super::buffers::{Scratch, Shape};
use super::link::Link;
use super::pending::Pending;
use super::stream::{Written, write_all};
use super::worker;
use crate::state::values;

/// The host's side that edits and restarts are reported to.
type Handler = Arc<Mutex<Option<ComPtr<IComponentHandler>>>>;

/// An instance.
pub(super) struct Instance {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    controller: ComPtr<IEditController>,
    requirements: ComPtr<IProcessContextRequirements>,
    midi_mapping: ComPtr<IMidiMapping>,
    note_expressions: ComPtr<INoteExpressionController>,
    units: ComPtr<IUnitInfo>,
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
    scratch: Mutex<Scratch>,
}

impl Drop for Instance {
    fn drop(&mut self) {
        if worker::has_died() {
            // One count more, so that the framework's instance is never ended.
            std::mem::forget(self.component.clone());
        }
    }
}

impl Class for Instance {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IProcessContextRequirements,
        IMidiMapping,
        INoteExpressionController,
        IUnitInfo,
    );
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
            midi_mapping: inner.to_com_ptr()?,
            note_expressions: inner.to_com_ptr()?,
            units: inner.to_com_ptr()?,
            controller,
            link,
            handler,
            ids: ids.map(Iterator::collect).unwrap_or_default(),
            pending: Pending::new(numbers.into_iter()),
            setup_is_offline: AtomicBool::new(false),
            is_set_up: AtomicBool::new(false),
            is_processing: AtomicBool::new(false),
            max_samples: AtomicUsize::new(0),
            scratch: Mutex::default(),
        }))
    }

    /// Channels of the buses.
    fn shape(&self) -> Shape {
        // SAFETY: the information is ours, and plain numbers.
        let n_channels = |direction: BusDirection, index: i32| unsafe {
            let mut info: BusInfo = std::mem::zeroed();
            let found = self.component.getBusInfo(MediaTypes_::kAudio as i32, direction, index, &mut info);
            if found == kResultOk { usize::try_from(info.channelCount).unwrap_or(0) } else { 0 }
        };
        let (input, output) =
            (BusDirections_::kInput as BusDirection, BusDirections_::kOutput as BusDirection);
        Shape::new(n_channels(input, 0), (0..self.count_outputs()).map(|index| n_channels(output, index)))
    }

    /// How many outputs there are.
    fn count_outputs(&self) -> i32 {
        let (kind, direction) = (MediaTypes_::kAudio as MediaType, BusDirections_::kOutput as BusDirection);
        // SAFETY: any numbers may be asked for.
        unsafe { self.component.getBusCount(kind, direction) }
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

    // The constants of the interface are signed on Windows.
    #[allow(clippy::unnecessary_cast)]
    unsafe fn getBusInfo(
        &self,
        kind: MediaType,
        direction: BusDirection,
        index: i32,
        bus: *mut BusInfo,
    ) -> tresult {
        // SAFETY: see above.
        let result = unsafe { self.component.getBusInfo(kind, direction, index, bus) };
        let is_further = index > 0 && direction == BusDirections_::kOutput as BusDirection;
        if result == kResultOk && kind == MediaTypes_::kAudio as MediaType && is_further {
            // A host that knows only the main output shall not have to deal with the others.
            // SAFETY: the framework has filled it.
            unsafe { (*bus).flags &= !(BusFlags_::kDefaultActive as u32) };
        }
        result
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
            let max_samples = self.max_samples.load(Ordering::Relaxed);
            *self.scratch.lock() = Scratch::new(self.shape(), max_samples);
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
