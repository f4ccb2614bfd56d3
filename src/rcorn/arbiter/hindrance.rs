//! Why something could not be: a sentence for a person, and the kernel's number for it where there is one, for systemd.

use std::fmt;
use std::io;
use std::ops::Deref;

/// A sentence, and a number of errno(3) or nought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hindrance {
    text: String,
    errno: i32,
}

impl Hindrance {
    /// What the kernel refused, in our words.
    pub(crate) fn of(text: String, error: &io::Error) -> Self {
        Self { text, errno: error.raw_os_error().unwrap_or(0) }
    }

    /// The number.
    pub(crate) fn errno(&self) -> Option<u32> {
        u32::try_from(self.errno).ok().filter(|number| *number != 0)
    }
}

impl From<String> for Hindrance {
    fn from(text: String) -> Self {
        Self { text, errno: 0 }
    }
}

impl From<&str> for Hindrance {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Hindrance> for String {
    fn from(why: Hindrance) -> Self {
        why.text
    }
}

impl Deref for Hindrance {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
