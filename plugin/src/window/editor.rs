//! What the plugin framework asks of an editor.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use baseview::dpi::Size;
use baseview::host::{Host, HostCallbacks, HostMainThreadCaller};
use baseview::{HandlerError, Window, WindowSettings, WindowSize};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor,
};
use parking_lot::Mutex;

use super::app::{App, Repaint};
use super::frame::AppWindow;

/// The smallest window, relative to [`App::SIZE`].
const SMALLEST: f32 = 0.6;
/// The largest window, relative to [`App::SIZE`].
const LARGEST: f32 = 4.0;

/// An editor that shows an [`App`].
pub(crate) struct AppEditor<A: App> {
    app: Arc<Mutex<A>>,
    repaint: Repaint,
    title: &'static str,
    /// Called each time a window opens, so that the app can set parameters.
    connect: fn(&mut A, GuiContext),
    shape: Arc<Mutex<Shape>>,
}

/// The size of the window, kept while it is closed.
#[derive(Clone, Copy, Debug)]
struct Shape {
    points: LogicalSize<f32>,
    /// Pixels per point.
    scale: f64,
}

impl<A: App> AppEditor<A> {
    /// An editor for `app`, redrawn on requests to `repaint`.
    pub(crate) fn new(
        app: A,
        title: &'static str,
        repaint: Repaint,
        connect: fn(&mut A, GuiContext),
    ) -> AppEditor<A> {
        let points = LogicalSize::new(A::SIZE.x, A::SIZE.y);
        let shape = Arc::new(Mutex::new(Shape { points, scale: 1.0 }));
        AppEditor { app: Arc::new(Mutex::new(app)), repaint, title, connect, shape }
    }

    fn hint() -> ResizeHint {
        let sized = |factor: f32| Some(LogicalSize::new(A::SIZE.x * factor, A::SIZE.y * factor));
        ResizeHint {
            preserve_aspect_ratio: true,
            aspect_ratio_width: A::SIZE.x as u32,
            aspect_ratio_height: A::SIZE.y as u32,
            size_constraints: SizeConstraints::Logical {
                min_size: sized(SMALLEST),
                max_size: sized(LARGEST),
            },
            ..ResizeHint::RESIZABLE
        }
    }
}

impl<A: App> Editor for AppEditor<A> {
    type Handle = AppEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        #[cfg(target_os = "linux")]
        super::libraries::keep();
        (self.connect)(&mut self.app.lock(), gui_context);
        // The size for which the host has made its window, if it hands one over.
        let told = parent.is_some().then(|| self.size());
        let points = self.shape.lock().points;
        let smallest = LogicalSize::new(A::SIZE.x * SMALLEST, A::SIZE.y * SMALLEST);
        let settings = WindowSettings::new()
            .with_title(self.title)
            .with_size(points)
            .with_min_size::<Size>(Size::from(smallest))
            .with_resizable(true)
            .with_parent(parent.as_ref())
            .with_wait_for_parent(wait_for_parent)
            .with_fallback_scale_factor(fallback_scale_factor)
            .with_gl_config(baseview::gl::GlConfig::default());
        let (callbacks, main_thread) = host.map_or((None, None), |host| {
            (Some(Rc::new(RefCell::new(host.callbacks))), Some(host.main_thread_caller))
        });
        let main_thread = Arc::new(Mutex::new(main_thread));
        let wrong_size = Arc::new(AtomicBool::new(false));
        let (app, repaint) = (Arc::clone(&self.app), self.repaint.clone());
        let (caller, wrong) = (Arc::clone(&main_thread), Arc::clone(&wrong_size));
        let poll = move || {
            if wrong.swap(false, Ordering::Relaxed)
                && let Some(caller) = &mut *caller.lock()
            {
                caller.call_main_thread();
            }
        };
        let build = move |window| AppWindow::new(window, app, repaint, poll);
        let adapted = Host::new().with_main_thread(MainThread(main_thread));
        let adapted = match &callbacks {
            Some(callbacks) => adapted.with_callbacks(Callbacks(Rc::clone(callbacks))),
            None => adapted,
        };
        let window = Window::create_with_host(settings, build, Some(adapted))?;
        self.shape.lock().scale = window.size().scale_factor;
        self.repaint.request();
        let handle = AppEditorHandle {
            repaint: self.repaint.clone(),
            hint: Self::hint(),
            shape: Arc::clone(&self.shape),
        };
        let told = told.filter(|told| *told != self.size());
        if let Some(told) = told {
            // Until the host makes room for the right size, the whole editor is shown smaller.
            window.resize(told)?;
            wrong_size.store(true, Ordering::Relaxed);
        }
        let window = HostedWindow { window, callbacks, wrong_size: Cell::new(told.is_some()) };
        Ok(SpawnedEditor { handle, window })
    }

    fn size(&self) -> NativeSize<u32> {
        let Shape { points, scale } = *self.shape.lock();
        NativeSize::from_size(points.into(), scale)
    }

    fn resize_hint(&self) -> ResizeHint {
        Self::hint()
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller promises what baseview asks for.
        unsafe { baseview::assume_standalone_in_process() }
    }
}

