//! The strips of the mixer: the stems in their order, and behind them what is in none.

/// How many strips there are.
pub(super) const STRIPS: usize = 6;
/// How many of them are stems.
pub(super) const STEMS: usize = STRIPS - 1;

/// A strip. Its name is that of the stem in networks, and begins the IDs of its parameters, so it never changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strip {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
}

/// All strips, in the order of the outputs.
pub(super) const ALL: [Strip; STRIPS] = [
    Strip { name: "kick", title: "Kick" },
    Strip { name: "snare", title: "Snare" },
    Strip { name: "toms", title: "Toms" },
    Strip { name: "hihat", title: "Hi-hat" },
    Strip { name: "cymbals", title: "Cymbals" },
    Strip { name: "residual", title: "Residual" },
];

/// Names of the outputs beside the main one.
pub(super) const TITLES: [&str; STRIPS] = ["Kick", "Snare", "Toms", "Hi-hat", "Cymbals", "Residual"];

/// The strip of each stem of a network.
///
/// # Errors
///
/// A sentence for the user: a stem that the mixer has no strip for, or that is there twice.
pub(super) fn places(stems: &[String]) -> Result<Vec<usize>, String> {
    let names = ALL.map(|strip| strip.name);
    let mut places = Vec::new();
    for stem in stems {
        let place = names[..STEMS].iter().position(|name| name == stem);
        let Some(place) = place.filter(|place| !places.contains(place)) else {
            let known = names[..STEMS].join(", ");
            return Err(format!(
                "a stem of this network is '{stem}'; the mixer has one strip each for {known}"
            ));
        };
        places.push(place);
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::{ALL, TITLES, places};

    #[test]
    fn titles_of_outputs_are_those_of_the_strips() {
        assert_eq!(ALL.map(|strip| strip.title), TITLES);
    }

    #[test]
    fn stems_find_their_strips_in_any_order_and_others_are_named() {
        let of = |stems: &[&str]| places(&stems.iter().map(|stem| (*stem).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["kick", "snare", "toms", "hihat", "cymbals"]).unwrap(), [0, 1, 2, 3, 4]);
        assert_eq!(of(&["cymbals", "kick"]).unwrap(), [4, 0]);
        for wrong in [&["kick", "vocals"][..], &["kick", "kick"], &["residual"]] {
            let reason = of(wrong).unwrap_err();
            assert!(reason.contains(&format!("'{}'", wrong[wrong.len() - 1])), "{reason}");
        }
    }
}
