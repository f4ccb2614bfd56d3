//! The end of what was sent or received compressed so far: what the next message may refer to (RFC 7692, 7.1.1).
//!
//! It is all that a connection keeps of its compression between two messages. The state of the compressor itself,
//! which is forty times as large, is its thread's.

/// The last bytes, as many as fit into the window.
#[derive(Debug, Default)]
pub(crate) struct History {
    bytes: Vec<u8>,
    most: usize,
}

impl History {
    /// Of a window of `1 << bits` bytes, or of none where no context is taken over.
    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { bytes: Vec::new(), most: if takeover { 1 << bits } else { 0 } }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A message was compressed.
    pub(crate) fn push(&mut self, message: &[u8]) {
        let new = &message[message.len().saturating_sub(self.most)..];
        let length = (self.bytes.len() + new.len()).min(self.most);
        self.bytes.drain(..self.bytes.len() + new.len() - length);
        if self.bytes.capacity() < length {
            // Twice as much, as a vector does, but never more than the window.
            let wanted = (2 * self.bytes.capacity()).clamp(length, self.most);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(new);
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn it_is_the_end_of_everything() {
        let mut history = History::new(9, true);
        let mut all = Vec::new();
        for length in [0, 1, 100, 300, 200, 3, 512, 511, 513, 2000, 7] {
            let message: Vec<u8> = (0..length).map(|index| (index * 7 + length) as u8).collect();
            history.push(&message);
            all.extend(message);
            assert_eq!(history.bytes(), &all[all.len().saturating_sub(512)..]);
            assert!(history.bytes.capacity() <= 512);
        }
    }

    #[test]
    fn nothing_without_takeover() {
        let mut history = History::new(15, false);
        history.push(b"hello");
        assert_eq!((history.bytes(), history.bytes.capacity()), (&b""[..], 0));
    }
}
