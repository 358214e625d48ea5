//! Notes passed on later, each by its own time, with exactly one end for each.

/// Which note a host means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteName {
    /// 0 to 15.
    pub channel: u8,
    /// 0 to 127.
    pub pitch: u8,
    /// What the host calls it, if it does.
    pub id: Option<i32>,
}

/// Which notes a host means; what it leaves open may be any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotePattern {
    /// 0 to 15.
    pub channel: Option<u8>,
    /// 0 to 127.
    pub pitch: Option<u8>,
    /// What the host calls it.
    pub id: Option<i32>,
}

impl NotePattern {
    /// Whether it means a note. A host may give the name at either end only.
    #[must_use]
    pub fn means(&self, name: NoteName) -> bool {
        self.channel.is_none_or(|channel| channel == name.channel)
            && self.pitch.is_none_or(|pitch| pitch == name.pitch)
            && self.id.zip(name.id).is_none_or(|(one, other)| one == other)
    }
}

/// What a [`NoteDelay`] sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DelayedEvent {
    /// A note begins.
    On(NoteName, f32),
    /// A note ends.
    Off(NoteName, f32),
}

/// Passes notes on, each after its own delay, and ends each exactly once.
///
/// A note keeps its length. It ends before the next one of its pitch begins, if it did so when it came. Where the song jumps or
/// stops, [`cut`](Self::cut) ends what is still held; what a host ends afterwards has ended already, and is not sent
/// again. Times are samples from any start. Nothing is allocated after construction.
///
/// # Example
/// ```
/// use neurdsp_rt::{DelayedEvent, NoteDelay, NoteName};
///
/// let (mut notes, mut sent) = (NoteDelay::new(64), Vec::new());
/// let snare = NoteName { channel: 9, pitch: 38, id: None };
/// notes.begin(snare, 0.8, 100, 90); // it came at sample 100 and is to begin 90 later
/// notes.end(snare, 0.0, 300);
/// while let Some(at) = notes.next_at() {
///     notes.send(at, &mut |event| sent.push((at, event)));
/// }
/// assert_eq!(sent, [(190, DelayedEvent::On(snare, 0.8)), (390, DelayedEvent::Off(snare, 0.0))]);
/// ```
#[derive(Debug)]
pub struct NoteDelay {
    /// In the order in which they came.
    notes: Vec<Note>,
    capacity: usize,
    next: Option<u64>,
    lost: u64,
}

#[derive(Clone, Copy, Debug)]
struct Note {
    name: NoteName,
    velocity: f32,
    off_velocity: f32,
    delay: u64,
    on_at: u64,
    /// None while it is held.
    off_at: Option<u64>,
    sounds: bool,
}

impl NoteDelay {
    /// A delay of at most `capacity` notes at a time; one more is not passed on, and counted by [`lost`](Self::lost).
    #[must_use]
    pub fn new(capacity: usize) -> NoteDelay {
        NoteDelay { notes: Vec::with_capacity(capacity), capacity, next: None, lost: 0 }
    }

    /// Takes a note that begins now, to be passed on `delay` samples later.
    pub fn begin(&mut self, name: NoteName, velocity: f32, now: u64, delay: u64) {
        if self.notes.len() >= self.capacity {
            self.lost += 1;
            return;
        }
        let mut on_at = now + delay;
        for before in self.notes.iter_mut().filter(|note| is_alike(note.name, name)) {
            // None overtakes the one before, and one that had ended ends in time.
            on_at = on_at.max(before.on_at + 1);
            if let Some(off_at) = &mut before.off_at {
                *off_at = (*off_at).min(on_at).max(before.on_at);
            }
        }
        let delay = on_at - now;
        self.notes.push(Note {
            name,
            velocity,
            off_velocity: 0.0,
            delay,
            on_at,
            off_at: None,
            sounds: false,
        });
        self.plan();
    }

    /// Ends a note now: the first that is held of those that the host may mean. Tells whether there is one.
    pub fn end(&mut self, name: NoteName, velocity: f32, now: u64) -> bool {
        let is_meant = |note: &&mut Note| note.off_at.is_none() && is_same(note.name, name);
        let Some(note) = self.notes.iter_mut().find(is_meant) else { return false };
        (note.off_at, note.off_velocity) = (Some((now + note.delay).max(note.on_at)), velocity);
        self.plan();
        true
    }

