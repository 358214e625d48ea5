//! Bytes of MIDI files, event by event.
#![allow(dead_code)]

/// The bytes of a chunk.
pub(crate) fn chunk(id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&id[..], &(data.len() as u32).to_be_bytes(), data].concat()
}

/// A header.
pub(crate) fn header(format: u16, n_tracks: u16, division: u16) -> Vec<u8> {
    let fields: Vec<u8> = [format, n_tracks, division].into_iter().flat_map(u16::to_be_bytes).collect();
    chunk(b"MThd", &fields)
}

/// A file of tracks, each given as the bytes of its events.
pub(crate) fn file(format: u16, division: u16, tracks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = header(format, tracks.len() as u16, division);
    for track in tracks {
        bytes.extend(chunk(b"MTrk", track));
    }
    bytes
}

/// The end of a track, at once.
pub(crate) const END: &[u8] = &[0, 0xFF, 0x2F, 0];
/// 60 quarter notes a minute.
pub(crate) const SLOW: &[u8] = &[0xFF, 0x51, 3, 0x0F, 0x42, 0x40];

/// Events: ticks since the last, and the bytes of the message.
pub(crate) fn track(events: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (delta, message) in events {
        let groups = (0..4).rev().map(|place| (delta >> (7 * place)) as u8 & 0x7F);
        let groups: Vec<u8> = groups.skip_while(|group| *group == 0).collect();
        let last = groups.len().saturating_sub(1);
        bytes
            .extend(groups.iter().enumerate().map(|(i, group)| if i < last { group | 0x80 } else { *group }));
        if groups.is_empty() {
            bytes.push(0);
        }
        bytes.extend(*message);
    }
    bytes.extend(END);
    bytes
}

/// Random numbers, the same on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// Files of all kinds that the standard knows.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let plain = track(&[(0, &[0x90, 60, 90]), (240, &[62, 80]), (240, &[60, 0]), (200_000, &[0x80, 62, 1])]);
    let rich = track(&[
        (0, b"\xFF\x03\x05piano"),
        (0, &[0xC0, 5]),
        (0, &[0xF0, 4, 0x7E, 0x7F, 9, 0xF7]),
        (10, &[0xF7, 1, 0xF8]),
        (0, &[0x90, 60, 64]),
        (96, &[0xFF, 0x58, 4, 6, 3, 24, 8]),
        (0, &[60, 0]),
        (5, &[0xE0, 0, 64]),
        (5, &[0xFF, 0x7F, 3, 1, 2, 3]),
        (0, &[0xFF, 0x59, 2, 0xFD, 1]),
    ]);
    let tempo = track(&[(0, SLOW), (960, &[0xFF, 0x51, 3, 4, 0x93, 0xE0])]);
    let mut longer = header(1, 2, 96);
    longer.splice(4..8, 8u32.to_be_bytes());
    longer.extend([1, 2]);
    longer.extend(chunk(b"XYZ ", b"kept"));
    longer.extend(chunk(b"MTrk", &[&plain[..], b"after the end"].concat()));
    longer.extend(chunk(
        b"MTrk",
        &[0x80, 0x80, 0, 0x90, 1, 1, 0x81, 0, 1, 0, 0, 0xFF, 1, 0x80, 1, 65, 0, 0xFF, 0x2F, 0],
    ));
    longer.extend([0, 0, 0]);
    vec![
        file(0, 480, &[&plain]),
        file(1, 96, &[&tempo, &rich, &plain]),
        file(2, 0xE728, &[&plain, &rich]),
        longer,
        file(1, 32_767, &[]),
        // Notes without a length, at one tick with others.
        file(
            0,
            96,
            &[&track(&[
                (0, &[0x90, 60, 9]),
                (5, &[60, 0]),
                (0, &[60, 8]),
                (0, &[60, 0]),
                (0, &[62, 7]),
                (9, &[62, 0]),
            ])],
        ),
    ]
}
