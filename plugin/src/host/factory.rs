//! What a library offers to hosts: the entry points that they look for, and its plugins in both formats.

use std::ffi::{CStr, c_char, c_void};

use nice_plug::wrapper::clap::{ClapPlugin, PluginDescriptor, clap_host, clap_plugin};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo, TUID,
    kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};
use nice_plug::wrapper::vst3::{PluginInfo, Vst3Plugin};

use super::{clap, vst3};

/// A plugin for VST3 hosts.
pub(crate) struct Vst3Entry {
    info: PluginInfo,
    create: fn() -> Option<ComWrapper<vst3::Instance>>,
}

impl Vst3Entry {
    pub(crate) fn of<P: Vst3Plugin>() -> Vst3Entry {
        Vst3Entry { info: PluginInfo::for_plugin::<P>(), create: vst3::Instance::create::<P> }
    }
}

/// The factory that VST3 hosts ask.
pub(crate) struct Factory(Vec<Vst3Entry>);

impl Factory {
    /// The factory of these plugins, counted for the host.
    pub(crate) fn create(plugins: Vec<Vst3Entry>) -> *mut c_void {
        let factory = ComWrapper::new(Factory(plugins)).to_com_ptr::<IPluginFactory>();
        factory.map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
    }

    /// Writes what `describe` makes of a plugin.
    unsafe fn describe<T>(&self, index: i32, to: *mut T, describe: impl Fn(&PluginInfo) -> T) -> tresult {
        let plugin = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        let Some(plugin) = plugin.filter(|_| !to.is_null()) else { return kInvalidArgument };
        // SAFETY: the host gives a place for it.
        unsafe { to.write(describe(&plugin.info)) };
        kResultOk
    }
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host gives a place for it.
        unsafe { self.describe(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> i32 {
        self.0.len() as i32
    }

    unsafe fn getClassInfo(&self, index: i32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host gives a place for it.
        unsafe { self.describe(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(
        &self,
        class: FIDString,
        interface: FIDString,
        object: *mut *mut c_void,
    ) -> tresult {
        if class.is_null() || interface.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: a class is named by 16 bytes.
        let class = unsafe { &*class.cast::<[u8; 16]>() };
        let Some(plugin) = self.0.iter().find(|plugin| plugin.info.cid == class) else {
            return kInvalidArgument;
        };
        let unknown = (plugin.create)().and_then(|instance| instance.to_com_ptr::<FUnknown>());
        let Some(unknown) = unknown else { return kResultFalse };
        let pointer = unknown.as_ptr();
        // SAFETY: the host gives the name of an interface and a place for it.
        unsafe { ((*(*pointer).vtbl).queryInterface)(pointer, interface.cast::<TUID>(), object) }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: i32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host gives a place for it.
        unsafe { self.describe(index, info, PluginInfo::create_class_info_2) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: i32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host gives a place for it.
        unsafe { self.describe(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// A plugin for CLAP hosts.
pub(crate) struct ClapEntry {
    pub(crate) descriptor: PluginDescriptor,
    create: unsafe fn(*const clap_host) -> *const clap_plugin,
}

impl ClapEntry {
    pub(crate) fn of<P: ClapPlugin>() -> ClapEntry {
        ClapEntry { descriptor: PluginDescriptor::for_plugin::<P>(), create: clap::Instance::create::<P> }
    }

    /// A new instance of the plugin with this ID; null if there is none.
    ///
    /// # Safety
    ///
    /// What a CLAP host gives.
    pub(crate) unsafe fn create(
        plugins: &[ClapEntry],
        host: *const clap_host,
        id: *const c_char,
    ) -> *const clap_plugin {
        if id.is_null() || host.is_null() {
            return std::ptr::null();
        }
        // SAFETY: an ID ends with a zero.
        let id = unsafe { CStr::from_ptr(id) };
        match plugins.iter().find(|plugin| plugin.descriptor.clap_id() == id) {
            // SAFETY: the caller gives the host.
            Some(plugin) => unsafe { (plugin.create)(host) },
            None => std::ptr::null(),
        }
    }
}

/// Makes a library of these plugins, for VST3 and CLAP hosts.
macro_rules! export_plugins {
    ($($plugin:ty),+) => {
        fn set_up_log() {
            $(::nice_plug::wrapper::setup_logger::<$plugin>();)+
            $crate::host::worker::watch();
        }

        /// The VST3 factory.
        #[unsafe(no_mangle)]
        pub extern "system" fn GetPluginFactory() -> *mut ::std::ffi::c_void {
            let plugins = vec![$($crate::host::factory::Vst3Entry::of::<$plugin>()),+];
            $crate::host::factory::Factory::create(plugins)
        }

        /// Begins the use of the library by a VST3 host.
        #[cfg(all(target_family = "unix", not(target_os = "macos")))]
        #[unsafe(no_mangle)]
        pub extern "C" fn ModuleEntry(_: *mut ::std::ffi::c_void) -> bool {
            set_up_log();
            true
        }

        /// Ends the use of the library by a VST3 host.
        #[cfg(all(target_family = "unix", not(target_os = "macos")))]
        #[unsafe(no_mangle)]
        pub extern "C" fn ModuleExit() -> bool {
            true
        }

        /// Begins the use of the library by a VST3 host.
        #[cfg(target_os = "macos")]
        #[unsafe(no_mangle)]
        pub extern "C" fn bundleEntry(_: *mut ::std::ffi::c_void) -> bool {
            set_up_log();
            true
        }

        /// Ends the use of the library by a VST3 host.
        #[cfg(target_os = "macos")]
        #[unsafe(no_mangle)]
        pub extern "C" fn bundleExit() -> bool {
            true
        }

        /// Begins the use of the library by a VST3 host.
        #[cfg(target_os = "windows")]
        #[unsafe(no_mangle)]
        pub extern "system" fn InitDll() -> bool {
            set_up_log();
            true
        }

        /// Ends the use of the library by a VST3 host.
        #[cfg(target_os = "windows")]
        #[unsafe(no_mangle)]
        pub extern "system" fn ExitDll() -> bool {
            true
        }

        mod clap_library {
            use ::std::ffi::{CStr, c_char, c_void};
            use ::std::sync::LazyLock;

            use ::nice_plug::wrapper::clap::{
                CLAP_PLUGIN_FACTORY_ID, clap_host, clap_plugin, clap_plugin_descriptor, clap_plugin_factory,
            };

            use super::*;
            use $crate::host::factory::ClapEntry;

            static PLUGINS: LazyLock<Vec<ClapEntry>> =
                LazyLock::new(|| vec![$(ClapEntry::of::<$plugin>()),+]);
            static FACTORY: clap_plugin_factory = clap_plugin_factory {
                get_plugin_count: Some(count),
                get_plugin_descriptor: Some(descriptor),
                create_plugin: Some(create),
            };

            unsafe extern "C" fn count(_: *const clap_plugin_factory) -> u32 {
                PLUGINS.len() as u32
            }

            unsafe extern "C" fn descriptor(
                _: *const clap_plugin_factory,
                index: u32,
            ) -> *const clap_plugin_descriptor {
                let plugin = PLUGINS.get(index as usize);
                plugin.map_or(::std::ptr::null(), |plugin| plugin.descriptor.clap_plugin_descriptor())
            }

            unsafe extern "C" fn create(
                _: *const clap_plugin_factory,
                host: *const clap_host,
                id: *const c_char,
            ) -> *const clap_plugin {
                // SAFETY: the host gives itself and an ID.
                unsafe { ClapEntry::create(&PLUGINS, host, id) }
            }

            pub(super) extern "C" fn init(_: *const c_char) -> bool {
                set_up_log();
                true
            }

            pub(super) extern "C" fn deinit() {}

            pub(super) extern "C" fn factory(id: *const c_char) -> *const c_void {
                // SAFETY: an ID ends with a zero.
                if !id.is_null() && unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID {
                    (&raw const FACTORY).cast()
                } else {
                    ::std::ptr::null()
                }
            }
        }

        /// What CLAP hosts look for.
        #[allow(non_upper_case_globals, reason = "the name that hosts look for")]
        #[unsafe(no_mangle)]
        #[used]
        pub static clap_entry: ::nice_plug::wrapper::clap::clap_plugin_entry =
            ::nice_plug::wrapper::clap::clap_plugin_entry {
                clap_version: ::nice_plug::wrapper::clap::CLAP_VERSION,
                init: Some(clap_library::init),
                deinit: Some(clap_library::deinit),
                get_factory: Some(clap_library::factory),
            };
    };
}

pub(crate) use export_plugins;
