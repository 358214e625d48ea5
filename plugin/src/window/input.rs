//! Keys, buttons and cursors of the windowing system as those of egui, and back.

use keyboard_types::{Code, Key, KeyboardEvent};

/// What a key combination asks for.
pub(super) enum EditCommand {
    Cut,
    Copy,
    Paste,
}

pub(super) fn modifiers(from: keyboard_types::Modifiers) -> egui::Modifiers {
    let mac = cfg!(target_os = "macos");
    egui::Modifiers {
        alt: from.alt(),
        ctrl: from.ctrl(),
        shift: from.shift(),
        mac_cmd: mac && from.meta(),
        command: if mac { from.meta() } else { from.ctrl() },
    }
}

pub(super) fn button(from: baseview::MouseButton) -> Option<egui::PointerButton> {
    match from {
        baseview::MouseButton::Left => Some(egui::PointerButton::Primary),
        baseview::MouseButton::Right => Some(egui::PointerButton::Secondary),
        baseview::MouseButton::Middle => Some(egui::PointerButton::Middle),
        _ => None,
    }
}

pub(super) fn key(from: &Key) -> Option<egui::Key> {
    match from {
        // Both take their names from the same standard, so egui knows each name for which it has a key.
        Key::Named(name) => egui::Key::from_name(&name.to_string()),
        Key::Character(text) if text == " " => Some(egui::Key::Space),
        Key::Character(text) => egui::Key::from_name(&text.to_uppercase()),
    }
}

pub(super) fn edit_command(event: &KeyboardEvent, modifiers: egui::Modifiers) -> Option<EditCommand> {
    match event.code {
        Code::KeyX if modifiers.command => Some(EditCommand::Cut),
        Code::KeyC | Code::Insert if modifiers.command => Some(EditCommand::Copy),
        Code::KeyV if modifiers.command => Some(EditCommand::Paste),
        Code::Insert if modifiers.shift => Some(EditCommand::Paste),
        Code::Delete if modifiers.shift => Some(EditCommand::Cut),
        _ => None,
    }
}

/// The cursors that editors use; any other becomes the arrow.
pub(super) fn cursor(from: egui::CursorIcon) -> baseview::MouseCursor {
    use egui::CursorIcon;
    match from {
        CursorIcon::None => baseview::MouseCursor::Hidden,
        CursorIcon::PointingHand | CursorIcon::Grab => baseview::MouseCursor::Hand,
        CursorIcon::Grabbing => baseview::MouseCursor::HandGrabbing,
        CursorIcon::Text => baseview::MouseCursor::Text,
        CursorIcon::Copy => baseview::MouseCursor::Copy,
        CursorIcon::NotAllowed | CursorIcon::NoDrop => baseview::MouseCursor::NotAllowed,
        CursorIcon::ResizeHorizontal | CursorIcon::ResizeColumn => baseview::MouseCursor::EwResize,
        CursorIcon::ResizeVertical | CursorIcon::ResizeRow => baseview::MouseCursor::NsResize,
        CursorIcon::Progress | CursorIcon::Wait => baseview::MouseCursor::Working,
        _ => baseview::MouseCursor::Default,
    }
}
