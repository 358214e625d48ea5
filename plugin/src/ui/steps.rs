//! Steps to the next and the previous entry of a list, going round.

/// The index `step` places after `current` among `count` entries; without a current one, the first or the last. None of none.
pub(crate) fn neighbour(count: usize, current: Option<usize>, step: isize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(match current {
        Some(at) => (at as isize + step).rem_euclid(count as isize) as usize,
        None if step > 0 => 0,
        None => last,
    })
}

#[cfg(test)]
mod tests {
    use super::neighbour;

    #[test]
    fn steps_go_round_and_begin_at_either_end() {
        assert_eq!([neighbour(3, Some(2), 1), neighbour(3, Some(0), -1)], [Some(0), Some(2)]);
        assert_eq!([neighbour(3, None, 1), neighbour(3, None, -1)], [Some(0), Some(2)]);
        assert_eq!(neighbour(0, None, 1), None);
    }
}
