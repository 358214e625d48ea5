//! The CLAP plugin in a host of our own, from the same library as the VST3 one.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of it is calls of a foreign interface by its rules"
)]

mod host;

use std::ffi::{CStr, c_char, c_void};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::events::{clap_event_header, clap_input_events, clap_output_events};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use libloading::Library;

use host::{noise, state_with};

const TS9: &[u8] = include_bytes!("../../python/neurdsp/amp/shipped/ts9.safetensors");
const BARE: &str = r#"{"gate": {"bool": false}, "tone": {"bool": false}, "dc_block": {"bool": false},
    "output_mode": {"string": "raw"}}"#;

unsafe extern "C" fn no_extension(_: *const clap_host, _: *const c_char) -> *const c_void {
    std::ptr::null()
}

unsafe extern "C" fn ignore(_: *const clap_host) {}

unsafe extern "C" fn no_events(_: *const clap_input_events) -> u32 {
    0
}

unsafe extern "C" fn no_event(_: *const clap_input_events, _: u32) -> *const clap_event_header {
    std::ptr::null()
}

unsafe extern "C" fn drop_event(_: *const clap_output_events, _: *const clap_event_header) -> bool {
    true
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

/// An instance, with the host that it knows.
struct Instance {
    plugin: *const clap_plugin,
    _host: Box<clap_host>,
    entry: *const clap_plugin_entry,
    _library: Library,
}

impl Instance {
    fn create() -> Instance {
        let path = std::env::current_exe().unwrap().with_file_name("libneurdsp_plugin.so");
        unsafe {
            let library = Library::new(&path).unwrap();
            let entry = *library.get::<*const clap_plugin_entry>(b"clap_entry").unwrap();
            assert!((*entry).init.unwrap()(c"neurdsp.clap".as_ptr()));
            let factory = (*entry).get_factory.unwrap()(CLAP_PLUGIN_FACTORY_ID.as_ptr());
            let factory = factory.cast::<clap_plugin_factory>();
            assert_eq!((*factory).get_plugin_count.unwrap()(factory), 1);
            let descriptor = (*factory).get_plugin_descriptor.unwrap()(factory, 0);
            assert_eq!(CStr::from_ptr((*descriptor).id), c"org.neurdsp.amp");
            let host = Box::new(clap_host {
                clap_version: CLAP_VERSION,
                host_data: std::ptr::null_mut(),
                name: c"test".as_ptr(),
                vendor: c"".as_ptr(),
                url: c"".as_ptr(),
                version: c"1".as_ptr(),
                get_extension: Some(no_extension),
                request_restart: Some(ignore),
                request_process: Some(ignore),
                request_callback: Some(ignore),
            });
            let plugin = (*factory).create_plugin.unwrap()(factory, &*host, (*descriptor).id);
            assert!((*plugin).init.unwrap()(plugin));
            Instance { plugin, _host: host, entry, _library: library }
        }
    }

    fn state(&self) -> *const clap_plugin_state {
        unsafe { (*self.plugin).get_extension.unwrap()(self.plugin, CLAP_EXT_STATE.as_ptr()).cast() }
    }

    fn load(&self, mut state: &[u8]) -> bool {
        let stream = clap_istream { ctx: (&raw mut state).cast(), read: Some(read) };
        unsafe { (*self.state()).load.unwrap()(self.plugin, &stream) }
    }

    fn save(&self) -> Vec<u8> {
        let mut state = Vec::new();
        let stream = clap_ostream { ctx: (&raw mut state).cast(), write: Some(write) };
        assert!(unsafe { (*self.state()).save.unwrap()(self.plugin, &stream) });
        state
    }

    /// Plays a signal on both channels in blocks of `size`; returns the left one.
    fn play(&self, signal: &[f32], size: usize) -> Vec<f32> {
        let (mut left, mut right) = (signal.to_vec(), signal.to_vec());
        let (mut left_in, mut right_in) = (signal.to_vec(), signal.to_vec());
        let buffer = |data: &mut [*mut f32; 2]| clap_audio_buffer {
            data32: data.as_mut_ptr(),
            data64: std::ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let in_events =
            clap_input_events { ctx: std::ptr::null_mut(), size: Some(no_events), get: Some(no_event) };
        let out_events = clap_output_events { ctx: std::ptr::null_mut(), try_push: Some(drop_event) };
        for start in (0..signal.len()).step_by(size) {
            let end = (start + size).min(signal.len());
            let mut inputs = [left_in[start..].as_mut_ptr(), right_in[start..].as_mut_ptr()];
            let mut outputs = [left[start..].as_mut_ptr(), right[start..].as_mut_ptr()];
            let (input, mut output) = (buffer(&mut inputs), buffer(&mut outputs));
            let process = clap_process {
                steady_time: -1,
                frames_count: (end - start) as u32,
                transport: std::ptr::null(),
                audio_inputs: &input,
                audio_outputs: &mut output,
                audio_inputs_count: 1,
                audio_outputs_count: 1,
                in_events: &in_events,
                out_events: &out_events,
            };
            let status = unsafe { (*self.plugin).process.unwrap()(self.plugin, &process) };
            assert_ne!(status, CLAP_PROCESS_ERROR);
        }
        left
    }

    fn start(&self) {
        unsafe {
            assert!((*self.plugin).activate.unwrap()(self.plugin, 48_000.0, 1, 1024));
            assert!((*self.plugin).start_processing.unwrap()(self.plugin));
        }
    }

    fn stop(&self) {
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

/// The state as a CLAP host stores it: its length, and the JSON.
fn stored(parameters: &str) -> Vec<u8> {
    let json = state_with(parameters, TS9);
    [&(json.len() as u64).to_le_bytes()[..], &json].concat()
}

#[test]
fn it_plays_what_the_engine_plays_and_keeps_its_state() {
    let signal = noise(20_000, 0.3);
    let mut expected = vec![0.0; signal.len()];
    neurdsp_models::load_bytes(TS9).unwrap().build_stream().unwrap().process(&signal, &mut expected);

    let first = Instance::create();
    assert!(first.load(&stored(BARE)));
    first.start();
    assert_eq!(first.play(&signal, 333), expected);
    let saved = first.save();
    first.stop();

    let second = Instance::create();
    for damaged in [&b""[..], &[0xff; 40], &saved[..saved.len() / 2]] {
        assert!(!second.load(damaged));
    }
    assert!(second.load(&saved));
    second.start();
    assert_eq!(second.play(&signal, 1024), expected);
    assert_eq!(second.save(), saved);
    second.stop();
}
