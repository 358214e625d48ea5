//! A small CLAP host.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_END, CLAP_EVENT_PARAM_VALUE, clap_event_header,
    clap_event_note, clap_event_param_value, clap_input_events, clap_output_events,
};
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_plugin_audio_ports};
use clap_sys::ext::gui::{
    CLAP_EXT_GUI, CLAP_WINDOW_API_X11, clap_host_gui, clap_plugin_gui, clap_window, clap_window_handle,
};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_plugin_latency};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::render::{CLAP_EXT_RENDER, clap_plugin_render};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_plugin_tail};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use libloading::Library;

unsafe extern "C" fn extension(_: *const clap_host, name: *const c_char) -> *const c_void {
    static GUI: clap_host_gui = clap_host_gui {
        resize_hints_changed: Some(ignore),
        request_resize: Some(refuse_size),
        request_show: Some(refuse),
        request_hide: Some(refuse),
        closed: Some(ignore_closed),
    };
    if unsafe { CStr::from_ptr(name) } == CLAP_EXT_GUI { (&raw const GUI).cast() } else { std::ptr::null() }
}

unsafe extern "C" fn refuse(_: *const clap_host) -> bool {
    false
}

unsafe extern "C" fn refuse_size(_: *const clap_host, _: u32, _: u32) -> bool {
    false
}

unsafe extern "C" fn ignore_closed(_: *const clap_host, _: bool) {}

unsafe extern "C" fn ignore(_: *const clap_host) {}

unsafe extern "C" fn count_events(list: *const clap_input_events) -> u32 {
    unsafe { (*(*list).ctx.cast::<Vec<Event>>()).len() as u32 }
}

unsafe extern "C" fn get_event(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    unsafe { &(&(*(*list).ctx.cast::<Vec<Event>>()))[index as usize].header }
}

/// Counts what a plugin asks its host.
unsafe extern "C" fn count_restart(host: *const clap_host) {
    unsafe { &*(*host).host_data.cast::<AtomicU32>() }.fetch_add(1, Ordering::Relaxed);
}

/// Keeps the ends of notes.
unsafe extern "C" fn take_event(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    unsafe {
        if (*event).type_ == CLAP_EVENT_NOTE_END {
            let note = &*event.cast::<clap_event_note>();
            // The list has room, so that nothing is allocated here either.
            (*(*list).ctx.cast::<Vec<Ended>>()).push((note.header.time, note.key, note.note_id));
        }
    }
    true
}

/// What a host tells a plugin within a block.
#[derive(Clone, Copy)]
pub union Event {
    header: clap_event_header,
    param: clap_event_param_value,
    note: clap_event_note,
}

/// The sample, the key and the ID of a note whose sound has ended.
pub type Ended = (u32, i16, i32);

/// A note of this kind, such as `CLAP_EVENT_NOTE_ON`, at a sample.
pub fn note(kind: u16, at: u32, key: i16, note_id: i32, velocity: f64) -> Event {
    let header = clap_event_header {
        size: size_of::<clap_event_note>() as u32,
        time: at,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_: kind,
        flags: 0,
    };
    Event { note: clap_event_note { header, note_id, port_index: 0, channel: 0, key, velocity } }
}

unsafe extern "C" fn read(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
    unsafe {
        let rest = &mut *(*stream).ctx.cast::<&[u8]>();
        let count = rest.len().min(size as usize);
        std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), count);
        *rest = &rest[count..];
        count as i64
    }
}

unsafe extern "C" fn write(stream: *const clap_ostream, buffer: *const c_void, size: u64) -> i64 {
    unsafe {
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), size as usize);
        (*(*stream).ctx.cast::<Vec<u8>>()).extend_from_slice(bytes);
    }
    size as i64
}

/// What the library offers: of each plugin its ID, vendor, name and features.
pub fn classes(path: &Path) -> Vec<(String, String, String, Vec<String>)> {
    let text = |text: *const c_char| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    unsafe {
        let (_library, _, factory) = open(path);
        let class = |index| {
            let class = &*(*factory).get_plugin_descriptor.unwrap()(factory, index);
            let features = (0..).map(|i| *class.features.add(i)).take_while(|feature| !feature.is_null());
            (text(class.id), text(class.vendor), text(class.name), features.map(text).collect())
        };
        (0..(*factory).get_plugin_count.unwrap()(factory)).map(class).collect()
    }
}

