//! A small VST3 host: it loads the library that cargo has built, plays it in any blocks, and automates it.
#![allow(unreachable_pub, reason = "a test has no outside")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of it is calls of a foreign interface by its rules"
)]
#![allow(dead_code, reason = "each test uses a part")]

pub mod stream;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use libloading::Library;
use stream::{MemoryStream, Points};
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, IAudioProcessor, IAudioProcessorTrait,
    IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait, IEditController,
    IEditControllerTrait, IParameterChanges, MediaTypes_, ParamID, ParamValue, ParameterInfo, ProcessData,
    ProcessModes, ProcessModes_, ProcessSetup,
};
use vst3::Steinberg::{
    FIDString, IBStream, IPluginBaseTrait, IPluginFactory, IPluginFactory2, IPluginFactory2Trait,
    IPluginFactoryTrait, PClassInfo, PClassInfo2, kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComWrapper, Interface};

/// The library, and what it makes.
pub struct Module {
    factory: ComPtr<IPluginFactory>,
    class: PClassInfo,
    // Last, since it must be unloaded last.
    _library: Library,
}

impl Module {
    /// Loads the library that lies beside this test.
    pub fn load() -> Module {
        let test = std::env::current_exe().unwrap();
        Module::open(test.with_file_name("libneurdsp_plugin.so"))
    }

    /// Loads a library.
    pub fn open(path: PathBuf) -> Module {
        unsafe {
            let library = Library::new(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name: &[u8] = if cfg!(windows) { b"InitDll" } else { b"ModuleEntry" };
            let entry = library.get::<extern "C" fn(*mut c_void) -> bool>(name).unwrap();
            assert!(entry(std::ptr::null_mut()));
            let get =
                library.get::<extern "system" fn() -> *mut IPluginFactory>(b"GetPluginFactory").unwrap();
            let factory = ComPtr::from_raw(get()).unwrap();
            let mut class = std::mem::zeroed();
            assert_eq!(factory.getClassInfo(0, &mut class), kResultOk);
            Module { factory, class, _library: library }
        }
    }

    /// The classes that the library offers.
    pub fn classes(&self) -> Vec<PClassInfo2> {
        let factory: ComPtr<IPluginFactory2> = self.factory.cast().unwrap();
        let class = |index| unsafe {
            let mut class = std::mem::zeroed();
            assert_eq!(factory.getClassInfo2(index, &mut class), kResultOk);
            class
        };
        (0..unsafe { self.factory.countClasses() }).map(class).collect()
    }

    /// A new instance.
    pub fn create(&self) -> Instance {
        unsafe {
            let mut object = std::ptr::null_mut();
            let (class, interface) = (self.class.cid.as_ptr(), IComponent::IID.as_ptr());
            let made = self.factory.createInstance(class.cast(), interface as FIDString, &mut object);
            assert_eq!(made, kResultOk);
            let component = ComPtr::from_raw(object.cast::<IComponent>()).unwrap();
            assert_eq!(component.initialize(std::ptr::null_mut()), kResultOk);
            let controller: ComPtr<IEditController> = component.cast().unwrap();
            let handler = ComWrapper::new(Handler::default());
            let pointer = handler.to_com_ptr::<IComponentHandler>().unwrap();
            assert_eq!(controller.setComponentHandler(pointer.as_ptr()), kResultOk);
            let processor = component.cast().unwrap();
            Instance { component, processor, controller, handler, edits: HashMap::new(), active: false }
        }
    }
}

/// What the plugin told the host.
#[derive(Default)]
pub struct Handler {
    /// The latest value of each parameter that was edited in the plugin's own window.
    pub edited: std::sync::Mutex<HashMap<ParamID, ParamValue>>,
    /// Those of them that the plugin has not been given yet: it changes a value only when the host says so.
    pending: std::sync::Mutex<HashMap<ParamID, ParamValue>>,
    /// Flags of all restarts that were asked for.
    pub restarts: AtomicI32,
    /// Edits that have begun and not ended.
    pub open_edits: AtomicU32,
}

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        self.open_edits.fetch_add(1, Ordering::Relaxed);
        kResultOk
    }

    unsafe fn performEdit(&self, id: ParamID, value: ParamValue) -> tresult {
        self.edited.lock().unwrap().insert(id, value);
        self.pending.lock().unwrap().insert(id, value);
        kResultOk
    }

    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        self.open_edits.fetch_sub(1, Ordering::Relaxed);
        kResultOk
    }

    unsafe fn restartComponent(&self, flags: i32) -> tresult {
        self.restarts.fetch_or(flags, Ordering::Relaxed);
        kResultOk
    }
}

