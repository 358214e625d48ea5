//! Numbers of variable length: seven bits a byte, most significant first, and the top bit says that more follow.

/// The largest number that four bytes hold.
pub(crate) const MAX: u32 = 0x0FFF_FFFF;

/// A number as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) value: u32,
    /// Bytes read.
    pub(crate) len: usize,
    /// Bytes that the shortest form does without.
    pub(crate) padding: u8,
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoNumber {
    /// The bytes end within it.
    Cut,
    /// It is longer than four bytes.
    TooLong,
}

/// The number that the bytes begin with.
pub(crate) fn read(bytes: &[u8]) -> Result<Number, NoNumber> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value = value << 7 | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            let len = index + 1;
            return Ok(Number { value, len, padding: (len - width(value)) as u8 });
        }
    }
    Err(if bytes.len() < 4 { NoNumber::Cut } else { NoNumber::TooLong })
}

/// Bytes of the shortest form.
fn width(value: u32) -> usize {
    (32 - value.leading_zeros()).div_ceil(7).max(1) as usize
}

/// Appends a number of at most [`MAX`], with `padding` bytes more than it needs, four in all at most.
pub(crate) fn write(out: &mut Vec<u8>, value: u32, padding: u8) {
    let len = (width(value) + usize::from(padding)).min(4);
    for place in (0..len).rev() {
        let more = if place > 0 { 0x80 } else { 0 };
        out.push((value >> (7 * place)) as u8 & 0x7F | more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_standard_are_written_as_it_prints_them() {
        let printed: [(u32, &[u8]); 10] = [
            (0, &[0]),
            (0x40, &[0x40]),
            (0x7F, &[0x7F]),
            (0x80, &[0x81, 0]),
            (0x2000, &[0xC0, 0]),
            (0x3FFF, &[0xFF, 0x7F]),
            (0x4000, &[0x81, 0x80, 0]),
            (0x1F_FFFF, &[0xFF, 0xFF, 0x7F]),
            (0x20_0000, &[0x81, 0x80, 0x80, 0]),
            (MAX, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ];
        for (value, bytes) in printed {
            let mut out = Vec::new();
            write(&mut out, value, 0);
            assert_eq!(out, bytes);
            assert_eq!(read(bytes), Ok(Number { value, len: bytes.len(), padding: 0 }));
        }
    }

    #[test]
    fn longer_forms_keep_their_length() {
        for bytes in [&[0x80, 0][..], &[0x80, 0x80, 0x80, 5], &[0x80, 0x81, 0]] {
            let number = read(bytes).unwrap();
            let mut out = Vec::new();
            write(&mut out, number.value, number.padding);
            assert_eq!(out, bytes);
        }
        assert_eq!(read(&[0x81, 0x80]), Err(NoNumber::Cut));
        assert_eq!(read(&[0x81, 0x80, 0x80, 0x80, 0]), Err(NoNumber::TooLong));
    }
}
