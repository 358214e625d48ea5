//! Names that are too long for their place, and numbers as people write them.

use egui::{Color32, FontId, Painter, Ui};

/// `text`, cut in the middle if it is wider than `width` points. The end of a name often tells it from the next one.
pub(crate) fn middle(ui: &Ui, text: &str, font: &FontId, width: f32) -> String {
    cut(text, |text| measure(ui.painter(), text, font) <= width)
}

fn measure(painter: &Painter, text: &str, font: &FontId) -> f32 {
    painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE).size().x
}

/// The longest text that `fits`, with an ellipsis for what is left out of the middle.
fn cut(text: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(text) {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let with = |kept: usize| -> String {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head = letters[..head].iter().collect::<String>();
        let tail = letters[letters.len() - tail..].iter().collect::<String>();
        format!("{}…{}", head.trim_end(), tail.trim_start())
    };
    let (mut fitting, mut too_long) = (0, letters.len());
    while too_long - fitting > 1 {
        let between = usize::midpoint(fitting, too_long);
        if fits(&with(between)) { fitting = between } else { too_long = between }
    }
    with(fitting)
}

/// A number as a program reads it: with a point for a decimal comma, a hyphen for a minus sign, digits of any width, no spaces and
/// no unit.
pub(crate) fn number(text: &str) -> String {
    let narrow = |letter: char| match letter {
        // Wide forms, which East Asian keyboards produce.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{2212}' | '\u{2012}' | '\u{2013}' => '-',
        '\u{3001}' | '\u{066b}' => ',',
        _ => letter,
    };
    let mut text: String = text.trim().chars().map(narrow).filter(|letter| !letter.is_whitespace()).collect();
    if let Some(last) = text.rfind(|letter: char| letter.is_ascii_digit()) {
        text.truncate(last + 1);
    }
    // Of several marks the last is the decimal one: 1.234,5 and 1,234.5 are the same number.
    if let Some(last) = text.rfind([',', '.']) {
        let (whole, decimals) = text.split_at(last);
        let whole: String =
            whole.chars().filter(|letter| !matches!(letter, ',' | '.' | '\'' | '’')).collect();
        text = format!("{whole}.{}", &decimals[1..]);
    }
    text
}

/// 12146 as `12,146`.
pub(crate) fn thousands(value: usize) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::{cut, number};

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end() {
        let fits = |width: usize| move |text: &str| text.chars().count() <= width;
        assert_eq!(cut("short", fits(5)), "short");
        assert_eq!(cut("Marshall JCM800 channel 2.nam", fits(13)), "Marshal…2.nam");
        assert_eq!(cut("アンプのなまえ", fits(5)), "アン…まえ");
        assert_eq!(cut("narrow", fits(0)), "…");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(super::thousands(999), "999");
        assert_eq!(super::thousands(12_146), "12,146");
        assert_eq!(super::thousands(1_000_000), "1,000,000");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (written, read) in [
            ("3,5", "3.5"),
            (" -3.5 ", "-3.5"),
            ("−12,25 dB", "-12.25"),
            ("50 %", "50"),
            ("1.234,5", "1234.5"),
            ("1,234.5", "1234.5"),
            ("１２，５", "12.5"),
            ("1 000,5", "1000.5"),
            ("7", "7"),
            ("loud", "loud"),
        ] {
            assert_eq!(number(written), read, "{written}");
        }
    }
}
