//! One open window: `baseview`'s events become egui's, and OpenGL paints what egui makes.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use baseview::dpi::PhysicalPosition;
use baseview::{
    DropData, DropEffect, Event, EventStatus, HandlerError, MouseEvent, ScrollDelta, TimerHandle,
    WindowContext, WindowEvent, WindowHandler, WindowSize,
};
use copypasta::ClipboardProvider;
use egui_glow::glow::{self, HasContext};

use super::app::{App, Repaint, Shown};
use super::fonts::{self, OpenWindow};
use super::input;
use super::keyboard::Keyboard;
use super::redraw::Redraw;

/// How often the window checks for requested redraws.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// How long a requested redraw may take until the window draws by itself. The server of a screen may lose the notice that the
/// windowing library waits for, and it would wait for ever.
const OVERDUE: Duration = Duration::from_millis(400);

/// The handler of one open window.
pub(super) struct AppWindow<A: App> {
    app: Arc<parking_lot::Mutex<Shown<A>>>,
    /// Which of the openings of the app's window this is.
    opening: u64,
    context: egui::Context,
    window: WindowContext,
    gl: Arc<glow::Context>,
    painter: RefCell<egui_glow::Painter>,
    clipboard: RefCell<Option<copypasta::ClipboardContext>>,
    input: RefCell<egui::RawInput>,
    pointer: Cell<Option<egui::Pos2>>,
    modifiers: Cell<egui::Modifiers>,
    cursor: Cell<egui::CursorIcon>,
    keyboard: Keyboard,
    opened: Instant,
    repaint: Repaint,
    redraw: Redraw,
    drawn: Cell<Instant>,
    timer: TimerHandle,
    poll: Box<dyn Fn()>,
    _letters: OpenWindow,
    /// Dropped with this, so that others can wait for it.
    _open: Sender<()>,
}

impl<A: App> AppWindow<A> {
    /// Sets OpenGL and egui up in `window`; `poll` is called now and then while it is open.
    pub(super) fn new(
        window: WindowContext,
        (app, opening): (Arc<parking_lot::Mutex<Shown<A>>>, u64),
        repaint: Repaint,
        poll: impl Fn() + 'static,
        open: Sender<()>,
    ) -> Result<AppWindow<A>, HandlerError> {
        let surface = window.gl_context().ok_or_else(|| message("this machine offers no OpenGL context"))?;
        // SAFETY: the context belongs to this window and this thread, and nothing else uses OpenGL on that thread at the same time.
        let (gl, painter) = unsafe {
            surface.make_current()?;
            let gl =
                Arc::new(glow::Context::from_loader_function_cstr(|name| surface.get_proc_address(name)));
            let painter = egui_glow::Painter::new(Arc::clone(&gl), "", None, true);
            surface.make_not_current()?;
            (gl, painter.map_err(|error| message(&error.to_string()))?)
        };
        let context = egui::Context::default();
        let redraw = Redraw::default();
        let (waker, later) = (window.waker(), redraw.clone());
        context.set_request_repaint_callback(move |request| {
            // A frame that is wanted later is not overdue before that.
            if if request.delay.is_zero() { later.request() } else { later.is_possible() } {
                waker.request_redraw_after(request.delay);
            }
        });
        app.lock().app.opened(&context);
        let letters = fonts::fall_back(&context);
        let input =
            egui::RawInput { max_texture_side: Some(painter.max_texture_side()), ..Default::default() };
        let timer = window.create_timer(FRAME_INTERVAL)?;
        Ok(AppWindow {
            app,
            opening,
            context,
            keyboard: Keyboard::new(&window),
            window,
            gl,
            painter: RefCell::new(painter),
            clipboard: RefCell::new(copypasta::ClipboardContext::new().ok()),
            input: RefCell::new(input),
            pointer: Cell::new(None),
            modifiers: Cell::new(egui::Modifiers::default()),
            cursor: Cell::new(egui::CursorIcon::Default),
            opened: Instant::now(),
            repaint,
            redraw,
            drawn: Cell::new(Instant::now()),
            timer,
            poll: Box::new(poll),
            _letters: letters,
            _open: open,
        })
    }

    fn request_redraw(&self) {
        if self.redraw.request() {
            self.window.request_redraw();
        }
    }

    /// Ends the editing of a text field.
    fn stop_editing(&self) {
        self.context.memory_mut(|memory| {
            if let Some(field) = memory.focused() {
                memory.surrender_focus(field);
            }
        });
        self.keyboard.give_back();
    }

    /// Pixels per point, such that the layout fits the window.
    fn pixels_per_point(&self) -> f32 {
        let size = self.window.size().physical;
        let fit = (size.width as f32 / A::SIZE.x).min(size.height as f32 / A::SIZE.y);
        fit.clamp(0.25, 8.0)
    }

