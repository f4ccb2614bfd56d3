//! The answer that a stuck process still gives: 504, written by a signal handler, to a client whose request is in
//! the application and has got no byte yet.
//!
//! A process has a lane for each request that it is in, as far as there are any. The word of a lane names the client's
//! socket.
//! Whoever takes it out may write to the socket: the thread in that lane when its first byte is ready (`withdraw`), or
//! the handler, whatever code it interrupts. One of them, never both.

use crate::checked;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

/// The most lanes of a process.
pub const LANES: usize = 4096;

/// The socket's number plus one, and the flags below; nought when nobody waits.
static WAITING: [AtomicU64; LANES] = [const { AtomicU64::new(0) }; LANES];
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

/// The status of that answer.
pub const STATUS: u16 = 504;
/// The length of its body.
pub const LENGTH: u64 = 44;
const _: () = assert!(ANSWER.len() - ANSWER_HEAD.len() == LENGTH as usize, "what Content-Length says");

/// Where it is noted what the handler has answered, for each lane.
static NOTES: OnceLock<Vec<&'static AtomicU64>> = OnceLock::new();

/// The signal that has a stuck process give its last word. Lower than the one that shows its stacks: it comes first.
fn last_word_signal() -> i32 {
    libc::SIGRTMIN() + 6
}

/// Stands for all lanes.
const ALL: usize = usize::MAX;

/// Has the process answer the client of the request in this lane.
pub fn ask_for(pid: i32, lane: u32) -> io::Result<()> {
    ask(pid, lane as usize)
}

/// Has the process answer everybody who waits for a first byte.
pub fn ask_for_all(pid: i32) -> io::Result<()> {
    ask(pid, ALL)
}

fn ask(pid: i32, lanes: usize) -> io::Result<()> {
    let value = libc::sigval { sival_ptr: lanes as *mut libc::c_void };
    // SAFETY: the kernel copies the value; nobody takes it for a pointer.
    checked(unsafe { libc::sigqueue(pid, last_word_signal(), value) }).map(drop)
}

/// A client that waits for its first byte.
#[derive(Debug)]
pub struct Waiting {
    place: &'static AtomicU64,
    word: u64,
}

impl Waiting {
    /// From now on the handler may answer on this socket. Each lane is one request's at a time.
    pub fn for_answer(lane: usize, socket: BorrowedFd<'_>, is_head: bool) -> Self {
        let place = &WAITING[lane.min(LANES - 1)];
        let word = (socket.as_raw_fd() as u64 + 1) | if is_head { HEAD } else { 0 };
        place.store(word, Release);
        Self { place, word }
    }

    /// The process answers itself. False when the handler was faster: then nothing may be written any more.
    pub fn withdraw(self) -> bool {
        let taken = self.place.compare_exchange(self.word, 0, AcqRel, Acquire) == Err(self.word | TAKEN);
        std::mem::forget(self);
        !taken
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.place.compare_exchange(self.word, 0, AcqRel, Relaxed);
    }
}

extern "C" fn give_last_word(_: libc::c_int, info: *const libc::siginfo_t, _: *const libc::c_void) {
    // SAFETY: the kernel gives every handler with SA_SIGINFO a valid one; the value counts where there is one.
    let lane = unsafe {
        if info.is_null() || (*info).si_code != libc::SI_QUEUE {
            0
        } else {
            (*info).si_value().sival_ptr as usize
        }
    };
    give_to(lane);
}

/// Has the client of the request in this lane answered now: what the signal does, for a process that can still act.
pub fn give(lane: u32) {
    give_to(lane as usize);
}

/// Async-signal-safe.
fn give_to(lanes: usize) {
    if lanes == ALL { (0..LANES).for_each(answer) } else { answer(lanes) }
}

/// Async-signal-safe.
fn answer(lane: usize) {
    let Some(place) = WAITING.get(lane) else { return };
    let word = place.load(Acquire);
    if word == 0 || word & TAKEN != 0 || place.compare_exchange(word, word | TAKEN, AcqRel, Relaxed).is_err()
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
        if libc::send(socket, answer.as_ptr().cast(), answer.len(), flags) > 0 {
            note(lane, word & HEAD != 0);
        }
        libc::shutdown(socket, libc::SHUT_WR);
        *libc::__errno_location() = errno;
    }
}

