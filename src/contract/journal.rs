//! The form of a journal entry (systemd's native protocol): fields that a person can filter by. Values carry their
//! length, so nothing that a client sends can become a field.

use crate::logline::Level;

/// An entry that is being made.
#[derive(Clone, Debug, Default)]
pub struct Entry(Vec<u8>);

impl Entry {
    /// One that matters so much.
    pub fn new(level: Level) -> Self {
        let priority: &[u8] = match level {
            Level::Critical => b"2",
            Level::Error => b"3",
            Level::Warning => b"4",
            Level::Info => b"6",
            Level::Debug => b"7",
        };
        Self::default().field("PRIORITY", priority).field("SYSLOG_IDENTIFIER", b"rcorn")
    }

    /// Adds a field.
    pub fn field(mut self, name: &str, value: &[u8]) -> Self {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
        self
    }

    /// Adds a number.
    pub fn number(self, name: &str, value: u64) -> Self {
        self.field(name, value.to_string().as_bytes())
    }

    /// Adds fields that were made before.
    pub fn all(mut self, fields: &Self) -> Self {
        self.0.extend_from_slice(&fields.0);
        self
    }

    /// As it is sent.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_as_long_as_it_says() {
        let entry = Entry::default().field("MESSAGE", b"a\nPRIORITY=0");
        assert_eq!(entry.bytes(), b"MESSAGE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n");
        assert!(Entry::new(Level::Error).bytes().starts_with(b"PRIORITY\n\x01\0\0\0\0\0\0\x003\n"));
    }
}
