//! What crosses between arbiter, zygote and worker: types only, no policy.
//!
//! Both sides of every wall are built from these, so a field that one side forgets is a compile error on the other.
#![forbid(unsafe_code)]

pub mod access;
pub mod base64;
pub mod channel;
pub mod control;
pub mod descriptors;
pub mod evaluation;
pub mod exit;
pub mod id;
pub mod journal;
pub mod logline;
pub mod message;
pub mod network;
pub mod record;
pub mod scoreboard;
pub mod settings;
pub mod statsd;
pub mod syslog;

/// The version of everything in this crate. After an upgrade a new arbiter looks after zygotes and workers of the
/// former version until they have left. So what changes within a version is only ever added: messages that the other
/// side does not know are passed over, and so are fields; a closed channel means the same in all versions. What cannot
/// be done like that takes a new number: a scoreboard of another version is not read, an extension of another version
/// refuses to be a zygote.
pub const VERSION: u32 = 1;