/// Async-signal-safe.
fn note(lane: usize, is_head: bool) {
    if let Some(place) = NOTES.get().and_then(|notes| notes.get(lane)) {
        place.store(u64::from(STATUS) | if is_head { 0 } else { LENGTH << 16 }, Relaxed);
    }
}

/// What a note says: the status, and the length of the body.
pub fn read_note(note: u64) -> (u16, u64) {
    (note as u16, note >> 16)
}

/// Has the signal answered from now on. What was answered in each lane is noted in `notes`.
pub fn install(notes: Vec<&'static AtomicU64>) -> io::Result<()> {
    let _ = NOTES.set(notes);
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a zeroed sigaction is valid; the handler is async-signal-safe, and has the form that SA_SIGINFO asks for.
    unsafe {
        let action = action.assume_init_mut();
        action.sa_sigaction = give_last_word as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO;
        checked(libc::sigaction(last_word_signal(), action, std::ptr::null_mut())).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    static NOTED: [AtomicU64; 6] = [const { AtomicU64::new(0) }; 6];

    /// Asks this very process, and waits until the handler has run.
    fn ask_and_wait(lane: u32, taken: bool) {
        ask_for(crate::process::own_pid(), lane).unwrap();
        // A second signal is not handled before the first one, whichever thread it is that handles them.
        wait_until(|| !taken || WAITING[lane as usize].load(Acquire) & TAKEN != 0);
    }

    fn wait_until(is_so: impl Fn() -> bool) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !is_so() {
            assert!(std::time::Instant::now() < deadline, "nobody answers");
            std::thread::yield_now();
        }
    }

    /// The lanes are those of the process, and one test asks all.
    fn alone() -> std::sync::MutexGuard<'static, ()> {
        static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[test]
    fn one_of_both_answers() {
        install(NOTED.iter().collect()).unwrap();
        let _alone = alone();
        let (near, mut far) = UnixStream::pair().unwrap();
        assert!(Waiting::for_answer(3, near.as_fd(), false).withdraw(), "nobody was faster");
        ask_and_wait(3, false);
        let (other_near, mut other_far) = UnixStream::pair().unwrap();
        let other = Waiting::for_answer(4, other_near.as_fd(), false);
        let waiting = Waiting::for_answer(3, near.as_fd(), false);
        ask_and_wait(3, true);
        ask_and_wait(3, true);
        assert!(!waiting.withdraw());
        let mut text = String::new();
        far.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 504 ")
                && head.contains(&format!("Content-Length: {}\r\n", body.len()))
        );
        assert_eq!(read_note(NOTED[3].load(Relaxed)), (STATUS, LENGTH));
        assert_eq!(NOTED[4].load(Relaxed), 0);
        assert!(other.withdraw(), "another lane is another request");
        drop(other_near);
        text.clear();
        assert_eq!(other_far.read_to_string(&mut text).unwrap(), 0);
    }

    #[test]
    fn everybody_who_waits_is_answered() {
        install(NOTED.iter().collect()).unwrap();
        let _alone = alone();
        let pairs: Vec<_> = [7, 4000].map(|lane| (lane, UnixStream::pair().unwrap())).into();
        let asked = |lane: usize| WAITING[lane].load(Acquire) & TAKEN != 0;
        let waiting: Vec<_> =
            pairs.iter().map(|(lane, (near, _))| Waiting::for_answer(*lane, near.as_fd(), false)).collect();
        ask_for_all(crate::process::own_pid()).unwrap();
        wait_until(|| asked(7) && asked(4000));
        drop(waiting);
        for (_, (_, mut far)) in pairs {
            let mut text = String::new();
            far.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("HTTP/1.1 504 "));
        }
    }

    #[test]
    fn head_has_no_body() {
        install(NOTED.iter().collect()).unwrap();
        let _alone = alone();
        let (near, mut far) = UnixStream::pair().unwrap();
        let waiting = Waiting::for_answer(5, near.as_fd(), true);
        ask_and_wait(5, true);
        drop(waiting);
        let mut text = String::new();
        far.read_to_string(&mut text).unwrap();
        assert_eq!(read_note(NOTED[5].load(Relaxed)), (STATUS, 0));
        assert!(text.starts_with("HTTP/1.1 504 ") && text.ends_with("\r\n\r\n"));
    }
}
