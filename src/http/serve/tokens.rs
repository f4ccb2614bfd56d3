//! The numbers under which the poller knows connections, listeners and foreign descriptors.

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A connection, by its key.
    Connection(usize),
    /// A listener, by its index.
    Listener(usize),
    /// A foreign descriptor, by the key that its owner gave.
    Foreign(u32),
    /// Where requests that are out leave letters.
    Post,
    /// Where workers that share the listeners call each other.
    Bell,
}

const LISTENER: u64 = 1 << 62;
const FOREIGN: u64 = 1 << 63;
pub(super) const POST: u64 = LISTENER | FOREIGN;
pub(super) const BELL: u64 = POST | 1;

pub(super) fn connection(key: usize) -> u64 {
    key as u64
}

pub(super) fn listener(index: usize) -> u64 {
    LISTENER | index as u64
}

pub(super) fn foreign(key: u32) -> u64 {
    FOREIGN | u64::from(key)
}

pub(super) fn read(token: u64) -> Token {
    match token {
        POST => Token::Post,
        BELL => Token::Bell,
        token if token & FOREIGN != 0 => Token::Foreign(token as u32),
        token if token & LISTENER != 0 => Token::Listener((token & !LISTENER) as usize),
        key => Token::Connection(key as usize),
    }
}
