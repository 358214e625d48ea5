//! What the plugin framework asks of an editor.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use baseview::dpi::Size;
use baseview::host::{Host, HostCallbacks, HostMainThreadCaller};
use baseview::{HandlerError, Window, WindowSettings, WindowSize};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor,
};
use parking_lot::Mutex;

use super::app::{App, Repaint, Shown};
use super::frame::AppWindow;

/// The smallest window, relative to [`App::SIZE`].
const SMALLEST: f32 = 0.6;
/// The largest window, relative to [`App::SIZE`].
const LARGEST: f32 = 4.0;
/// How long a host waits at most for a window that it closes.
const CLOSING: Duration = Duration::from_secs(2);

/// An editor that shows an [`App`].
pub(crate) struct AppEditor<A: App> {
    app: Arc<Mutex<Shown<A>>>,
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
    /// Pixels per point: the host's number if it has given one, else that of the screen.
    scale: f64,
    of_host: Option<f64>,
}

impl Shape {
    fn pixels(self) -> NativeSize<u32> {
        NativeSize::from_size(self.points.into(), self.scale)
    }
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
        let shape = Arc::new(Mutex::new(Shape { points, scale: 1.0, of_host: None }));
        AppEditor { app: Arc::new(Mutex::new(Shown::new(app))), repaint, title, connect, shape }
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
        let opening = {
            let mut shown = self.app.lock();
            let opening = shown.open();
            (self.connect)(&mut shown.app, gui_context);
            opening
        };
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
        let (open, closed) = channel();
        let build = move |window| AppWindow::new(window, (app, opening), repaint, poll, open);
        let adapted = Host::new().with_main_thread(MainThread(main_thread));
        let adapted = match &callbacks {
            Some(callbacks) => adapted.with_callbacks(Callbacks(Rc::clone(callbacks))),
            None => adapted,
        };
        let window = match Window::create_with_host(settings, build, Some(adapted)) {
            Ok(window) => window,
            Err(error) => {
                self.app.lock().close(opening);
                return Err(error.into());
            }
        };
        let pixels = {
            let mut shape = self.shape.lock();
            // A host that knows of no dense screens says 1.
            let told = fallback_scale_factor.filter(|scale| *scale != 1.0);
            shape.scale = told.or(shape.of_host).unwrap_or(window.size().scale_factor);
            shape.pixels()
        };
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
        } else if window.size().physical.width != pixels.width {
            window.resize(pixels)?;
        }
        let wrong_size = Cell::new(told.is_some());
        let window = HostedWindow { window, callbacks, wrong_size, _closing: Closing(closed) };
        Ok(SpawnedEditor { handle, window })
    }

    fn size(&self) -> NativeSize<u32> {
        self.shape.lock().pixels()
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
    /// Dropped after the window, whose thread may still be leaving it: the host destroys the window around it next.
    _closing: Closing,
}

/// Waits, when it is dropped, until the contents of a window have gone.
struct Closing(Receiver<()>);

impl Drop for Closing {
    fn drop(&mut self) {
        // The other end sends nothing: it is only dropped.
        let _ = self.0.recv_timeout(CLOSING);
    }
}

impl HostedWindow {
    /// Asks the host for a window of this shape.
    fn ask_for(&self, shape: Shape) {
        if let Some(callbacks) = &self.callbacks {
            // The framework does not report a refusal.
            let _ = callbacks.borrow_mut().request_resize(shape.pixels().into(), shape.scale);
        }
    }
}

type SharedCallbacks = Rc<RefCell<Box<dyn nice_plug::editor::HostCallbacks>>>;

impl AppEditorHandle {
    /// Asks the host for a window of the editor's size at the screen's scale factor. The factor is unknown until the window is
    /// open, and hosts ignore requests while it opens.
    fn correct_size(&self, hosted: &HostedWindow) {
        if hosted.wrong_size.take() {
            hosted.ask_for(*self.shape.lock());
        }
    }

    /// Keeps the size of the window, in points.
    fn remember(&self, size: WindowSize) {
        let mut shape = self.shape.lock();
        let points = |pixels: u32| (f64::from(pixels) / shape.scale) as f32;
        shape.points = LogicalSize::new(points(size.physical.width), points(size.physical.height));
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
        let shape = {
            let mut shape = self.shape.lock();
            (shape.scale, shape.of_host) = (scale_factor, Some(scale_factor));
            *shape
        };
        // Some hosts make room when they are asked, others by themselves.
        window.window.resize(shape.pixels())?;
        window.ask_for(shape);
        Ok(())
    }

    fn adjust_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        let now = window.window.size();
        let Shape { points, scale, .. } = *self.shape.lock();
        let points = LogicalSize::new(f64::from(points.width), f64::from(points.height));
        let current = NativeSize::from_logical_or_physical(points, now.physical);
        Some(self.hint.adjust_size(new_size, current, scale))
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
