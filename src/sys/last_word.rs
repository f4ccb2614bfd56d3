//! The answer that a stuck process still gives: 504, written by a signal handler, to the client whose request is in
//! the application and has got no byte yet.
//!
//! The word below names that client's socket. Whoever takes it out may write to the socket: the process itself when
//! its first byte is ready (`withdraw`), or the handler, whatever code it interrupts. One of them, never both.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{
    AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

/// The socket's number plus one, and the flags below; nought when nobody waits.
static WAITING: AtomicU64 = AtomicU64::new(0);
/// The request was HEAD: the answer has no body.
const HEAD: u64 = 1 << 40;
/// The handler has answered.
const TAKEN: u64 = 1 << 41;

macro_rules! answer {
    () => {
        "HTTP/1.1 504 Gateway Timeout\r\nServer: rcorn\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: 44\r\nConnection: close\r\n\r\n"
    };
}
const ANSWER_HEAD: &[u8] = answer!().as_bytes();
const ANSWER: &[u8] = concat!(answer!(), "the application did not answer within time.\n").as_bytes();

/// The signal that has a stuck worker give its last word. Lower than the one that shows its stacks: it comes first.
pub fn last_word_signal() -> i32 {
    libc::SIGRTMIN() + 6
}

/// A client that waits for its first byte.
#[derive(Debug)]
pub struct Waiting(u64);

impl Waiting {
    /// From now on the handler may answer on this socket.
    pub fn for_answer(socket: BorrowedFd<'_>, is_head: bool) -> Self {
        let word = (socket.as_raw_fd() as u64 + 1) | if is_head { HEAD } else { 0 };
        WAITING.store(word, Release);
        Self(word)
    }

    /// The process answers itself. False when the handler was faster: then nothing may be written any more.
    pub fn withdraw(self) -> bool {
        let taken = WAITING.compare_exchange(self.0, 0, AcqRel, Acquire) == Err(self.0 | TAKEN);
        std::mem::forget(self);
        !taken
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = WAITING.compare_exchange(self.0, 0, AcqRel, Relaxed);
    }
}

extern "C" fn give_last_word(_signal: libc::c_int) {
    let word = WAITING.load(Acquire);
    if word == 0
        || word & TAKEN != 0
        || WAITING.compare_exchange(word, word | TAKEN, AcqRel, Relaxed).is_err()
    {
        return;
    }
    let socket = (word & u64::from(u32::MAX)) as libc::c_int - 1;
    let answer = if word & HEAD != 0 { ANSWER_HEAD } else { ANSWER };
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: `send` and `shutdown` are async-signal-safe, the answer is static, and the socket is open as long as
    // somebody waits for its answer. errno is put back, for the code that was interrupted.
    unsafe {
        let errno = *libc::__errno_location();
        libc::send(socket, answer.as_ptr().cast(), answer.len(), flags);
        libc::shutdown(socket, libc::SHUT_WR);
        *libc::__errno_location() = errno;
    }
}

/// Has the signal answered from now on.
pub fn install() -> io::Result<()> {
    crate::signal::install(last_word_signal(), give_last_word as *const () as libc::sighandler_t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn one_of_both_answers() {
        install().unwrap();
        let (near, mut far) = UnixStream::pair().unwrap();
        assert!(Waiting::for_answer(near.as_fd(), false).withdraw(), "nobody was faster");
        give_last_word(0);
        let waiting = Waiting::for_answer(near.as_fd(), false);
        give_last_word(0);
        give_last_word(0);
        assert!(!waiting.withdraw());
        let mut text = String::new();
        far.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 504 ")
                && head.contains(&format!("Content-Length: {}\r\n", body.len()))
        );
        let (near, mut far) = UnixStream::pair().unwrap();
        let waiting = Waiting::for_answer(near.as_fd(), true);
        give_last_word(0);
        drop(waiting);
        text.clear();
        far.read_to_string(&mut text).unwrap();
        assert!(text.ends_with("\r\n\r\n"), "HEAD has no body");
    }
}
