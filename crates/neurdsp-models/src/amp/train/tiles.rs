//! Cutting time into tiles whose signals stay in the cache while a layer processes them.

/// Samples of a tile, a multiple of a block: about 16 KiB for eight channels.
pub(super) const TILE: usize = 512;

/// A tile of `len` samples that starts `tail` samples before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) tail: usize,
    pub(super) len: usize,
}

impl Tile {
    /// The part of it within the last `limit` samples.
    pub(super) fn within(self, limit: usize) -> Option<Tile> {
        let before = self.tail.saturating_sub(limit);
        (before < self.len).then(|| Tile { tail: self.tail - before, len: self.len - before })
    }
}

/// The tiles of the last `len` samples, from first to last.
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
