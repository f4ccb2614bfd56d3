//! The body of a request that was handed over before it was complete: the loop pours in, the application takes out.
//!
//! While much of it waits for the application, nothing more is read from the client.

use super::{Letter, Post};
use crate::refusal::Refusal;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// When so much waits for the application, the client has to wait.
const HIGH_WATER: usize = 64 * 1024;
/// When no more than this is left, the client may go on.
const LOW_WATER: usize = 16 * 1024;

/// What the application gets of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// The next bytes; never none.
    Bytes(Vec<u8>),
    /// None have arrived yet.
    Pending,
    /// There are no more.
    End,
}

/// A body on its way.
#[derive(Debug)]
pub struct Inflow {
    key: usize,
    post: Arc<Post>,
    flowing: Mutex<Flowing>,
    stirred: Condvar,
}

#[derive(Debug, Default)]
struct Flowing {
    bytes: Vec<u8>,
    /// So many of them were taken.
    taken: usize,
    end: Option<Result<(), Refusal>>,
    /// The client waits to be told that it may send the body.
    expects: bool,
    held_up: bool,
    /// The exchange has ended: nobody takes anything any more.
    abandoned: bool,
}

impl Flowing {
    fn waiting(&self) -> usize {
        self.bytes.len() - self.taken
    }

    fn take(&mut self, most: usize) -> Vec<u8> {
        if self.taken == 0 && self.bytes.len() <= most {
            return std::mem::take(&mut self.bytes);
        }
        let end = self.taken + most.min(self.waiting());
        let piece = self.bytes[self.taken..end].to_vec();
        self.taken = end;
        if self.taken == self.bytes.len() {
            (self.bytes, self.taken) = (Vec::new(), 0);
        }
        piece
    }
}

impl Inflow {
    pub(crate) fn new(key: usize, post: Arc<Post>, expects: bool) -> Self {
        let flowing = Mutex::new(Flowing { expects, ..Flowing::default() });
        Self { key, post, flowing, stirred: Condvar::new() }
    }

    fn flowing(&self) -> MutexGuard<'_, Flowing> {
        self.flowing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up to `most` bytes, as many as are here. An error says why the body will never be complete.
    pub fn take(&self, most: usize) -> Result<Piece, Refusal> {
        let mut flowing = self.flowing();
        if flowing.abandoned {
            return Err(Refusal::bad("the request of this body is over"));
        }
        if flowing.waiting() == 0 {
            return match flowing.end {
                None => Ok(Piece::Pending),
                Some(Ok(())) => Ok(Piece::End),
                Some(Err(refusal)) => Err(refusal),
            };
        }
        if most == 0 {
            return Ok(Piece::Pending);
        }
        let piece = flowing.take(most);
        if flowing.held_up && flowing.waiting() <= LOW_WATER {
            flowing.held_up = false;
            drop(flowing);
            self.post.leave(Letter::More(self.key), true);
        }
        Ok(Piece::Bytes(piece))
    }

