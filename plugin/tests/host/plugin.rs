//! A small VST3 host: it loads a library, plays its plugins in blocks of any length, and automates them.

use std::collections::{BTreeSet, HashMap};
use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use super::stream::{MemoryStream, Notes, Points, Press};
use libloading::Library;
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, BusInfo_::BusFlags_, IAudioProcessor,
    IAudioProcessorTrait, IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait,
    IEditController, IEditControllerTrait, IEventList, IParameterChanges, IUnitInfo, IUnitInfoTrait,
    MediaTypes_, ParamID, ParamValue, ParameterInfo, ProcessData, ProcessModes, ProcessModes_, ProcessSetup,
    SpeakerArr, UnitInfo,
};
use vst3::Steinberg::{
    FIDString, IBStream, IPluginBaseTrait, IPluginFactory, IPluginFactory2, IPluginFactory2Trait,
    IPluginFactoryTrait, PClassInfo2, kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComWrapper, Interface};

/// A library of plugins.
pub struct Module {
    factory: ComPtr<IPluginFactory>,
    // Last, since it must be unloaded last.
    _library: Library,
}

impl Module {
    /// Loads the library that cargo has built with this test.
    pub fn load() -> Module {
        Module::open(library())
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
            Module { factory: ComPtr::from_raw(get()).unwrap(), _library: library }
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

    /// A new instance of the first class.
    pub fn create(&self) -> Instance {
        self.create_class(0)
    }

    /// A new instance of the class with this index.
    pub fn create_class(&self, index: usize) -> Instance {
        unsafe {
            let mut object = std::ptr::null_mut();
            let (class, interface) = (self.classes()[index].cid, IComponent::IID.as_ptr());
            let made =
                self.factory.createInstance(class.as_ptr().cast(), interface as FIDString, &mut object);
            assert_eq!(made, kResultOk);
            let component = ComPtr::from_raw(object.cast::<IComponent>()).unwrap();
            assert_eq!(component.initialize(std::ptr::null_mut()), kResultOk);
            let controller: ComPtr<IEditController> = component.cast().unwrap();
            let handler = ComWrapper::new(Handler::default());
            let pointer = handler.to_com_ptr::<IComponentHandler>().unwrap();
            assert_eq!(controller.setComponentHandler(pointer.as_ptr()), kResultOk);
            let processor = component.cast().unwrap();
            Instance {
                component,
                processor,
                controller,
                handler,
                edits: HashMap::new(),
                active: false,
                mode: 0,
            }
        }
    }
}

/// What the plugin has reported to the host.
#[derive(Default)]
pub struct Handler {
    /// The latest value of each parameter that was edited in the plugin's own window.
    pub edited: std::sync::Mutex<HashMap<ParamID, ParamValue>>,
    /// Those that were not sent back yet: the plugin changes a value only when the host does.
    pending: std::sync::Mutex<HashMap<ParamID, ParamValue>>,
    /// Flags of all restarts that were requested.
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
    pub(super) edits: HashMap<ParamID, Vec<(i32, ParamValue)>>,
    active: bool,
    /// How it renders.
    pub(super) mode: i32,
}

impl Instance {
    /// Makes it ready to play, with all its buses.
    pub fn start(&mut self, sample_rate: f64, max_block: usize) {
        self.start_in(ProcessModes_::kRealtime, sample_rate, max_block);
    }

