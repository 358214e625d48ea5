//! An instance for CLAP hosts: the framework's, and answers of our own where hosts need more.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_audio_port_info, clap_plugin_audio_ports};
use clap_sys::ext::params::{
    CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_INFO, clap_host_params, clap_param_info, clap_plugin_params,
};
use clap_sys::ext::render::{
    CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, CLAP_RENDER_REALTIME, clap_plugin_render, clap_plugin_render_mode,
};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_host_tail, clap_plugin_tail};
use clap_sys::process::{
    CLAP_PROCESS_CONTINUE_IF_NOT_QUIET, CLAP_PROCESS_ERROR, CLAP_PROCESS_TAIL, clap_process,
    clap_process_status,
};
use nice_plug::wrapper::clap::{ClapPlugin, Wrapper, clap_host, clap_plugin};
use parking_lot::Mutex;

use super::buffers::{Channels, MAX_BUSES, Scratch, Shape};
use super::link::Link;

/// An instance. The host knows the address of its first field.
#[repr(C)]
pub(super) struct Instance {
    /// The framework's plugin with functions of our own. Its data are the framework's, so the other functions are too.
    plugin: clap_plugin,
    inner: *const clap_plugin,
    host: *const clap_host,
    params: clap_plugin_params,
    render: clap_plugin_render,
    tail: clap_plugin_tail,
    link: Arc<Link>,
    /// IDs of the parameters, in the host's order.
    ids: Vec<String>,
    /// The tail that the host was told of last.
    told_tail: AtomicU32,
    /// Whether the host was asked to activate the plugin anew, and has not done it yet.
    asked_restart: AtomicBool,
    scratch: Mutex<Scratch>,
}

/// The instance that a host means.
///
/// # Safety
///
/// `plugin` is one that [`Instance::create`] has made and that was not destroyed.
unsafe fn instance<'a>(plugin: *const clap_plugin) -> &'a Instance {
    // SAFETY: the plugin is the first field of the instance.
    unsafe { &*plugin.cast::<Instance>() }
}

/// An extension of the framework's plugin, copied.
///
/// # Safety
///
/// `T` is what the extension of this name is.
unsafe fn extension<T: Copy>(plugin: *const clap_plugin, name: &CStr) -> Option<T> {
    // SAFETY: the framework's extensions live as long as the plugin.
    unsafe { ((*plugin).get_extension?)(plugin, name.as_ptr()).cast::<T>().as_ref().copied() }
}

/// An extension of the host, if it has it.
///
/// # Safety
///
/// As [`extension`].
unsafe fn host_extension<'a, T>(host: *const clap_host, name: &CStr) -> Option<&'a T> {
    // SAFETY: the host lives longer than its plugins.
    unsafe { ((*host).get_extension?)(host, name.as_ptr()).cast::<T>().as_ref() }
}

/// The host, for a function that only its own thread calls.
struct Host(*const clap_host);

// SAFETY: the host allows what is called on the thread where it is called.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    fn rescan_names(&self) {
        // SAFETY: this is the host's main thread, as the link promises.
        unsafe {
            if let Some(params) = host_extension::<clap_host_params>(self.0, CLAP_EXT_PARAMS)
                && let Some(rescan) = params.rescan
            {
                rescan(self.0, CLAP_PARAM_RESCAN_INFO);
            }
        }
    }
}

impl Instance {
    /// An instance of `P`; null if the framework offers less than it promises.
    ///
    /// # Safety
    ///
    /// `host` lives longer than the instance.
    pub(super) unsafe fn create<P: ClapPlugin>(host: *const clap_host) -> *const clap_plugin {
        // SAFETY: as the caller promises. The framework's function to destroy takes what is leaked here.
        let (inner, link) = Link::of(|| unsafe {
            (*Arc::into_raw(Wrapper::<P>::new(host))).clap_plugin.as_ptr().cast_const()
        });
        // SAFETY: these are the types of the extensions.
        let extensions = unsafe {
            (
                extension::<clap_plugin_params>(inner, CLAP_EXT_PARAMS),
                extension::<clap_plugin_render>(inner, CLAP_EXT_RENDER),
            )
        };
        let (Some(params), Some(render)) = extensions else { return std::ptr::null() };
        let ids = link.fresh_params().map(|params| params.param_map().into_iter().map(|(id, ..)| id));
        let told = Host(host);
        link.on_names(move || told.rescan_names());
        link.defer_latency();
        let plugin = clap_plugin {
            destroy: Some(destroy),
            activate: Some(activate),
            process: Some(process),
            get_extension: Some(get_extension),
            // SAFETY: the framework has just made it.
            ..unsafe { *inner }
        };
        let instance = Box::new(Instance {
            plugin,
            inner,
            host,
            params: clap_plugin_params { get_info: Some(parameter), ..params },
            render: clap_plugin_render { set: Some(set_render_mode), ..render },
            tail: clap_plugin_tail { get: Some(tail_samples) },
            link,
            ids: ids.map(Iterator::collect).unwrap_or_default(),
            told_tail: AtomicU32::new(0),
            asked_restart: AtomicBool::new(false),
            scratch: Mutex::default(),
        });
        Box::into_raw(instance).cast()
    }

