//! What `mailbox` is made of. Its tests put loom's in their place, and try every order in which threads can run.

pub(crate) use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};
