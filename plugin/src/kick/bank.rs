//! Rendered kicks, as the worker hands them to the audio thread, and as that hands them back.

use crate::loading::Mailbox;

/// Kicks that are ready to play.
#[derive(Debug, Default)]
pub(super) struct Bank {
    /// Hits play them in turn. Each ends with a sample of 0.
    pub(super) kicks: Vec<Vec<f32>>,
    /// Samples of a kick for one of the host: 1, unless the renderer does not have the host's rate.
    pub(super) step: f64,
    /// Whether it is played as soon as it arrives: a hand in the editor has taken it.
    pub(super) is_heard_at_once: bool,
    /// Those that were handed back before this one.
    before: Option<Box<Bank>>,
}

impl Bank {
    /// Of kicks, which end with their last sound, so that their voices and notes do too.
    pub(super) fn new(mut kicks: Vec<Vec<f32>>, step: f64, is_heard_at_once: bool) -> Bank {
        for kick in &mut kicks {
            kick.truncate(sounding(kick) + 1);
            kick.shrink_to_fit();
        }
        Bank { kicks, step, is_heard_at_once, before: None }
    }
}

/// Samples until the last that is not silent.
pub(super) fn sounding(kick: &[f32]) -> usize {
    kick.iter().rposition(|sample| *sample != 0.0).map_or(0, |last| last + 1)
}

/// The way from the worker to the audio thread, and back.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    fresh: Mailbox<Bank>,
    spent: Mailbox<Bank>,
}

impl Exchange {
    /// Offers a bank in place of one that was not taken yet, and frees those that came back. This is for the worker.
    pub(super) fn offer(&self, mut bank: Bank) {
        let missed = self.fresh.take();
        bank.is_heard_at_once |= missed.is_some_and(|missed| missed.is_heard_at_once);
        drop(self.fresh.put(Box::new(bank)));
        let mut spent = self.spent.take();
        while let Some(mut bank) = spent {
            spent = bank.before.take();
        }
    }

    /// The latest bank, if there is a new one. This is for the audio thread.
    pub(super) fn take(&self) -> Option<Box<Bank>> {
        self.fresh.take()
    }

    /// Hands a bank back. This is for the audio thread.
    pub(super) fn give_back(&self, mut bank: Box<Bank>) {
        bank.before = self.spent.take();
        // Only this thread puts anything in, so nothing is there.
        let _ = self.spent.put(bank);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bank, Exchange};

    #[test]
    fn kicks_end_with_one_sample_of_silence() {
        let bank = Bank::new(vec![vec![1.0, 0.0, 0.5, 0.0, 0.0, 0.0], vec![0.0; 9], vec![]], 1.0, false);
        assert_eq!(bank.kicks, [vec![1.0, 0.0, 0.5, 0.0], vec![0.0], vec![]]);
    }

    #[test]
    fn the_latest_bank_is_taken_and_a_wish_to_hear_it_is_not_lost() {
        let exchange = Exchange::default();
        let bank = |value: f32| Bank::new(vec![vec![value]], 1.0, value == 1.0);
        exchange.offer(bank(1.0));
        exchange.offer(bank(2.0));
        let taken = exchange.take().unwrap();
        assert!(taken.kicks[0][0] == 2.0 && taken.is_heard_at_once && exchange.take().is_none());
        exchange.give_back(taken);
        exchange.give_back(Box::new(bank(3.0)));
        exchange.offer(bank(4.0));
        assert!(exchange.spent.take().is_none());
    }
}