    /// Ends every note that is held and meant, now.
    pub fn end_all(&mut self, pattern: NotePattern, velocity: f32, now: u64) {
        for note in self.notes.iter_mut().filter(|note| note.off_at.is_none() && pattern.means(note.name)) {
            (note.off_at, note.off_velocity) = (Some((now + note.delay).max(note.on_at)), velocity);
        }
        self.plan();
    }

    /// Ends every note that is held, `delay` samples from now: where the song jumps or stops.
    pub fn cut(&mut self, now: u64, delay: u64) {
        for note in self.notes.iter_mut().filter(|note| note.off_at.is_none()) {
            note.off_at = Some((now + delay.min(note.delay)).max(note.on_at));
        }
        self.plan();
    }

    /// Ends every note that sounds at once, and forgets those that do not yet: in a panic, or after a deactivation.
    pub fn release(&mut self, send: &mut impl FnMut(DelayedEvent)) {
        for note in self.notes.drain(..).filter(|note| note.sounds) {
            send(DelayedEvent::Off(note.name, note.off_velocity));
        }
        self.next = None;
    }

    /// When something is to be sent next.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        self.next
    }

    /// Sends what is due by now: ends before beginnings.
    pub fn send(&mut self, now: u64, send: &mut impl FnMut(DelayedEvent)) {
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        let end = |notes: &mut Vec<Note>, send: &mut dyn FnMut(DelayedEvent)| {
            notes.retain(|note| {
                let ends = note.sounds && note.off_at.is_some_and(|at| at <= now);
                if ends {
                    send(DelayedEvent::Off(note.name, note.off_velocity));
                }
                !ends
            });
        };
        end(&mut self.notes, send);
        for note in self.notes.iter_mut().filter(|note| !note.sounds && note.on_at <= now) {
            note.sounds = true;
            send(DelayedEvent::On(note.name, note.velocity));
        }
        end(&mut self.notes, send);
        self.plan();
    }

    /// The number of notes that sound.
    #[must_use]
    pub fn n_sounding(&self) -> usize {
        self.notes.iter().filter(|note| note.sounds).count()
    }

    /// The number of notes that were not passed on because there were too many.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn plan(&mut self) {
        let at = |note: &Note| if note.sounds { note.off_at } else { Some(note.on_at) };
        self.next = self.notes.iter().filter_map(at).min();
    }
}

fn is_alike(one: NoteName, other: NoteName) -> bool {
    (one.channel, one.pitch) == (other.channel, other.pitch)
}

