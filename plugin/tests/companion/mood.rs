//! The mood of the sound as controllers: what is sent, when, and where.

use super::host::{Instance, Message, Song};
use super::rendering;

/// Six seconds of a bright, busy sound, then six of a dark, slow one.
const HALF: i64 = 6 * 48_000;
const LEN: i64 = 2 * HALF;
const ON: &str = r#"{"mood": {"bool": true}, "mood_smoothing": {"f32": 0.5}, "mood_channel": {"i32": 3}}"#;

fn sample(at: i64) -> f32 {
    let (third, strikes, gain) = if at < HALF { (4, 6.0, 0.2) } else { (3, 1.0, 0.02) };
    let time = at as f64 / 48_000.0;
    let tone = |semitones: i32| -> f64 {
        let hz = 261.63 * 2f64.powf(f64::from(semitones) / 12.0);
        (1..5).map(|n| (std::f64::consts::TAU * hz * f64::from(n) * time).sin() / f64::from(n)).sum()
    };
    let decay = (-4.0 * (time * strikes).fract() / strikes).exp();
    gain * (decay * (tone(0) + tone(third) + tone(7))) as f32
}

/// What is sent while the sound plays, without a song.
fn sent(instance: &mut Instance, len: i64, blocks: &[usize]) -> Vec<Message> {
    let song = Song { plays: false, ..Song::default() };
    let (mut sent, mut at) = (Vec::new(), 0);
    for size in blocks.iter().cycle() {
        let end = (at + *size as i64).min(len);
        let left: Vec<f32> = (at..end).map(sample).collect();
        sent.extend(instance.play_events(at, &mut [left.clone(), left], &[], &[], &song).1);
        at = end;
        if at == len {
            break;
        }
    }
    sent
}

/// The values of a controller on channel 3.
fn values(sent: &[Message], number: u8) -> Vec<(i64, u8)> {
    let own = sent.iter().filter(|message| message.bytes[..2] == [0xb2, number]);
    own.map(|message| (message.sample, message.bytes[2])).collect()
}

#[test]
fn two_moods_are_two_values_that_are_sent_only_where_they_change() {
    let all = sent(&mut rendering(ON), LEN, &[4096]);
    let [valence, arousal] = [16, 17].map(|number| values(&all, number));
    assert_eq!(all.len(), valence.len() + arousal.len());
    for values in [&valence, &arousal] {
        assert!(values.windows(2).all(|pair| pair[0].1 != pair[1].1), "{values:?}");
        assert!(values.iter().all(|(sample, _)| sample % 960 == 0));
        let at = |end: i64| values.iter().take_while(|(sample, _)| *sample < end).last().unwrap().1;
        // A bright sound is above the middle of 64, and a dark one below.
        let (bright, dark) = (at(HALF), at(LEN));
        assert!(bright > 70 && dark < 50, "{bright} {dark}");
    }
    assert_eq!(sent(&mut rendering("{}"), 4 * 48_000, &[4096]), []);
    assert_eq!(
        sent(&mut rendering(&ON.replacen('{', r#"{"bypass": {"bool": true}, "#, 1)), 96_000, &[4096]),
        []
    );
}

#[test]
fn what_is_sent_does_not_depend_on_blocks_and_smoothing_slows_it() {
    let len = 3 * 48_000;
    let whole = sent(&mut rendering(ON), len, &[4096]);
    assert!(!whole.is_empty());
    for blocks in [&[1][..], &[480, 1, 333, 4096, 7]] {
        assert!(sent(&mut rendering(ON), len, blocks) == whole, "blocks of {blocks:?}");
    }
    let after = |smoothing: &str| {
        let parameters = ON.replace("0.5", smoothing);
        let all = sent(&mut rendering(&parameters), HALF + 2 * 48_000, &[4096]);
        values(&all, 16).last().unwrap().1
    };
    let (quick, slow) = (after("0.1"), after("8.0"));
    assert!(quick + 5 < slow, "{quick} {slow}");
}