    /// Makes it ready to render as fast as it can.
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
            assert_eq!(self.processor.setupProcessing(&mut setup), kResultOk);
            for kind in [MediaTypes_::kAudio, MediaTypes_::kEvent].map(|kind| kind as i32) {
                for direction in [BusDirections_::kInput, BusDirections_::kOutput] {
                    let direction = direction as i32;
                    for index in 0..self.component.getBusCount(kind, direction) {
                        assert_eq!(self.component.activateBus(kind, direction, index, 1), kResultOk);
                    }
                }
            }
            assert_eq!(self.component.setActive(1), kResultOk);
            self.processor.setProcessing(1);
        }
        (self.active, self.mode) = (true, mode as i32);
    }

    /// Ends what [`start`](Self::start) has begun.
    pub fn stop(&mut self) {
        unsafe {
            self.processor.setProcessing(0);
            assert_eq!(self.component.setActive(0), kResultOk);
        }
        self.active = false;
    }

    /// Whether the plugin takes one input for both outputs.
    pub fn take_mono(&self) -> bool {
        self.take_channels(1, &[2])
    }

    /// Sets a parameter as a host does for its own window, beside the blocks.
    pub fn set_beside(&self, name: &str, value: ParamValue) {
        assert_eq!(unsafe { self.controller.setParamNormalized(self.parameter(name), value) }, kResultOk);
    }

    /// What the plugin says that a parameter is.
    pub fn value(&self, name: &str) -> ParamValue {
        unsafe { self.controller.getParamNormalized(self.parameter(name)) }
    }

    /// The title of the parameter of this ID.
    pub fn title(&self, id: &str) -> String {
        let parameters = self.parameters();
        text16(&parameters.iter().find(|info| info.id == number(id)).unwrap().title)
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

    /// Numbers of the groups of parameters.
    pub fn units(&self) -> BTreeSet<i32> {
        let units: ComPtr<IUnitInfo> = self.controller.cast().expect("groups of parameters");
        let unit = |index| unsafe {
            let mut info: UnitInfo = std::mem::zeroed();
            assert_eq!(units.getUnitInfo(index, &mut info), kResultOk);
            info.id
        };
        (0..unsafe { units.getUnitCount() }).map(unit).collect()
    }

    /// The number of the parameter of that title or ID.
    pub fn parameter(&self, name: &str) -> ParamID {
        let parameters = self.parameters();
        let found = parameters.iter().find(|info| text16(&info.title) == name || info.id == number(name));
        found.unwrap_or_else(|| panic!("no parameter {name}")).id
    }

    /// A normalised value of a parameter as the plugin shows it.
    pub fn shown(&self, id: ParamID, value: ParamValue) -> String {
        let mut shown = [0; 128];
        assert_eq!(unsafe { self.controller.getParamStringByValue(id, value, &mut shown) }, kResultOk);
        text16(&shown)
    }

    /// Changes a parameter in the next block, at these samples to these normalised values.
    pub fn automate(&mut self, title: &str, points: &[(i32, ParamValue)]) {
        let id = self.parameter(title);
        self.edits.insert(id, points.to_vec());
    }

    /// Plays a block of two channels in place: those of the first input and of the first output.
    pub fn process(&mut self, channels: [&mut [f32]; 2]) {
        let count = channels[0].len();
        for (id, value) in self.handler.pending.lock().unwrap().drain() {
            self.edits.insert(id, vec![(0, value)]);
        }
        let (pointers, mut unheard) =
            (channels.map(<[f32]>::as_mut_ptr), [vec![0.0; count], vec![0.0; count]]);
        let unheard = unheard.each_mut().map(|channel| channel.as_mut_ptr());
        let kind = MediaTypes_::kAudio as i32;
        let n_inputs = unsafe { self.component.getBusCount(kind, BusDirections_::kInput as i32) as usize };
        let mut outputs = vec![bus(&unheard); self.count_outputs()];
        outputs[0] = bus(&pointers);
        self.process_buses(count, &mut vec![bus(&pointers); n_inputs], &mut outputs, &[]);
    }

    /// Plays a block from two channels to two others, which may be the same ones in any order.
    ///
    /// # Safety
    ///
    /// All have `count` samples.
    pub unsafe fn process_apart(&mut self, inputs: [*mut f32; 2], outputs: [*mut f32; 2], count: usize) {
        self.process_buses(count, &mut [bus(&inputs)], &mut [bus(&outputs)], &[]);
    }

    /// Plays two signals in blocks of `size`; returns both sides.
    pub fn play_both(&mut self, left: &[f32], right: &[f32], size: usize) -> [Vec<f32>; 2] {
        let (mut left, mut right) = (left.to_vec(), right.to_vec());
        for (left, right) in left.chunks_mut(size).zip(right.chunks_mut(size)) {
            self.process([left, right]);
        }
        [left, right]
    }

    /// Plays left and right in blocks of the given lengths, over and over; returns left and right of every output.
    pub fn play_outputs(&mut self, input: [&[f32]; 2], blocks: &[usize]) -> Vec<[Vec<f32>; 2]> {
        let n_outputs = self.count_outputs();
        let mut played = vec![[(); 2].map(|()| vec![f32::NAN; input[0].len()]); n_outputs];
        let mut input = input.map(<[f32]>::to_vec);
        let mut at = 0;
        for size in blocks.iter().cycle() {
            let count = (*size).min(input[0].len() - at);
            let from = input.each_mut().map(|channel| channel[at..].as_mut_ptr());
            let pointers: Vec<[*mut f32; 2]> = played
                .iter_mut()
                .map(|output| output.each_mut().map(|channel| channel[at..].as_mut_ptr()))
                .collect();
            let mut outputs: Vec<AudioBusBuffers> = pointers.iter().map(bus).collect();
            self.process_buses(count, &mut [bus(&from)], &mut outputs, &[]);
            at += count;
            if at == input[0].len() {
                break;
            }
        }
        played
    }

    /// How many outputs the plugin has.
    pub fn count_outputs(&self) -> usize {
        let (kind, direction) = (MediaTypes_::kAudio as i32, BusDirections_::kOutput as i32);
        unsafe { self.component.getBusCount(kind, direction) as usize }
    }

    /// Plays a block from two channels to outputs of any number of channels, some of which may be null.
    ///
    /// # Safety
    ///
    /// Those that are not have `count` samples.
    pub unsafe fn process_outputs(&mut self, input: [*mut f32; 2], outputs: &[Vec<*mut f32>], count: usize) {
        let bus_of = |channels: &Vec<*mut f32>| AudioBusBuffers {
            numChannels: channels.len() as i32,
            silenceFlags: 3,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: if channels.is_empty() {
                    std::ptr::null_mut()
                } else {
                    channels.as_ptr().cast_mut()
                },
            },
        };
        let mut buses: Vec<AudioBusBuffers> = outputs.iter().map(bus_of).collect();
        self.process_buses(count, &mut [bus(&input)], &mut buses, &[]);
        assert!(buses.iter().all(|bus| bus.silenceFlags == 0));
    }

    /// Asks for channels of the input and of the outputs, as many as the host names; returns whether the plugin takes them.
    pub fn take_channels(&self, input: usize, outputs: &[usize]) -> bool {
        let speakers = |count: usize| match count {
            0 => SpeakerArr::kEmpty,
            1 => SpeakerArr::kMono,
            _ => SpeakerArr::kStereo,
        };
        let mut outputs: Vec<_> = outputs.iter().map(|count| speakers(*count)).collect();
        let (mut input, count) = (speakers(input), outputs.len() as i32);
        unsafe { self.processor.setBusArrangements(&mut input, 1, outputs.as_mut_ptr(), count) == kResultOk }
    }

    /// Name, channels and whether it is active from the start, of each output.
    pub fn outputs(&self) -> Vec<(String, i32, bool)> {
        let (kind, direction) = (MediaTypes_::kAudio as i32, BusDirections_::kOutput as i32);
        let output = |index: usize| unsafe {
            let mut info = std::mem::zeroed();
            assert_eq!(self.component.getBusInfo(kind, direction, index as i32, &mut info), kResultOk);
            #[allow(clippy::unnecessary_cast)] // It is signed on Windows.
            let is_active = info.flags & BusFlags_::kDefaultActive as u32 != 0;
            (text16(&info.name), info.channelCount, is_active)
        };
        (0..self.count_outputs()).map(output).collect()
    }

    /// Plays notes through a plugin without audio input; returns the left channels of its first and second output. A note is
    /// a sample, a MIDI key and a velocity.
    pub fn play_notes(&mut self, len: usize, notes: &[(i32, i16, f32)]) -> [Vec<f32>; 2] {
        let mut channels = [(); 4].map(|()| vec![f32::NAN; len]);
        let pointers = channels.each_mut().map(|channel| channel.as_mut_ptr());
        let (first, second) = ([pointers[0], pointers[1]], [pointers[2], pointers[3]]);
        let notes: Vec<Press> =
            notes.iter().map(|(at, key, velocity)| Press::on(*at, *key, *velocity)).collect();
        self.process_buses(len, &mut [], &mut [bus(&first), bus(&second)], &notes);
        let [left, _, aux_left, _] = channels;
        [left, aux_left]
    }

    /// Plays notes through an instrument in blocks of the given lengths, over and over; returns left and right of its output.
    /// The notes are in the order of their samples, which count from the first block on.
    pub fn play_instrument(&mut self, len: usize, blocks: &[usize], notes: &[Press]) -> [Vec<f32>; 2] {
        let mut played = [(); 2].map(|()| vec![f32::NAN; len]);
        let (mut start, mut rest) = (0, notes);
        for size in blocks.iter().cycle() {
            let count = (*size).min(len - start);
            let within = rest.iter().take_while(|note| note.at < (start + count) as i32).count();
            let (block, later) = rest.split_at(if start + count == len { rest.len() } else { within });
            let block: Vec<Press> =
                block.iter().map(|note| Press { at: note.at - start as i32, ..*note }).collect();
            self.play_block(&mut played, start..start + count, &block);
            (start, rest) = (start + count, later);
            if start == len {
                break;
            }
        }
        played
    }

    /// Plays one block of an instrument into this part of left and right; the notes may be anywhere.
    pub fn play_block(&mut self, to: &mut [Vec<f32>; 2], part: std::ops::Range<usize>, notes: &[Press]) {
        let count = part.len();
        let pointers = to.each_mut().map(|channel| channel[part.clone()].as_mut_ptr());
        self.process_buses(count, &mut [], &mut [bus(&pointers)], notes);
    }

    fn process_buses(
        &mut self,
        count: usize,
        inputs: &mut [AudioBusBuffers],
        outputs: &mut [AudioBusBuffers],
        notes: &[Press],
    ) {
        let queues = Points::new(std::mem::take(&mut self.edits));
        let changes = queues.to_com_ptr::<IParameterChanges>().unwrap();
        let events = ComWrapper::new(Notes(notes.to_vec())).to_com_ptr::<IEventList>().unwrap();
        let mut data: ProcessData = unsafe { std::mem::zeroed() };
        (data.numSamples, data.processMode) = (count as i32, self.mode);
        (data.numInputs, data.numOutputs) = (inputs.len() as i32, outputs.len() as i32);
        (data.inputs, data.outputs) = (inputs.as_mut_ptr(), outputs.as_mut_ptr());
        data.inputParameterChanges = changes.as_ptr();
        data.inputEvents = events.as_ptr();
        assert_eq!(unsafe { self.processor.process(&mut data) }, kResultOk);
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

    /// For how many samples sound may go on.
    pub fn tail(&self) -> usize {
        unsafe { self.processor.getTailSamples() as usize }
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

/// The library that cargo has built with this test.
pub fn library() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("libneurdsp_plugin.so")
}

/// The library of one plugin more that cargo builds from `bundle/lib.rs`.
pub fn more_plugins() -> PathBuf {
    let path = library().with_file_name("../examples/libmore_plugins.so");
    assert!(path.exists(), "{} is missing: cargo build -p neurdsp-plugin --examples", path.display());
    path
}

/// The number by which hosts know the parameter `id`.
pub fn number(id: &str) -> u32 {
    let hash = id.bytes().fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    hash & !(1 << 31)
}

/// A stereo bus; the pointers must live as long as it is used.
pub(super) fn bus(channels: &[*mut f32; 2]) -> AudioBusBuffers {
    AudioBusBuffers {
        numChannels: 2,
        silenceFlags: 0,
        __field0: AudioBusBuffers__type0 { channelBuffers32: channels.as_ptr().cast_mut() },
    }
}

/// A UTF-16 text that ends with a zero.
pub fn text16(text: &[u16]) -> String {
    String::from_utf16_lossy(text.split(|unit| *unit == 0).next().unwrap_or_default())
}