    fn point(&self, position: PhysicalPosition<f64>) -> egui::Pos2 {
        let scale = self.pixels_per_point();
        egui::pos2(position.x as f32 / scale, position.y as f32 / scale)
    }

    fn set_modifiers(&self, modifiers: keyboard_types::Modifiers, input: &mut egui::RawInput) {
        let modifiers = input::modifiers(modifiers);
        if self.modifiers.replace(modifiers) != modifiers {
            input.events.push(egui::Event::ModifiersChanged(modifiers));
        }
    }

    fn move_pointer(&self, position: PhysicalPosition<f64>, input: &mut egui::RawInput) {
        let point = self.point(position);
        self.pointer.set(Some(point));
        input.events.push(egui::Event::PointerMoved(point));
    }

    fn on_mouse(&self, event: &MouseEvent) -> EventStatus {
        let mut input = self.input.borrow_mut();
        match event {
            MouseEvent::CursorMoved { position, modifiers } => {
                self.set_modifiers(*modifiers, &mut input);
                self.move_pointer(*position, &mut input);
            }
            MouseEvent::ButtonPressed { button, modifiers }
            | MouseEvent::ButtonReleased { button, modifiers } => {
                self.set_modifiers(*modifiers, &mut input);
                if let (Some(pos), Some(button)) = (self.pointer.get(), input::button(*button)) {
                    let pressed = matches!(event, MouseEvent::ButtonPressed { .. });
                    let modifiers = self.modifiers.get();
                    input.events.push(egui::Event::PointerButton { pos, button, pressed, modifiers });
                }
            }
            MouseEvent::WheelScrolled { delta, modifiers } => {
                self.set_modifiers(*modifiers, &mut input);
                let (unit, delta) = match *delta {
                    ScrollDelta::Lines { x, y } => (egui::MouseWheelUnit::Line, egui::vec2(x, y)),
                    ScrollDelta::Pixels { x, y } => {
                        (egui::MouseWheelUnit::Point, egui::vec2(x, y) / self.pixels_per_point())
                    }
                };
                input.events.push(egui::Event::MouseWheel {
                    unit,
                    delta,
                    modifiers: self.modifiers.get(),
                    phase: egui::TouchPhase::Move,
                    source: egui::MouseWheelSource::Unknown,
                });
            }
            MouseEvent::CursorLeft => {
                self.pointer.set(None);
                input.events.push(egui::Event::PointerGone);
            }
            MouseEvent::DragEntered { position, modifiers, data }
            | MouseEvent::DragMoved { position, modifiers, data } => {
                self.set_modifiers(*modifiers, &mut input);
                self.move_pointer(*position, &mut input);
                let hovered =
                    |path: &PathBuf| egui::HoveredFile { path: Some(path.clone()), ..Default::default() };
                input.hovered_files = files(data).iter().map(hovered).collect();
                return drop_status(data);
            }
            MouseEvent::DragLeft => input.hovered_files.clear(),
            MouseEvent::DragDropped { position, modifiers, data } => {
                self.set_modifiers(*modifiers, &mut input);
                self.move_pointer(*position, &mut input);
                input.hovered_files.clear();
                for path in files(data) {
                    input.dropped_files.push(Arc::new(DroppedPath(path.clone())));
                }
                return drop_status(data);
            }
            _ => {}
        }
        EventStatus::Captured
    }

    fn on_key(&self, event: &keyboard_types::KeyboardEvent) -> EventStatus {
        let mut input = self.input.borrow_mut();
        self.set_modifiers(event.modifiers, &mut input);
        let modifiers = self.modifiers.get();
        let pressed = event.state == keyboard_types::KeyState::Down;
        if let Some(key) = input::key(&event.key) {
            let repeat = event.repeat;
            input.events.push(egui::Event::Key { key, physical_key: None, pressed, repeat, modifiers });
        }
        if pressed {
            match input::edit_command(event, modifiers) {
                Some(input::EditCommand::Cut) => input.events.push(egui::Event::Cut),
                Some(input::EditCommand::Copy) => input.events.push(egui::Event::Copy),
                Some(input::EditCommand::Paste) => {
                    let text = self
                        .clipboard
                        .borrow_mut()
                        .as_mut()
                        .and_then(|clipboard| clipboard.get_contents().ok());
                    input.events.extend(text.map(egui::Event::Paste));
                }
                None => {
                    if let keyboard_types::Key::Character(text) = &event.key
                        && !modifiers.ctrl
                        && !modifiers.command
                    {
                        input.events.push(egui::Event::Text(text.clone()));
                    }
                }
            }
        }
        self.keyboard.note(event);
        if self.keyboard.is_ours() { EventStatus::Captured } else { EventStatus::Ignored }
    }