/// One plugin.
pub struct Instance {
    pub component: ComPtr<IComponent>,
    pub processor: ComPtr<IAudioProcessor>,
    pub controller: ComPtr<IEditController>,
    pub handler: ComWrapper<Handler>,
    edits: HashMap<ParamID, Vec<(i32, ParamValue)>>,
    active: bool,
}

impl Instance {
    /// Makes it ready to play stereo.
    pub fn start(&mut self, sample_rate: f64, max_block: usize) {
        self.start_in(ProcessModes_::kRealtime, sample_rate, max_block);
    }

    /// Makes it ready to render stereo as fast as it can.
    pub fn start_offline(&mut self, sample_rate: f64, max_block: usize) {
        self.start_in(ProcessModes_::kOffline, sample_rate, max_block);
    }

    fn start_in(&mut self, mode: ProcessModes, sample_rate: f64, max_block: usize) {
        unsafe {
            let mut setup = ProcessSetup {
                processMode: mode as i32,
                symbolicSampleSize: 0,
                maxSamplesPerBlock: max_block as i32,
                sampleRate: sample_rate,
            };
            // Twice, since the framework passes on the mode of the time before.
            assert_eq!(self.processor.setupProcessing(&mut setup), kResultOk);
            assert_eq!(self.processor.setupProcessing(&mut setup), kResultOk);
            for direction in [BusDirections_::kInput, BusDirections_::kOutput] {
                let (kind, direction) = (MediaTypes_::kAudio as i32, direction as i32);
                assert_eq!(self.component.activateBus(kind, direction, 0, 1), kResultOk);
            }
            assert_eq!(self.component.setActive(1), kResultOk);
            self.processor.setProcessing(1);
        }
        self.active = true;
    }

    /// All parameters, in the plugin's order.
    pub fn parameters(&self) -> Vec<ParameterInfo> {
        let parameter = |index| unsafe {
            let mut info = std::mem::zeroed();
            assert_eq!(self.controller.getParameterInfo(index, &mut info), kResultOk);
            info
        };
        (0..unsafe { self.controller.getParameterCount() }).map(parameter).collect()
    }

    /// The identifier of the parameter of that title.
    pub fn parameter(&self, title: &str) -> ParamID {
        let parameters = self.parameters();
        let found = parameters.iter().find(|info| text16(&info.title) == title);
        found.unwrap_or_else(|| panic!("no parameter {title}")).id
    }

    /// A normalised value of a parameter as the plugin shows it.
    pub fn shown(&self, id: ParamID, value: ParamValue) -> String {
        let mut shown = [0; 128];
        assert_eq!(unsafe { self.controller.getParamStringByValue(id, value, &mut shown) }, kResultOk);
        text16(&shown)
    }

    /// Lets the next block change a parameter at these samples, to these normalised values.
    pub fn automate(&mut self, title: &str, points: &[(i32, ParamValue)]) {
        let id = self.parameter(title);
        self.edits.insert(id, points.to_vec());
    }

