//! Answers about the beats to come, from a worker beside the audio thread.

use neurdsp_rt::inference::{Inference, Job};

use super::clock::Spot;

/// Answers that are kept: those of the beat that plays, of its neighbours, and of a loop's start.
const KEPT: usize = 4;

/// An answer about a beat.
pub(super) trait OfBeat: Copy {
    /// The beat, as it was asked.
    fn beat(&self) -> i64;
}

/// When and about what to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// The beat, counted on through the end of a loop.
    pub(super) beat: i64,
    /// The sample of the block at which it is asked, and that of the whole stream.
    pub(super) sample: usize,
    pub(super) now: u64,
    /// Samples after which the answer counts.
    pub(super) due_in: u64,
    pub(super) quarter_us: u32,
}

/// The answers of one worker.
pub(super) struct Tables<J: Job> {
    inference: Inference<J>,
    kept: [Option<J::Answer>; KEPT],
    next: usize,
    last_due: i64,
}

impl<J: Job> Tables<J>
where
    J::Answer: OfBeat,
{
    pub(super) fn new(inference: Inference<J>) -> Tables<J> {
        Tables { inference, kept: [None; KEPT], next: 0, last_due: i64::MIN }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.inference.set_offline(is_offline);
    }

    /// Forgets what was asked: the song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.inference.restart();
        (self.kept, self.last_due) = ([None; KEPT], i64::MIN);
    }

    /// Asks a question.
    pub(super) fn ask(&mut self, question: &J::Request, ask: &Ask) {
        // Steps must not fall, whatever the tempo does.
        self.last_due = self.last_due.max((ask.now + ask.due_in) as i64);
        self.inference.submit(question, self.last_due);
    }

    /// What `play` finds at a spot, which it is given in beats: by the answer about its beat, or else about the next one.
    pub(super) fn find<R>(
        &mut self,
        spot: &Spot,
        now: u64,
        play: impl Fn(&J::Answer, f64) -> Option<R>,
    ) -> Option<R> {
        let [first, second] = spot.beats;
        let found = self.get(first, now).map(|answer| play(answer, spot.at))?;
        found.or_else(|| self.get(second, now).and_then(|answer| play(answer, spot.at - 1.0)))
    }

    /// The answer about a beat, of those that are due now.
    fn get(&mut self, beat: i64, now: u64) -> Option<&J::Answer> {
        while let Some((_, answer)) = self.inference.due(now as i64) {
            let Ok(answer) = answer else { continue };
            let same = |kept: &Option<J::Answer>| kept.is_some_and(|kept| kept.beat() == answer.beat());
            let same = self.kept.iter().position(same);
            self.kept[same.unwrap_or(self.next)] = Some(answer);
            if same.is_none() {
                self.next = (self.next + 1) % KEPT;
            }
        }
        self.kept.iter().flatten().find(|kept| kept.beat() == beat)
    }
}
