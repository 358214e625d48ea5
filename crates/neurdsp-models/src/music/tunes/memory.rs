//! The memory of a piece: what followed when the last notes were played before.
//!
//! It finds all earlier places that the end of the melody agrees with, and mixes what followed them, longer agreement
//! before shorter: prediction by partial matching, with escapes by method C. It has no parameters, and learns as it goes.
//!
//! Source: J. G. Cleary, I. H. Witten, "Data compression using adaptive coding and partial string matching", IEEE
//! Transactions on Communications 32 (1984); A. Moffat, "Implementing the PPM data compression scheme", 38 (1990).

use super::grid::N_TOKENS;

/// Longest agreement that is told apart, in sixteenths.
pub const MAX_ORDER: usize = 32;
/// Sixteenths that are remembered.
const CAPACITY: usize = 4096;
/// Oldest sixteenths that are forgotten when it is full.
const FORGOTTEN: usize = CAPACITY / 4;
const NOTHING: u16 = u16::MAX;

/// What was played so far. After construction nothing here allocates or fails.
///
/// # Example
/// ```
/// use neurdsp_models::music::tunes::MelodyMemory;
/// let mut memory = MelodyMemory::new();
/// for token in [60, 62, 64, 60, 62] {
///     memory.push(token);
/// }
/// let mut next = [0.0; 128];
/// assert_eq!(memory.predict(&mut next), 2);
/// assert!(next[64] > 0.4);
/// ```
#[derive(Clone, Debug)]
pub struct MelodyMemory {
    tokens: Vec<u8>,
    /// For each place, over how many tokens what came before it agrees with the end; at most [`MAX_ORDER`].
    agreements: Vec<u8>,
    /// Places by their agreement: the first of each, and the one after each.
    first: [u16; MAX_ORDER + 1],
    next: Vec<u16>,
}

impl Default for MelodyMemory {
    fn default() -> Self {
        MelodyMemory::new()
    }
}

impl MelodyMemory {
    /// An empty memory.
    #[must_use]
    pub fn new() -> MelodyMemory {
        MelodyMemory {
            tokens: Vec::with_capacity(CAPACITY),
            agreements: Vec::with_capacity(CAPACITY),
            first: [NOTHING; MAX_ORDER + 1],
            next: vec![NOTHING; CAPACITY],
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.tokens.clear();
        self.agreements.clear();
    }

    /// Adds a token; those above 127 count as 127.
    pub fn push(&mut self, token: u8) {
        let token = token.min(127);
        if self.tokens.len() == CAPACITY {
            for list in [&mut self.tokens, &mut self.agreements] {
                list.copy_within(FORGOTTEN.., 0);
                list.truncate(CAPACITY - FORGOTTEN);
            }
        }
        self.tokens.push(token);
        self.agreements.push(0);
        for place in (1..self.tokens.len()).rev() {
            let longer = (self.agreements[place - 1] + 1).min(MAX_ORDER as u8);
            self.agreements[place] = if self.tokens[place - 1] == token { longer } else { 0 };
        }
        self.agreements[0] = 0;
    }

    /// Gives the probability of each token to be the next, and the longest agreement, in tokens.
    pub fn predict(&mut self, probabilities: &mut [f32; N_TOKENS]) -> usize {
        probabilities.fill(1.0 / N_TOKENS as f32);
        self.first.fill(NOTHING);
        let (mut counts, mut total, mut kinds) = ([0_u16; N_TOKENS], 0_u16, 0_u16);
        for (place, &agreement) in self.agreements.iter().enumerate() {
            let first = &mut self.first[usize::from(agreement)];
            self.next[place] = *first;
            *first = place as u16;
            let count = &mut counts[usize::from(self.tokens[place])];
            kinds += u16::from(*count == 0);
            *count += 1;
            total += 1;
        }
        let mut longest = 0;
        for order in 0..=MAX_ORDER {
            if total == 0 {
                break;
            }
            longest = order;
            let (sum, escape) = (f32::from(total + kinds), f32::from(kinds));
            for (probability, &count) in probabilities.iter_mut().zip(&counts) {
                *probability = (f32::from(count) + escape * *probability) / sum;
            }
            // Those that agree no further leave before the next order.
            let mut place = self.first[order];
            while place != NOTHING {
                let count = &mut counts[usize::from(self.tokens[usize::from(place)])];
                *count -= 1;
                kinds -= u16::from(*count == 0);
                total -= 1;
                place = self.next[usize::from(place)];
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, order by order over all suffixes.
    fn slow(tokens: &[u8]) -> (Vec<f32>, usize) {
        let (mut p, mut longest) = (vec![1.0 / 128.0; 128], 0);
        for order in 0..=MAX_ORDER.min(tokens.len()) {
            let end = &tokens[tokens.len() - order..];
            let followers: Vec<u8> = (order..tokens.len())
                .filter(|&at| &tokens[at - order..at] == end)
                .map(|at| tokens[at])
                .collect();
            if followers.is_empty() {
                break;
            }
            longest = order;
            let kinds = followers.iter().collect::<std::collections::BTreeSet<_>>().len() as f32;
            for (token, value) in p.iter_mut().enumerate() {
                let count =
                    followers.iter().filter(|&&follower| usize::from(follower) == token).count() as f32;
                *value = (count + kinds * *value) / (followers.len() as f32 + kinds);
            }
        }
        (p, longest)
    }

    #[test]
    fn it_is_the_definition_at_every_step() {
        let mut state = 7_u32;
        let mut tokens: Vec<u8> = (0..120)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [0, 1, 60, 62, 64][(state >> 28) as usize % 5]
            })
            .collect();
        tokens.extend_from_within(10..70);
        let mut memory = MelodyMemory::new();
        let mut found = [0.0; N_TOKENS];
        for at in 0..tokens.len() {
            let longest = memory.predict(&mut found);
            let (expected, order) = slow(&tokens[..at]);
            assert_eq!(longest, order, "step {at}");
            let error = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(error < 1e-6, "step {at}: {error}");
            memory.push(tokens[at]);
        }
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_full_memory_forgets_the_oldest_and_goes_on() {
        let mut memory = MelodyMemory::new();
        let mut found = [0.0; N_TOKENS];
        for at in 0..3 * CAPACITY {
            memory.push(if at < CAPACITY { 50 } else { 60 + (at % 7) as u8 });
        }
        assert!(memory.tokens.len() <= CAPACITY && memory.tokens.capacity() == CAPACITY);
        assert_eq!(memory.predict(&mut found), MAX_ORDER);
        assert!(found[60 + 3 * CAPACITY % 7] > 0.99);
        memory.clear();
        assert_eq!((memory.predict(&mut found), found[0]), (0, 1.0 / 128.0));
    }
}