    /// Channels of the ports.
    fn shape(&self) -> Shape {
        // SAFETY: this is the type of the extension; the information is ours, and plain numbers.
        unsafe {
            let ports = extension::<clap_plugin_audio_ports>(self.inner, CLAP_EXT_AUDIO_PORTS);
            let count =
                |is_input| ports.and_then(|ports| ports.count).map_or(0, |count| count(self.inner, is_input));
            let n_channels = |index: u32, is_input: bool| {
                let mut info: clap_audio_port_info = std::mem::zeroed();
                let get = ports.and_then(|ports| ports.get);
                let found = get.is_some_and(|get| get(self.inner, index, is_input, &mut info));
                if found { info.channel_count as usize } else { 0 }
            };
            let n_inputs = if count(true) > 0 { n_channels(0, true) } else { 0 };
            Shape::new(n_inputs, (0..count(false)).map(|index| n_channels(index, false)))
        }
    }

    /// Plays a block whose channels the framework would play wrongly; none if they are plain.
    ///
    /// # Safety
    ///
    /// `data` is what the host gave for the block.
    unsafe fn play_apart(&self, data: &clap_process) -> Option<clap_process_status> {
        let count = data.frames_count as usize;
        if count == 0 || data.audio_outputs_count == 0 || data.audio_outputs.is_null() {
            return None;
        }
        // SAFETY: the host gives as many ports for each side as it says, with as many channels.
        let (input, inputs, ports) = unsafe {
            let input = data.audio_inputs.as_ref().filter(|_| data.audio_inputs_count > 0);
            let ports = std::slice::from_raw_parts(data.audio_outputs, data.audio_outputs_count as usize);
            (input, input.map_or(&[][..], |port| channels(port)), ports)
        };
        let mut outputs: [Channels; MAX_BUSES] = [&[]; MAX_BUSES];
        for (output, port) in outputs.iter_mut().zip(ports) {
            // SAFETY: as above.
            *output = unsafe { channels(port) };
        }
        let outputs = &outputs[..ports.len().min(MAX_BUSES)];
        // Nobody else takes it while sound plays, so this does not wait.
        let mut scratch = self.scratch.try_lock()?;
        if scratch.are_plain(inputs, outputs) {
            return None;
        }
        // SAFETY: as above.
        if !unsafe { scratch.take(inputs, count) } {
            return Some(CLAP_PROCESS_ERROR);
        }
        let port =
            |data32: *mut *mut f32, n_channels: usize, of: Option<&clap_audio_buffer>| clap_audio_buffer {
                data32,
                data64: std::ptr::null_mut(),
                channel_count: n_channels as u32,
                latency: of.map_or(0, |port| port.latency),
                constant_mask: 0,
            };
        let mut own = [(); MAX_BUSES].map(|()| port(std::ptr::null_mut(), 0, None));
        let mut n_own = 0;
        for (index, (to, (data32, n_channels))) in own.iter_mut().zip(scratch.outputs()).enumerate() {
            *to = port(data32, n_channels, ports.get(index));
            n_own = index + 1;
        }
        let input = port(own[0].data32, scratch.n_inputs(), input);
        let block = clap_process {
            audio_inputs: &input,
            audio_inputs_count: u32::from(scratch.n_inputs() > 0),
            audio_outputs: own.as_mut_ptr(),
            audio_outputs_count: n_own as u32,
            ..*data
        };
        // SAFETY: the ports have memory for the block in every channel.
        let status = unsafe { ((*self.inner).process?)(self.inner, &block) };
        // SAFETY: as above.
        unsafe { scratch.give(outputs, count) };
        Some(status)
    }

    /// Tells the host of another tail than before.
    fn tell_tail(&self) {
        let tail = self.link.tail_samples();
        if self.told_tail.swap(tail, Ordering::Relaxed) == tail {
            return;
        }
        // SAFETY: this is the type of the extension, and the audio thread calls it.
        unsafe {
            if let Some(changed) =
                host_extension::<clap_host_tail>(self.host, CLAP_EXT_TAIL).and_then(|tail| tail.changed)
            {
                changed(self.host);
            }
        }
    }

    /// Asks the host to activate the plugin anew, if the plugin wants that: only then may the latency be another.
    fn ask_restart(&self) {
        if !self.link.take_restart() || self.asked_restart.swap(true, Ordering::Relaxed) {
            return;
        }
        // SAFETY: the host lives longer than its plugins; any thread may ask.
        unsafe {
            if let Some(request_restart) = (*self.host).request_restart {
                request_restart(self.host);
            }
        }
    }
}

