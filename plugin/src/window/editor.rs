//! What the plugin framework asks of an editor, answered by an [`AppWindow`].

use std::error::Error;
use std::sync::Arc;

use baseview::dpi::Size;
use baseview::host::{Host, HostCallbacks, HostMainThreadCaller};
use baseview::{HandlerError, Window, WindowSettings, WindowSize};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor,
};
use parking_lot::Mutex;

use super::{App, AppWindow, Repaint};

/// The smallest window, as a part of [`App::SIZE`].
const SMALLEST: f32 = 0.6;
/// The largest.
const LARGEST: f32 = 4.0;

/// An editor that shows an [`App`].
pub(crate) struct AppEditor<A: App> {
    app: Arc<Mutex<A>>,
    repaint: Repaint,
    title: &'static str,
    /// Told each time a window opens, so that the app can set parameters.
    connect: fn(&mut A, GuiContext),
    shape: Arc<Mutex<Shape>>,
}

/// The size of the window in points and pixels to a point, kept while it is closed.
#[derive(Clone, Copy, Debug)]
struct Shape {
    points: LogicalSize<f32>,
    scale: f64,
}

impl<A: App> AppEditor<A> {
    /// An editor for `app`, whose window can be asked for a new picture by `repaint`.
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
        (self.connect)(&mut self.app.lock(), gui_context);
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
        let (app, repaint) = (Arc::clone(&self.app), self.repaint.clone());
        let build = move |window| AppWindow::new(window, app, repaint);
        let window = Window::create_with_host(settings, build, host.map(adapt))?;
        self.shape.lock().scale = window.size().scale_factor;
        self.repaint.request();
        let handle = AppEditorHandle {
            repaint: self.repaint.clone(),
            hint: Self::hint(),
            shape: Arc::clone(&self.shape),
        };
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

impl AppEditorHandle {
    fn remember(&self, size: WindowSize) {
        let points = LogicalSize::new(size.logical.width as f32, size.logical.height as f32);
        *self.shape.lock() = Shape { points, scale: size.scale_factor };
    }
}

impl EditorHandle for AppEditorHandle {
    type Window = Window;
    type Error = baseview::Error;

    fn run_until_closed(window: Self::Window) -> Result<(), Self::Error> {
        window.run_until_closed()
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &Self::Window) -> Result<(), Self::Error> {
        window.set_parent(&parent)
    }

    fn show(&self, window: &Self::Window) -> Result<(), Self::Error> {
        let shown = window.show();
        self.repaint.request();
        shown
    }

    fn hide(&self, window: &Self::Window) -> Result<(), Self::Error> {
        window.hide()
    }

    fn host_main_thread_callback(&self, window: &Self::Window) {
        window.host_main_thread_callback();
    }

    fn set_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Result<(), Self::Error> {
        window.resize(new_size)?;
        self.remember(window.size());
        Ok(())
    }

    fn set_fallback_scale_factor(&self, scale_factor: f64, window: &Self::Window) -> Result<(), Self::Error> {
        window.suggest_fallback_scale_factor(scale_factor)?;
        self.remember(window.size());
        Ok(())
    }

    fn adjust_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        let now = window.size();
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

/// The framework's words for a host in those of the windowing system.
fn adapt(host: HostMethods) -> Host {
    struct Callbacks(Box<dyn nice_plug::editor::HostCallbacks>);
    impl HostCallbacks for Callbacks {
        fn request_resize(&mut self, size: WindowSize) -> Result<(), HandlerError> {
            self.0.request_resize(size.physical.into(), size.scale_factor).map_err(HandlerError::from_boxed)
        }
        fn destroyed(&mut self) {
            self.0.destroyed();
        }
    }
    struct MainThread(Box<dyn nice_plug::editor::HostMainThreadCaller>);
    impl HostMainThreadCaller for MainThread {
        fn call_main_thread(&mut self) {
            self.0.call_main_thread();
        }
    }
    Host::new()
        .with_callbacks(Callbacks(host.callbacks))
        .with_main_thread(MainThread(host.main_thread_caller))
}
