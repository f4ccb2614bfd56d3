//! The Linux room: every system call of rcorn, behind safe functions.
//!
//! It knows nothing of rcorn: no settings, no HTTP, no Python. Beside the worker's FFI corner it is the only room
//! with `unsafe`.
#![allow(unsafe_code, reason = "this room exists so that the others need none")]

pub mod clock;
pub mod datagram;
pub mod exec;
pub mod fd;
pub mod inotify;
pub mod journal;
pub mod last_word;
pub mod memory;
mod message;
pub mod notify;
pub mod poll;
pub mod process;
pub mod queues;
pub mod seqpacket;
pub mod shared;
pub mod signal;
pub mod socket;
pub mod spawn;
pub mod spool;
pub mod stream;
pub mod syslog;
pub mod title;
pub mod user;
pub mod waker;

/// Turns the `-1` of a libc call into the error it stands for.
fn checked(result: libc::c_int) -> std::io::Result<libc::c_int> {
    if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}