    /// Plays a block of two channels in place.
    pub fn process(&mut self, channels: [&mut [f32]; 2]) {
        let count = channels[0].len();
        for (id, value) in self.handler.pending.lock().unwrap().drain() {
            self.edits.insert(id, vec![(0, value)]);
        }
        let queues = Points::new(std::mem::take(&mut self.edits));
        let changes = queues.to_com_ptr::<IParameterChanges>().unwrap();
        let mut pointers = channels.map(<[f32]>::as_mut_ptr);
        let bus = || AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers.as_ptr().cast_mut() },
        };
        let (mut input, mut output) = (bus(), bus());
        let mut data: ProcessData = unsafe { std::mem::zeroed() };
        data.numSamples = count as i32;
        (data.numInputs, data.numOutputs) = (1, 1);
        (data.inputs, data.outputs) = (&mut input, &mut output);
        data.inputParameterChanges = changes.as_ptr();
        assert_eq!(unsafe { self.processor.process(&mut data) }, kResultOk);
        pointers.fill(std::ptr::null_mut());
    }

    /// Plays a mono signal in blocks of the given lengths, over and over; returns the left channel.
    pub fn play(&mut self, signal: &[f32], blocks: &[usize]) -> Vec<f32> {
        let (mut left, mut right) = (signal.to_vec(), signal.to_vec());
        let mut at = 0;
        for size in blocks.iter().cycle() {
            let end = (at + size).min(signal.len());
            self.process([&mut left[at..end], &mut right[at..end]]);
            at = end;
            if at == signal.len() {
                break;
            }
        }
        left
    }

    pub fn latency(&self) -> u32 {
        unsafe { self.processor.getLatencySamples() }
    }

    pub fn state(&self) -> Vec<u8> {
        let stream = ComWrapper::new(MemoryStream::default());
        let pointer = stream.to_com_ptr::<IBStream>().unwrap();
        assert_eq!(unsafe { self.component.getState(pointer.as_ptr()) }, kResultOk);
        stream.bytes()
    }

    /// Whether the plugin took the state.
    pub fn set_state(&self, state: &[u8]) -> bool {
        let stream = ComWrapper::new(MemoryStream::new(state));
        let pointer = stream.to_com_ptr::<IBStream>().unwrap();
        unsafe { self.component.setState(pointer.as_ptr()) == kResultOk }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        unsafe {
            if self.active {
                self.processor.setProcessing(0);
                self.component.setActive(0);
            }
            self.controller.setComponentHandler(std::ptr::null_mut());
            self.component.terminate();
        }
    }
}

/// A UTF-16 text that ends with a zero.
pub fn text16(text: &[u16]) -> String {
    String::from_utf16_lossy(text.split(|unit| *unit == 0).next().unwrap_or_default())
}

thread_local! {
    /// A state of a generator of numbers for signals.
    static SEED: RefCell<u32> = const { RefCell::new(1) };
}

/// Noise between -amplitude and amplitude.
pub fn noise(length: usize, amplitude: f32) -> Vec<f32> {
    SEED.with_borrow_mut(|seed| {
        (0..length)
            .map(|_| {
                *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                amplitude * ((*seed >> 8) as f32 / 8_388_608.0 - 1.0)
            })
            .collect()
    })
}

/// The state of a plugin with these parameters, as JSON, and a model's file inside, as it was before models had knobs.
pub fn state_with(parameters: &str, model: &[u8]) -> Vec<u8> {
    state_of_version(1, parameters, model)
}

/// As [`state_with`], as a version of the plugin wrote it.
pub fn state_of_version(version: u32, parameters: &str, model: &[u8]) -> Vec<u8> {
    use base64::Engine;
    use sha2::Digest;
    let content = base64::engine::general_purpose::STANDARD.encode(model);
    let hash: String = sha2::Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    let session = serde_json::json!({
        "version": version,
        "model": { "path": "amp", "hash": hash, "content": content },
        "cabinet": null,
    });
    let parameters: serde_json::Value = serde_json::from_str(parameters).unwrap();
    let state = serde_json::json!({
        "version": "0.1.0",
        "params": parameters,
        "fields": { "session": session.to_string() },
    });
    state.to_string().into_bytes()
}
