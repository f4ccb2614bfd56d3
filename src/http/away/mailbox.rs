//! Letters for a loop that sleeps: none is lost, and few wake it.
//!
//! Waking costs as much as a third of a small request, so a letter that can wait does not wake a loop that naps: it
//! wakes by itself soon. One that sleeps for longer is woken by every letter. Knows nothing of what the letters say.

use super::primitives::{AtomicU8, AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError};

/// How the loop rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Repose {
    /// It does not: it will look into the box before it does.
    Awake = 0,
    /// It wakes soon, whatever happens.
    Napping = 1,
    /// It may wake late.
    Asleep = 2,
}

/// The box.
#[derive(Debug)]
pub(crate) struct Mailbox<L> {
    letters: Mutex<Vec<L>>,
    repose: AtomicU8,
    /// How many reasons there are to take every letter for urgent.
    eager: AtomicUsize,
}

impl<L> Default for Mailbox<L> {
    fn default() -> Self {
        let (letters, eager) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
        Self { letters, repose: AtomicU8::new(Repose::Awake as u8), eager }
    }
}

impl<L> Mailbox<L> {
    fn letters(&self) -> MutexGuard<'_, Vec<L>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Anybody: puts a letter in. To be followed by `must_wake`.
    pub(crate) fn put(&self, letter: L) {
        self.letters().push(letter);
    }

    /// Anybody, behind `put`: does the loop have to be woken? One caller hears so.
    ///
    /// The lock of `put` and that of `lie_down` order the rest: either the letter was seen there, or the state that
    /// was stored before is seen here.
    pub(crate) fn must_wake(&self, urgent: bool) -> bool {
        let urgent = urgent || self.eager.load(Ordering::Relaxed) > 0;
        let least = if urgent { Repose::Napping } else { Repose::Asleep } as u8;
        let repose = self.repose.load(Ordering::Relaxed);
        let awake = Repose::Awake as u8;
        repose >= least
            && self.repose.compare_exchange(repose, awake, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Loop only: there is one reason more, or less, to hear of every letter at once.
    pub(crate) fn be_eager(&self, eager: bool) {
        if eager {
            self.eager.fetch_add(1, Ordering::Relaxed);
        } else {
            self.eager.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Loop only: may it rest so? Not while there are letters.
    pub(crate) fn lie_down(&self, repose: Repose) -> bool {
        self.repose.store(repose as u8, Ordering::Relaxed);
        let nothing = self.letters().is_empty();
        if !nothing {
            self.get_up();
        }
        nothing
    }

    /// Loop only: it is awake.
    pub(crate) fn get_up(&self) {
        self.repose.store(Repose::Awake as u8, Ordering::Relaxed);
    }

    /// Loop only: moves all letters behind those in `to`.
    pub(crate) fn collect(&self, to: &mut Vec<L>) {
        to.append(&mut self.letters());
    }
}
