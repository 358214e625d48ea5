//! The drum separator in a CLAP host, from the same library.

use super::host::clap::Instance;
use super::host::{NETWORK_LATENCY, NETWORK_RATE, library, noise, separated};
use super::{DRUMS, drum_state, file, null_db};

fn stored(json: &[u8]) -> Vec<u8> {
    [&(json.len() as u64).to_le_bytes()[..], json].concat()
}

#[test]
fn its_outputs_are_what_the_engine_gives_and_its_state_comes_back() {
    let (left, right) = (noise(8000, 0.3), noise(8000, 0.3));
    let stems = separated(&file(), [&left, &right]);
    let first = Instance::open(&library(), DRUMS as u32);
    assert_eq!((first.n_ports(true), first.n_ports(false)), (1, 7));
    assert!(first.load(&stored(&drum_state("{}", &file()))));
    first.start_at(NETWORK_RATE);
    assert_eq!(first.latency() as usize, NETWORK_LATENCY);
    let played = first.play_outputs([&left, &right], 333, 7);
    assert!(null_db(&played[0][0], &left, NETWORK_LATENCY) < -120.0);
    for (output, stem) in played[1..6].iter().zip(&stems) {
        assert!(output == stem);
    }
    let saved = first.save();
    first.stop();

    // A host that gives the main output alone hears the same there.
    let second = Instance::open(&library(), DRUMS as u32);
    assert!(!second.load(b"damaged") && second.load(&saved));
    second.start_at(NETWORK_RATE);
    assert!(second.play_outputs([&left, &right], 1000, 1)[0] == played[0]);
    assert_eq!(second.save(), saved);
    second.stop();
}