/// Loads a library.
unsafe fn open(path: &Path) -> (Library, *const clap_plugin_entry, *const clap_plugin_factory) {
    unsafe {
        let library = Library::new(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let entry = *library.get::<*const clap_plugin_entry>(b"clap_entry").unwrap();
        assert!((*entry).init.unwrap()(c"neurdsp.clap".as_ptr()));
        let factory = (*entry).get_factory.unwrap()(CLAP_PLUGIN_FACTORY_ID.as_ptr());
        (library, entry, factory.cast())
    }
}

/// An instance, with the host that it knows.
pub struct Instance {
    pub(super) plugin: *const clap_plugin,
    _host: Box<clap_host>,
    /// How often it asked to be activated anew. The host points to it.
    restarts: Box<AtomicU32>,
    entry: *const clap_plugin_entry,
    _library: Library,
}

impl Instance {
    /// An instance of the first plugin of the library that cargo has built with this test.
    pub fn create() -> Instance {
        Instance::open(&super::library(), 0)
    }

    /// An instance of the plugin with this index in a library.
    pub fn open(path: &Path, index: u32) -> Instance {
        unsafe {
            let (library, entry, factory) = open(path);
            let descriptor = (*factory).get_plugin_descriptor.unwrap()(factory, index);
            let restarts = Box::new(AtomicU32::new(0));
            let host = Box::new(clap_host {
                clap_version: CLAP_VERSION,
                host_data: (&raw const *restarts).cast_mut().cast(),
                name: c"test".as_ptr(),
                vendor: c"".as_ptr(),
                url: c"".as_ptr(),
                version: c"1".as_ptr(),
                get_extension: Some(extension),
                request_restart: Some(count_restart),
                request_process: Some(ignore),
                request_callback: Some(ignore),
            });
            let plugin = (*factory).create_plugin.unwrap()(factory, &*host, (*descriptor).id);
            assert!((*plugin).init.unwrap()(plugin));
            Instance { plugin, _host: host, restarts, entry, _library: library }
        }
    }

    fn state(&self) -> *const clap_plugin_state {
        unsafe { (*self.plugin).get_extension.unwrap()(self.plugin, CLAP_EXT_STATE.as_ptr()).cast() }
    }

    fn gui(&self) -> *const clap_plugin_gui {
        unsafe { (*self.plugin).get_extension.unwrap()(self.plugin, CLAP_EXT_GUI.as_ptr()).cast() }
    }

    /// Makes the editor, names the scale factor, and asks for the size of the window that it needs.
    pub fn create_editor(&self, scale: f64) -> (u16, u16) {
        let (gui, mut width, mut height) = (self.gui(), 0, 0);
        unsafe {
            assert!((*gui).create.unwrap()(self.plugin, CLAP_WINDOW_API_X11.as_ptr(), false));
            assert!((*gui).set_scale.unwrap()(self.plugin, scale));
            assert!((*gui).get_size.unwrap()(self.plugin, &mut width, &mut height));
        }
        (width as u16, height as u16)
    }

    /// Puts the editor into a window of the host.
    pub fn show_editor(&self, parent: u32) {
        let specific = clap_window_handle { x11: parent.into() };
        let window = clap_window { api: CLAP_WINDOW_API_X11.as_ptr(), specific };
        unsafe {
            assert!((*self.gui()).set_parent.unwrap()(self.plugin, &window));
            assert!((*self.gui()).show.unwrap()(self.plugin));
        }
    }

    pub fn destroy_editor(&self) {
        unsafe { (*self.gui()).destroy.unwrap()(self.plugin) };
    }

    pub fn load(&self, mut state: &[u8]) -> bool {
        let stream = clap_istream { ctx: (&raw mut state).cast(), read: Some(read) };
        unsafe { (*self.state()).load.unwrap()(self.plugin, &stream) }
    }

    pub fn save(&self) -> Vec<u8> {
        let mut state = Vec::new();
        let stream = clap_ostream { ctx: (&raw mut state).cast(), write: Some(write) };
        assert!(unsafe { (*self.state()).save.unwrap()(self.plugin, &stream) });
        state
    }

    /// Plays a signal on both channels in blocks of `size`; returns the left one.
    pub fn play(&self, signal: &[f32], size: usize) -> Vec<f32> {
        let (mut left, mut right) = (signal.to_vec(), signal.to_vec());
        let (mut left_in, mut right_in) = (signal.to_vec(), signal.to_vec());
        for start in (0..signal.len()).step_by(size) {
            let end = (start + size).min(signal.len());
            let mut inputs = [left_in[start..].as_mut_ptr(), right_in[start..].as_mut_ptr()];
            let mut outputs = [left[start..].as_mut_ptr(), right[start..].as_mut_ptr()];
            self.process(&mut inputs, &mut outputs, end - start, &[]);
        }
        left
    }

    /// How often it asked to be activated anew.
    pub fn restarts(&self) -> u32 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Makes it ready to play.
    pub fn start(&self) {
        self.start_at(48_000.0);
    }

    /// Makes it ready to play at a sample rate in Hz.
    pub fn start_at(&self, sample_rate: f64) {
        unsafe {
            assert!((*self.plugin).activate.unwrap()(self.plugin, sample_rate, 1, 4096));
            assert!((*self.plugin).start_processing.unwrap()(self.plugin));
        }
    }

    fn extension<T>(&self, name: &CStr) -> &T {
        unsafe { &*(*self.plugin).get_extension.unwrap()(self.plugin, name.as_ptr()).cast::<T>() }
    }

    /// For how many samples sound may go on.
    pub fn tail(&self) -> u32 {
        unsafe { self.extension::<clap_plugin_tail>(CLAP_EXT_TAIL).get.unwrap()(self.plugin) }
    }

    /// Says whether the host renders offline; returns whether the plugin takes it.
    pub fn set_offline(&self, is_offline: bool) -> bool {
        let render = self.extension::<clap_plugin_render>(CLAP_EXT_RENDER);
        unsafe { render.set.unwrap()(self.plugin, i32::from(is_offline)) }
    }

    /// The name of each parameter.
    pub fn names(&self) -> Vec<String> {
        let params = self.extension::<clap_plugin_params>(CLAP_EXT_PARAMS);
        let name = |index| unsafe {
            let mut info = std::mem::zeroed::<clap_param_info>();
            assert!(params.get_info.unwrap()(self.plugin, index, &mut info));
            CStr::from_ptr(info.name.as_ptr()).to_string_lossy().into_owned()
        };
        unsafe {
            let count = params.count.unwrap()(self.plugin);
            assert!(!params.get_info.unwrap()(self.plugin, count, &mut std::mem::zeroed()));
            (0..count).map(name).collect()
        }
    }

    /// Plays a block from left and right to right and left, in place.
    pub fn play_crossed(&self, left: &mut [f32], right: &mut [f32]) {
        let mut inputs = [left.as_mut_ptr(), right.as_mut_ptr()];
        let mut outputs = [inputs[1], inputs[0]];
        self.process(&mut inputs, &mut outputs, left.len(), &[]);
    }

    /// Plays a signal in place on both channels, in a block in which a parameter has these values at these samples.
    pub fn play_automated(&self, signal: &[f32], id: &str, points: &[(usize, f64)]) -> Vec<f32> {
        let (mut left, mut right) = (signal.to_vec(), signal.to_vec());
        let mut channels = [left.as_mut_ptr(), right.as_mut_ptr()];
        let mut outputs = channels;
        let event = |(time, value): &(usize, f64)| Event {
            param: clap_event_param_value {
                header: clap_event_header {
                    size: size_of::<clap_event_param_value>() as u32,
                    time: *time as u32,
                    space_id: CLAP_CORE_EVENT_SPACE_ID,
                    type_: CLAP_EVENT_PARAM_VALUE,
                    flags: 0,
                },
                param_id: super::number(id),
                cookie: std::ptr::null_mut(),
                note_id: -1,
                port_index: -1,
                channel: -1,
                key: -1,
                value: *value,
            },
        };
        let events: Vec<Event> = points.iter().map(event).collect();
        self.process(&mut channels, &mut outputs, signal.len(), &events);
        left
    }

    fn process(
        &self,
        inputs: &mut [*mut f32; 2],
        outputs: &mut [*mut f32; 2],
        count: usize,
        events: &[Event],
    ) {
        let further = self.n_ports(false).saturating_sub(1) as usize;
        let mut unheard = vec![[vec![0.0f32; count], vec![0.0f32; count]]; further];
        let pointers = unheard.iter_mut().map(|port| port.each_mut().map(|channel| channel.as_mut_ptr()));
        let mut ports: Vec<[*mut f32; 2]> = std::iter::once(*outputs).chain(pointers).collect();
        self.process_ports(inputs, &mut ports, count, events);
    }

    /// Plays a block of an instrument; returns left and right, and the notes whose sound has ended.
    pub fn play_instrument(&self, len: usize, events: &[Event]) -> ([Vec<f32>; 2], Vec<Ended>) {
        let mut played = [(); 2].map(|()| vec![f32::NAN; len]);
        let mut ports = [played.each_mut().map(|channel| channel.as_mut_ptr())];
        let ended = self.process_ports(&mut [std::ptr::null_mut(); 2], &mut ports, len, events);
        (played, ended)
    }

    /// How many audio ports it has on a side.
    pub fn n_ports(&self, is_input: bool) -> u32 {
        let ports = self.extension::<clap_plugin_audio_ports>(CLAP_EXT_AUDIO_PORTS);
        unsafe { ports.count.unwrap()(self.plugin, is_input) }
    }

    /// Plays left and right in blocks of `size`; returns left and right of the first `n_outputs` outputs, and gives no others.
    pub fn play_outputs(&self, input: [&[f32]; 2], size: usize, n_outputs: usize) -> Vec<[Vec<f32>; 2]> {
        let len = input[0].len();
        let mut played = vec![[(); 2].map(|()| vec![f32::NAN; len]); n_outputs];
        let mut input = input.map(<[f32]>::to_vec);
        for at in (0..len).step_by(size) {
            let mut from = input.each_mut().map(|channel| channel[at..].as_mut_ptr());
            let mut ports: Vec<[*mut f32; 2]> = played
                .iter_mut()
                .map(|output| output.each_mut().map(|channel| channel[at..].as_mut_ptr()))
                .collect();
            self.process_ports(&mut from, &mut ports, size.min(len - at), &[]);
        }
        played
    }

    /// By how many samples the outputs are late.
    pub fn latency(&self) -> u32 {
        unsafe { self.extension::<clap_plugin_latency>(CLAP_EXT_LATENCY).get.unwrap()(self.plugin) }
    }

    fn process_ports(
        &self,
        inputs: &mut [*mut f32; 2],
        outputs: &mut [[*mut f32; 2]],
        count: usize,
        events: &[Event],
    ) -> Vec<Ended> {
        let mut events = events.to_vec();
        let mut ended: Vec<Ended> = Vec::with_capacity(64);
        let buffer = |data: &mut [*mut f32; 2]| clap_audio_buffer {
            data32: data.as_mut_ptr(),
            data64: std::ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let in_events = clap_input_events {
            ctx: (&raw mut events).cast(),
            size: Some(count_events),
            get: Some(get_event),
        };
        let out_events = clap_output_events { ctx: (&raw mut ended).cast(), try_push: Some(take_event) };
        let input = buffer(inputs);
        let mut outputs: Vec<clap_audio_buffer> = outputs.iter_mut().map(buffer).collect();
        let process = clap_process {
            steady_time: -1,
            frames_count: count as u32,
            transport: std::ptr::null(),
            audio_inputs: &input,
            audio_outputs: outputs.as_mut_ptr(),
            audio_inputs_count: self.n_ports(true).min(1),
            audio_outputs_count: outputs.len() as u32,
            in_events: &in_events,
            out_events: &out_events,
        };
        let status = unsafe { (*self.plugin).process.unwrap()(self.plugin, &process) };
        assert_ne!(status, CLAP_PROCESS_ERROR);
        ended
    }

    pub fn stop(&self) {
        unsafe {
            (*self.plugin).stop_processing.unwrap()(self.plugin);
            (*self.plugin).deactivate.unwrap()(self.plugin);
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        unsafe {
            (*self.plugin).destroy.unwrap()(self.plugin);
            (*self.entry).deinit.unwrap()();
        }
    }
}