    fn paint(&self, mut output: egui::FullOutput) -> Result<(), HandlerError> {
        let surface = self.window.gl_context().ok_or_else(|| message("the OpenGL context is gone"))?;
        let size = self.window.size().physical;
        let meshes = self.context.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        let mut painter = self.painter.borrow_mut();
        // SAFETY: as in `new`.
        unsafe {
            surface.make_current()?;
            let [red, green, blue, _] =
                self.context.global_style().visuals.panel_fill.to_normalized_gamma_f32();
            self.gl.clear_color(red, green, blue, 1.0);
            self.gl.clear(glow::COLOR_BUFFER_BIT);
        }
        for (id, deltas) in output.textures_delta.set.drain() {
            for delta in deltas {
                painter.set_texture(id, &delta);
            }
        }
        painter.paint_primitives([size.width, size.height], output.pixels_per_point, &meshes);
        for id in output.textures_delta.free.drain() {
            painter.free_texture(id);
        }
        surface.swap_buffers()?;
        // SAFETY: as in `new`.
        unsafe { surface.make_not_current()? };
        Ok(())
    }

    fn apply(&self, output: &egui::PlatformOutput) -> Result<(), HandlerError> {
        for command in &output.commands {
            if let egui::OutputCommand::CopyText(text) = command
                && let Some(clipboard) = self.clipboard.borrow_mut().as_mut()
            {
                // Another program may hold the clipboard; the editor stays open all the same.
                let _ = clipboard.set_contents(text.clone());
            }
        }
        if self.cursor.replace(output.cursor_icon) != output.cursor_icon {
            self.window.set_mouse_cursor(input::cursor(output.cursor_icon))?;
        }
        Ok(())
    }
}

impl<A: App> WindowHandler for AppWindow<A> {
    fn draw(&self) -> Result<(), HandlerError> {
        let input = {
            let mut input = self.input.borrow_mut();
            let size = self.window.size().physical;
            let scale = self.pixels_per_point();
            let points = egui::vec2(size.width as f32, size.height as f32) / scale;
            input.screen_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, points));
            input.time = Some(self.opened.elapsed().as_secs_f64());
            input.viewports.entry(egui::ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
            input.take()
        };
        self.redraw.drawn();
        self.drawn.set(Instant::now());
        let mut output = self.context.run_ui(input, |ui| self.app.lock().app.ui(ui));
        let platform = std::mem::take(&mut output.platform_output);
        self.paint(output)?;
        self.keyboard.follow(self.context.text_edit_focused());
        self.apply(&platform)
    }

    fn damage(&self, _area: baseview::DamageArea) {
        self.redraw.shown();
    }

    fn resized(&self, _size: WindowSize) -> Result<(), HandlerError> {
        self.request_redraw();
        Ok(())
    }

    fn on_event(&self, event: Event) -> EventStatus {
        let status = match &event {
            Event::Mouse(event) => self.on_mouse(event),
            Event::Keyboard(event) => self.on_key(event),
            Event::Window(event) => {
                if let WindowEvent::Focused | WindowEvent::Unfocused = event {
                    let focused = matches!(event, WindowEvent::Focused);
                    self.input.borrow_mut().events.push(egui::Event::WindowFocused(focused));
                    if self.keyboard.was_taken() {
                        self.stop_editing();
                    }
                }
                EventStatus::Captured
            }
            _ => EventStatus::Ignored,
        };
        self.request_redraw();
        status
    }

    fn on_timer(&self, timer: &TimerHandle) {
        if *timer != self.timer {
            return;
        }
        (self.poll)();
        if self.repaint.take() || self.keyboard.waits() {
            self.request_redraw();
        }
        if cfg!(target_os = "linux") && self.redraw.is_wanted() && self.drawn.get().elapsed() > OVERDUE {
            // The next event tries again.
            let _ = self.draw();
        }
    }
}

impl<A: App> Drop for AppWindow<A> {
    fn drop(&mut self) {
        if let Some(surface) = self.window.gl_context() {
            // SAFETY: as in `new`.
            unsafe {
                if surface.make_current().is_ok() {
                    self.painter.borrow_mut().destroy();
                    let _ = surface.make_not_current();
                }
            }
        }
        self.app.lock().close(self.opening);
    }
}

/// A file that was dropped on the window.
#[derive(Debug)]
struct DroppedPath(PathBuf);

impl egui::DroppedFile for DroppedPath {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn files(data: &DropData) -> &[PathBuf] {
    match data {
        DropData::Files(paths) => paths,
        _ => &[],
    }
}

fn drop_status(data: &DropData) -> EventStatus {
    if files(data).is_empty() { EventStatus::Ignored } else { EventStatus::AcceptDrop(DropEffect::Copy) }
}

fn message(text: &str) -> HandlerError {
    HandlerError::from_boxed(text.into())
}