/// A host may give the name at either end only.
fn is_same(one: NoteName, other: NoteName) -> bool {
    let names = one.id.zip(other.id);
    is_alike(one, other) && names.is_none_or(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pitch: u8) -> NoteName {
        NoteName { channel: 9, pitch, id: None }
    }

    /// All that is sent until nothing waits; notes that are held stay.
    fn drain(notes: &mut NoteDelay) -> Vec<(u64, bool, u8)> {
        let mut sent = Vec::new();
        while let Some(at) = notes.next_at() {
            notes.send(at, &mut |event| {
                sent.push(match event {
                    DelayedEvent::On(name, _) => (at, true, name.pitch),
                    DelayedEvent::Off(name, _) => (at, false, name.pitch),
                });
            });
        }
        sent
    }

    #[test]
    fn an_early_note_ends_the_one_before_of_its_pitch_first() {
        let mut notes = NoteDelay::new(8);
        notes.begin(name(42), 0.5, 0, 100);
        notes.end(name(42), 0.0, 95);
        notes.begin(name(42), 0.5, 100, 60);
        notes.end(name(42), 0.0, 190);
        assert_eq!(drain(&mut notes), [(100, true, 42), (160, false, 42), (160, true, 42), (250, false, 42)]);
        // One whose turn would be before the one before waits for it.
        notes.begin(name(42), 0.5, 300, 100);
        notes.end(name(42), 0.0, 310);
        notes.begin(name(42), 0.5, 320, 10);
        notes.end(name(42), 0.0, 330);
        let order: Vec<bool> = drain(&mut notes).iter().map(|event| event.1).collect();
        assert_eq!(order, [true, false, true, false]);
    }

    #[test]
    fn notes_of_one_pitch_that_overlap_end_in_the_order_in_which_they_began() {
        let mut notes = NoteDelay::new(8);
        for at in [0, 240] {
            notes.begin(name(60), 0.5, at, 10);
        }
        for at in [480, 720] {
            assert!(notes.end(name(60), 0.0, at));
        }
        assert_eq!(drain(&mut notes), [(10, true, 60), (250, true, 60), (490, false, 60), (730, false, 60)]);
        assert!(!notes.end(name(60), 0.0, 800));
    }

    #[test]
    fn an_end_that_leaves_key_or_channel_open_ends_every_note_that_it_may_mean() {
        let mut notes = NoteDelay::new(8);
        let of = |channel, pitch, id| NoteName { channel, pitch, id };
        for one in [of(0, 60, Some(1)), of(0, 62, Some(2)), of(1, 60, None), of(1, 64, Some(3))] {
            notes.begin(one, 0.5, 0, 10);
        }
        let ended = |notes: &mut NoteDelay, pattern, now| {
            notes.end_all(pattern, 0.0, now);
            drain(notes).into_iter().filter(|event| !event.1).map(|event| event.2).collect::<Vec<_>>()
        };
        let open = NotePattern::default();
        assert_eq!(ended(&mut notes, NotePattern { pitch: Some(60), ..open }, 100), [60, 60]);
        assert_eq!(ended(&mut notes, NotePattern { id: Some(3), ..open }, 200), [64]);
        assert!(ended(&mut notes, NotePattern { channel: Some(3), ..open }, 300).is_empty());
        assert_eq!(ended(&mut notes, open, 400), [62]);
    }

    #[test]
    fn a_cut_ends_what_is_held_and_a_late_end_is_not_sent_again() {
        let mut notes = NoteDelay::new(8);
        notes.begin(name(36), 0.5, 0, 100);
        notes.begin(name(38), 0.5, 50, 90);
        notes.cut(60, 100);
        assert_eq!(drain(&mut notes), [(100, true, 36), (140, true, 38), (150, false, 38), (160, false, 36)]);
        assert!(!notes.end(name(36), 0.0, 200) && notes.next_at().is_none());
    }

    #[test]
    fn a_release_ends_what_sounds_and_drops_what_does_not_yet() {
        let mut notes = NoteDelay::new(2);
        let mut sent = Vec::new();
        for (pitch, at) in [(36, 0), (38, 90), (42, 95)] {
            notes.begin(name(pitch), 0.5, at, 10);
        }
        assert_eq!(notes.lost(), 1);
        notes.send(10, &mut |event| sent.push(event));
        notes.release(&mut |event| sent.push(event));
        assert_eq!(sent, [DelayedEvent::On(name(36), 0.5), DelayedEvent::Off(name(36), 0.0)]);
        assert_eq!((notes.next_at(), notes.n_sounding()), (None, 0));
    }

    #[test]
    fn random_notes_cuts_and_releases_end_each_note_once() {
        let (mut notes, mut open, mut state) = (NoteDelay::new(64), [0i32; 4], 7u32);
        let mut random = |n: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % n
        };
        let mut sent = Vec::new();
        for now in 0..20_000 {
            let pitch = random(4) as u8;
            match random(60) {
                0..6 => notes.begin(name(pitch), 0.5, now, u64::from(random(50))),
                6..12 => _ = notes.end(name(pitch), 0.0, now),
                12 => notes.cut(now, 25),
                13 if random(8) == 0 => notes.release(&mut |event| sent.push(event)),
                _ => {}
            }
            notes.send(now, &mut |event| sent.push(event));
            for event in sent.drain(..) {
                match event {
                    DelayedEvent::On(name, _) => open[usize::from(name.pitch)] += 1,
                    DelayedEvent::Off(name, _) => open[usize::from(name.pitch)] -= 1,
                }
            }
            assert!(open.iter().all(|count| *count >= 0));
        }
        notes.cut(20_000, 0);
        notes.release(&mut |event| sent.push(event));
        assert_eq!(open.iter().sum::<i32>() as usize, sent.len());
    }
}
