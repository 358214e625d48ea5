//! Colours, sizes and fonts: one accent and otherwise greys, on a grid of eight points.

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Visuals};

/// Behind everything.
pub(crate) const BACKGROUND: Color32 = Color32::from_rgb(0x16, 0x18, 0x1c);
/// Of a panel on the background.
pub(crate) const PANEL: Color32 = Color32::from_rgb(0x20, 0x23, 0x29);
/// Of a field or a track on a panel.
pub(crate) const WELL: Color32 = Color32::from_rgb(0x12, 0x14, 0x17);
/// Of lines and raised surfaces.
pub(crate) const LINE: Color32 = Color32::from_rgb(0x36, 0x3b, 0x44);
/// Of text.
pub(crate) const TEXT: Color32 = Color32::from_rgb(0xe8, 0xea, 0xed);
/// Of labels, and of switches that are off.
pub(crate) const DIM: Color32 = Color32::from_rgb(0x9a, 0xa1, 0xac);
/// Of the text of disabled controls.
pub(crate) const OFF: Color32 = Color32::from_rgb(0x5d, 0x64, 0x70);
/// Of what is on, and of buttons to press.
pub(crate) const ACCENT: Color32 = Color32::from_rgb(0xff, 0x9d, 0x3c);
/// Of errors and of clipping.
pub(crate) const ALERT: Color32 = Color32::from_rgb(0xff, 0x5a, 0x4f);
/// Of levels below full scale, and of success.
pub(crate) const LEVEL: Color32 = Color32::from_rgb(0x5f, 0xc9, 0x8b);

/// The grid, in points.
pub(crate) const GRID: f32 = 8.0;

/// Applies the theme.
pub(crate) fn apply(context: &egui::Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = BACKGROUND;
    visuals.window_fill = PANEL;
    visuals.extreme_bg_color = WELL;
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = ACCENT.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    visuals.window_stroke = Stroke::new(1.0, LINE);
    let radius = CornerRadius::same(4);
    for widget in [
        &mut visuals.widgets.noninteractive,
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = radius;
        widget.bg_stroke = Stroke::new(1.0, LINE);
        widget.expansion = 0.0;
    }
    visuals.widgets.inactive.weak_bg_fill = PANEL;
    visuals.widgets.inactive.bg_fill = WELL;
    visuals.widgets.hovered.weak_bg_fill = LINE;
    visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, ACCENT);
    visuals.widgets.active.weak_bg_fill = ACCENT.gamma_multiply(0.5);
    context.set_visuals(visuals);
    context.all_styles_mut(|style| {
        style.spacing.item_spacing = egui::vec2(GRID, GRID);
        style.spacing.button_padding = egui::vec2(GRID * 1.25, GRID * 0.5);
        style.spacing.interact_size.y = GRID * 3.0;
        style.spacing.window_margin = Margin::same(12);
        style.text_styles = [
            (TextStyle::Heading, FontId::new(20.0, FontFamily::Proportional)),
            (TextStyle::Body, FontId::new(14.0, FontFamily::Proportional)),
            (TextStyle::Button, FontId::new(14.0, FontFamily::Proportional)),
            (TextStyle::Small, FontId::new(12.0, FontFamily::Proportional)),
            (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
        ]
        .into();
    });
}

/// The frame of a panel.
pub(crate) fn panel() -> egui::Frame {
    egui::Frame::new()
        .fill(PANEL)
        .corner_radius(CornerRadius::same(6))
        .inner_margin(Margin::symmetric(14, 12))
}
