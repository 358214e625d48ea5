//! Cutting time into stretches whose signals stay in a cache while a layer works on them.

/// Samples of a stretch, a multiple of a block: some 16 KiB for eight channels.
pub(super) const TILE: usize = 512;

/// The stretch from the sample on that lies `tail` before the end, `len` samples long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) tail: usize,
    pub(super) len: usize,
}

impl Tile {
    /// What of it lies within the last `limit` samples.
    pub(super) fn within(self, limit: usize) -> Option<Tile> {
        let before = self.tail.saturating_sub(limit);
        (before < self.len).then(|| Tile { tail: self.tail - before, len: self.len - before })
    }
}

/// The stretches of the last `len` samples, from the first to the last.
pub(super) fn tiles(len: usize) -> impl DoubleEndedIterator<Item = Tile> {
    (0..len.div_ceil(TILE)).map(move |i| {
        let at = i * TILE;
        Tile { tail: len - at, len: TILE.min(len - at) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_a_signal_once_and_are_cut_at_a_limit() {
        for len in [0, 32, TILE, 3 * TILE + 64] {
            let mut next = len;
            for tile in tiles(len) {
                assert_eq!(tile.tail, next);
                next -= tile.len;
            }
            assert_eq!(next, 0);
        }
        let tile = Tile { tail: 100, len: 64 };
        assert_eq!(tile.within(200), Some(tile));
        assert_eq!(tile.within(80), Some(Tile { tail: 80, len: 44 }));
        assert_eq!(tile.within(36), None);
    }
}