/// The channels of a port; none where it has no list of them.
///
/// # Safety
///
/// The port is the host's, and lives as long as the result is used.
unsafe fn channels<'a>(port: &clap_audio_buffer) -> Channels<'a> {
    if port.data32.is_null() {
        return &[];
    }
    // SAFETY: the caller promises as many channels.
    unsafe { std::slice::from_raw_parts(port.data32, port.channel_count as usize) }
}

// SAFETY of the functions below: the host gives a plugin of ours, and what the interface says.

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: see above; the host does not use it again.
    unsafe {
        let instance = Box::from_raw(plugin.cast::<Instance>().cast_mut());
        if let Some(destroy) = (*instance.inner).destroy {
            destroy(instance.inner);
        }
    }
}

unsafe extern "C" fn activate(plugin: *const clap_plugin, rate: f64, min: u32, max: u32) -> bool {
    if !(rate.is_finite() && rate > 0.0) {
        return false;
    }
    // SAFETY: see above.
    unsafe {
        let own = instance(plugin);
        *own.scratch.lock() = Scratch::new(own.shape(), max as usize);
        own.asked_restart.store(false, Ordering::Relaxed);
        (*own.inner).activate.is_some_and(|activate| activate(own.inner, rate, min, max))
    }
}

unsafe extern "C" fn process(plugin: *const clap_plugin, data: *const clap_process) -> clap_process_status {
    // SAFETY: see above.
    let (own, Some(given)) = (unsafe { (instance(plugin), data.as_ref()) }) else {
        return CLAP_PROCESS_ERROR;
    };
    // SAFETY: see above.
    let status = unsafe {
        own.play_apart(given).unwrap_or_else(|| match (*own.inner).process {
            Some(process) => process(own.inner, data),
            None => CLAP_PROCESS_ERROR,
        })
    };
    own.tell_tail();
    own.ask_restart();
    // A pause is no end while a cabinet still sounds.
    if status == CLAP_PROCESS_CONTINUE_IF_NOT_QUIET { CLAP_PROCESS_TAIL } else { status }
}

unsafe extern "C" fn get_extension(plugin: *const clap_plugin, name: *const c_char) -> *const c_void {
    if name.is_null() {
        return std::ptr::null();
    }
    // SAFETY: see above; a name ends with a zero.
    unsafe {
        let (own, id) = (instance(plugin), CStr::from_ptr(name));
        if id == CLAP_EXT_PARAMS {
            (&raw const own.params).cast()
        } else if id == CLAP_EXT_RENDER {
            (&raw const own.render).cast()
        } else if id == CLAP_EXT_TAIL {
            (&raw const own.tail).cast()
        } else {
            (*own.inner).get_extension.map_or(std::ptr::null(), |get| get(own.inner, name))
        }
    }
}

unsafe extern "C" fn parameter(plugin: *const clap_plugin, index: u32, info: *mut clap_param_info) -> bool {
    // SAFETY: see above. The framework refuses only indices beyond the one after the last.
    unsafe {
        let own = instance(plugin);
        let Some(params) = extension::<clap_plugin_params>(own.inner, CLAP_EXT_PARAMS) else { return false };
        let count = params.count.map_or(0, |count| count(own.inner));
        let (Some(get), true) = (params.get_info, index < count && !info.is_null()) else { return false };
        let found = get(own.inner, index, info);
        if let Some(name) = own.ids.get(index as usize).and_then(|id| own.link.name(id)) {
            write_text(&name, &mut (*info).name);
        }
        found
    }
}

/// A text for the host: as many whole letters as there is room for, and a zero.
fn write_text(text: &str, to: &mut [c_char]) {
    to.fill(0);
    let mut room = text.len().min(to.len().saturating_sub(1));
    while !text.is_char_boundary(room) {
        room -= 1;
    }
    for (to, byte) in to.iter_mut().zip(text[..room].bytes()) {
        *to = byte as c_char;
    }
}

unsafe extern "C" fn set_render_mode(plugin: *const clap_plugin, mode: clap_plugin_render_mode) -> bool {
    if ![CLAP_RENDER_REALTIME, CLAP_RENDER_OFFLINE].contains(&mode) {
        return false;
    }
    // The framework would have the host restart the plugin, which needs none.
    // SAFETY: see above.
    unsafe { instance(plugin) }.link.set_offline(mode == CLAP_RENDER_OFFLINE);
    true
}

unsafe extern "C" fn tail_samples(plugin: *const clap_plugin) -> u32 {
    // SAFETY: see above.
    unsafe { instance(plugin) }.link.tail_samples()
}
