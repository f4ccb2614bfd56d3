//! The mailbox under loom: every order of the steps of two writers and a loop, and every value that each may see.

mod primitives {
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}

#[path = "mailbox.rs"]
#[expect(clippy::duplicate_mod, reason = "the same source with other primitives")]
mod checked;

use checked::{Mailbox, Repose};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Two exchanges leave a letter each while the loop lies down. If it sleeps then, and has missed a letter, it was woken
/// when `heard`; and never more than once.
fn race(repose: Repose, urgent: bool, eager: bool, heard: bool) {
    let mut model = loom::model::Builder::new();
    // More switches between threads than that find nothing new, and take minutes.
    model.preemption_bound = Some(3);
    model.check(move || {
        let mailbox = Arc::new(Mailbox::default());
        let woken = Arc::new(AtomicUsize::new(0));
        let writers = [1, 2].map(|letter| {
            let (mailbox, woken) = (mailbox.clone(), woken.clone());
            thread::spawn(move || {
                mailbox.put(letter);
                if mailbox.must_wake(urgent) {
                    woken.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        if eager {
            mailbox.be_eager(true);
        }
        let mut letters = Vec::new();
        mailbox.collect(&mut letters);
        let slept = mailbox.lie_down(repose);
        for writer in writers {
            writer.join().unwrap();
        }
        let woken = woken.load(Ordering::Relaxed);
        if slept && letters.len() < 2 && heard {
            assert_eq!(woken, 1, "a letter lies there and nobody comes");
        }
        assert!(woken <= usize::from(heard));
    });
}

#[test]
fn a_sleeping_loop_is_woken_by_any_letter_and_once() {
    race(Repose::Asleep, false, false, true);
}

#[test]
fn a_napping_loop_is_woken_by_an_urgent_letter() {
    race(Repose::Napping, true, false, true);
}

#[test]
fn a_napping_loop_is_not_woken_by_others() {
    race(Repose::Napping, false, false, false);
}

#[test]
fn who_becomes_eager_before_lying_down_is_woken() {
    race(Repose::Napping, false, true, true);
}