    /// Blocks until `take` would not say `Pending`: for applications with a thread for each request.
    pub fn wait(&self) {
        let mut flowing = self.flowing();
        while flowing.waiting() == 0 && flowing.end.is_none() && !flowing.abandoned {
            flowing = self.stirred.wait(flowing).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// True once, before the first bytes: the client waits for `100 Continue`, see `Reply::go_on`.
    pub fn expects_continue(&self) -> bool {
        std::mem::take(&mut self.flowing().expects)
    }

    /// Has all of it arrived?
    pub(crate) fn is_complete(&self) -> bool {
        self.flowing().end == Some(Ok(()))
    }

    /// Why it will never be complete.
    pub fn refusal(&self) -> Option<Refusal> {
        self.flowing().end?.err()
    }

    /// Loop: bytes have arrived.
    pub(crate) fn pour(&self, bytes: &[u8]) {
        let mut flowing = self.flowing();
        // A client that does not wait for its `100 Continue` does not need it.
        flowing.expects = false;
        if !flowing.abandoned {
            flowing.bytes.extend_from_slice(bytes);
            self.stirred.notify_one();
        }
    }

    /// Loop: does so much wait that the client has to? Then it has to until the application asks for more: whoever was
    /// told so once waits for that letter.
    pub(crate) fn is_full(&self) -> bool {
        let mut flowing = self.flowing();
        flowing.held_up |= flowing.waiting() >= HIGH_WATER;
        flowing.held_up
    }

    /// Loop: is it the application that has to do something, not the client?
    pub(crate) fn awaits_application(&self) -> bool {
        let flowing = self.flowing();
        flowing.held_up || flowing.expects
    }

    /// Loop: that was all of it, or there will never be more.
    pub(crate) fn end(&self, how: Result<(), Refusal>) {
        self.flowing().end.get_or_insert(how);
        self.stirred.notify_one();
    }

    /// The exchange has ended.
    pub(crate) fn abandon(&self) {
        let mut flowing = self.flowing();
        flowing.abandoned = true;
        (flowing.bytes, flowing.taken) = (Vec::new(), 0);
        self.stirred.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::away::Repose;

    fn inflow(expects: bool) -> (Arc<Post>, Inflow) {
        let post = Arc::new(Post::new().unwrap());
        (Arc::clone(&post), Inflow::new(7, post, expects))
    }

    #[test]
    fn pieces_come_out_as_they_went_in() {
        let (_, inflow) = inflow(false);
        assert_eq!(inflow.take(9), Ok(Piece::Pending));
        inflow.pour(b"abcdef");
        assert_eq!(inflow.take(2), Ok(Piece::Bytes(b"ab".to_vec())));
        inflow.pour(b"gh");
        inflow.end(Ok(()));
        assert_eq!(inflow.take(100), Ok(Piece::Bytes(b"cdefgh".to_vec())));
        assert_eq!(inflow.take(100), Ok(Piece::End));
    }

    #[test]
    fn an_error_comes_behind_what_was_good() {
        let (_, inflow) = inflow(false);
        inflow.pour(b"abc");
        inflow.end(Err(Refusal::bad("torn")));
        inflow.end(Ok(()));
        assert_eq!(inflow.take(100), Ok(Piece::Bytes(b"abc".to_vec())));
        assert_eq!(inflow.take(100), Err(Refusal::bad("torn")));
    }

    #[test]
    fn who_held_up_the_client_asks_for_more_once() {
        let (post, inflow) = inflow(false);
        inflow.pour(&[0; HIGH_WATER]);
        assert!(inflow.is_full() && inflow.awaits_application());
        let _ = inflow.take(HIGH_WATER / 2).unwrap();
        assert!(post.mailbox.lie_down(Repose::Asleep), "much is still there");
        assert!(inflow.is_full(), "nobody has asked for more");
        let _ = inflow.take(HIGH_WATER).unwrap();
        assert!(!inflow.is_full());
        let _ = inflow.take(1).unwrap();
        let mut letters = Vec::new();
        post.mailbox.collect(&mut letters);
        assert!(matches!(letters[..], [Letter::More(7)]), "{letters:?}");
    }

    #[test]
    fn the_client_is_asked_once_and_not_when_it_did_not_wait() {
        let (_, patient) = inflow(true);
        assert!(patient.awaits_application());
        assert!(patient.expects_continue() && !patient.expects_continue());
        let (_, impatient) = inflow(true);
        impatient.pour(b"x");
        assert!(!impatient.expects_continue());
    }

    #[test]
    fn who_waits_hears_of_bytes_and_of_the_end() {
        let (_, inflow) = inflow(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                inflow.wait();
                let first = inflow.take(9);
                inflow.wait();
                (first, inflow.take(9))
            });
            inflow.pour(b"abc");
            while inflow.flowing().waiting() > 0 {
                std::thread::yield_now();
            }
            inflow.end(Ok(()));
            assert_eq!(reader.join().unwrap(), (Ok(Piece::Bytes(b"abc".to_vec())), Ok(Piece::End)));
        });
    }

    #[test]
    fn nobody_takes_what_was_abandoned() {
        let (_, inflow) = inflow(false);
        inflow.pour(b"abc");
        inflow.abandon();
        inflow.pour(b"def");
        assert!(inflow.take(9).is_err() && inflow.flowing().bytes.is_empty());
    }
}
