//! The time as access logs show it: `[21/Nov/2026:10:00:00 +0000]`, made once a second.

use sys::clock::{Calendar, unix_seconds};

/// The time, and the second that it is of.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamp {
    second: i64,
    text: String,
}

impl Stamp {
    /// The time of this moment.
    pub(super) fn now(&mut self) -> &str {
        let second = unix_seconds();
        if second != self.second {
            self.text = shown(Calendar::local(second));
            self.second = second;
        }
        &self.text
    }
}

fn shown(moment: Calendar) -> String {
    let Calendar { year, day, hour, minute, second, .. } = moment;
    let month = moment.month_name();
    format!("[{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} {}]", moment.zone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_as_apache_does() {
        assert_eq!(shown(Calendar::utc(1_700_000_000)), "[14/Nov/2023:22:13:20 +0000]");
    }
}