/// An open window of an [`AppEditor`].
pub(crate) struct AppEditorHandle {
    repaint: Repaint,
    hint: ResizeHint,
    shape: Arc<Mutex<Shape>>,
}

/// The window itself, which stays on the host's main thread.
pub(crate) struct HostedWindow {
    window: Window,
    callbacks: Option<SharedCallbacks>,
    /// Whether the host's window has the wrong size, and the host has not been asked for the right one yet.
    wrong_size: Cell<bool>,
}

type SharedCallbacks = Rc<RefCell<Box<dyn nice_plug::editor::HostCallbacks>>>;

impl AppEditorHandle {
    /// Asks the host for a window of the editor's size at the screen's scale factor. The factor is unknown until the window is
    /// open, and hosts ignore requests while it opens.
    fn correct_size(&self, hosted: &HostedWindow) {
        if !hosted.wrong_size.take() {
            return;
        }
        let Shape { points, scale } = *self.shape.lock();
        let size = NativeSize::<u32>::from_size(points.into(), scale);
        if let Some(callbacks) = &hosted.callbacks {
            // The framework does not report a refusal.
            let _ = callbacks.borrow_mut().request_resize(size.into(), scale);
        }
    }

    fn remember(&self, size: WindowSize) {
        let points = LogicalSize::new(size.logical.width as f32, size.logical.height as f32);
        *self.shape.lock() = Shape { points, scale: size.scale_factor };
    }
}

impl EditorHandle for AppEditorHandle {
    type Window = HostedWindow;
    type Error = baseview::Error;

    fn run_until_closed(window: Self::Window) -> Result<(), Self::Error> {
        window.window.run_until_closed()
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &Self::Window) -> Result<(), Self::Error> {
        window.window.set_parent(&parent)
    }

    fn show(&self, window: &Self::Window) -> Result<(), Self::Error> {
        let shown = window.window.show();
        self.repaint.request();
        shown
    }

    fn hide(&self, window: &Self::Window) -> Result<(), Self::Error> {
        window.window.hide()
    }

    fn host_main_thread_callback(&self, window: &Self::Window) {
        window.window.host_main_thread_callback();
        self.correct_size(window);
    }

    fn set_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Result<(), Self::Error> {
        window.window.resize(new_size)?;
        self.remember(window.window.size());
        Ok(())
    }

    fn set_fallback_scale_factor(&self, scale_factor: f64, window: &Self::Window) -> Result<(), Self::Error> {
        window.window.suggest_fallback_scale_factor(scale_factor)?;
        self.remember(window.window.size());
        Ok(())
    }

    fn adjust_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        let now = window.window.size();
        let current = NativeSize::from_logical_or_physical(now.logical, now.physical);
        Some(self.hint.adjust_size(new_size, current, now.scale_factor))
    }

    fn state_changed(&self) {
        self.repaint.request();
    }

    fn param_value_changed(&self, _id: &str, _normalized_value: f32) {
        self.repaint.request();
    }

    fn param_modulation_changed(&self, _id: &str, _modulation_offset: f32) {
        self.repaint.request();
    }
}

// The framework's view of a host, adapted to that of the windowing system.

struct Callbacks(SharedCallbacks);

impl HostCallbacks for Callbacks {
    fn request_resize(&mut self, size: WindowSize) -> Result<(), HandlerError> {
        let answer = self.0.borrow_mut().request_resize(size.physical.into(), size.scale_factor);
        answer.map_err(HandlerError::from_boxed)
    }

    fn destroyed(&mut self) {
        self.0.borrow_mut().destroyed();
    }
}

struct MainThread(Arc<Mutex<Option<Box<dyn nice_plug::editor::HostMainThreadCaller>>>>);

impl HostMainThreadCaller for MainThread {
    fn call_main_thread(&mut self) {
        if let Some(caller) = &mut *self.0.lock() {
            caller.call_main_thread();
        }
    }
}
