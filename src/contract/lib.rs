//! What crosses between arbiter, zygote and worker: types only, no policy.
//!
//! Both sides of every wall are built from these, so a field that one side forgets is a compile error on the other.
#![forbid(unsafe_code)]

pub mod channel;
pub mod descriptors;
pub mod exit;
pub mod id;
pub mod logline;
pub mod message;
pub mod network;
pub mod scoreboard;
pub mod settings;

/// The version of everything in this crate. An arbiter talks to workers of its own version.
pub const VERSION: u32 = 1;
