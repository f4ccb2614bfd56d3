//! Time: the monotonic clock that all deadlines use, and the local calendar time that log lines show.

use std::mem::MaybeUninit;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds on the monotonic clock. The same in every process of the machine, so they may cross a fork.
pub fn now() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the kernel fills the timespec; CLOCK_MONOTONIC exists on every Linux, so the call cannot fail.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
        time.assume_init()
    };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Seconds since the epoch, UTC.
pub fn unix_seconds() -> i64 {
    unix_milliseconds().div_euclid(1000)
}

/// Milliseconds since the epoch, UTC.
pub fn unix_milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A moment of the calendar, with its distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The year, as written.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60.
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// Minutes east of UTC.
    pub offset: i32,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Calendar {
    /// `seconds` since the epoch, in the machine's time zone.
    pub fn local(seconds: i64) -> Self {
        let mut parts = MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: localtime_r fills `parts` or leaves the zeroes, both of which are a valid `tm`.
        let parts = unsafe {
            libc::localtime_r(&raw const seconds, parts.as_mut_ptr());
            parts.assume_init()
        };
        Self::from_parts(&parts)
    }

    /// `seconds` since the epoch, in UTC.
    pub fn utc(seconds: i64) -> Self {
        let mut parts = MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: as in `local`.
        let parts = unsafe {
            libc::gmtime_r(&raw const seconds, parts.as_mut_ptr());
            parts.assume_init()
        };
        Self::from_parts(&parts)
    }

    fn from_parts(parts: &libc::tm) -> Self {
        let field = |value: libc::c_int| u32::try_from(value).unwrap_or(0);
        Self {
            year: parts.tm_year + 1900,
            month: field(parts.tm_mon) + 1,
            day: field(parts.tm_mday),
            hour: field(parts.tm_hour),
            minute: field(parts.tm_min),
            second: field(parts.tm_sec),
            weekday: field(parts.tm_wday),
            offset: i32::try_from(parts.tm_gmtoff / 60).unwrap_or(0),
        }
    }

    /// The month as protocols and logs have it: `Nov`.
    pub fn month_name(&self) -> &'static str {
        MONTHS[(self.month.clamp(1, 12) - 1) as usize]
    }

    /// The distance from UTC as `+0100`.
    pub fn zone(&self) -> String {
        let (sign, minutes) = if self.offset < 0 { ('-', -self.offset) } else { ('+', self.offset) };
        format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_of_a_known_second() {
        let moment = Calendar::utc(1_700_000_000);
        assert_eq!((moment.year, moment.month, moment.day), (2023, 11, 14));
        assert_eq!((moment.month_name(), Calendar { month: 0, ..moment }.month_name()), ("Nov", "Jan"));
        assert_eq!((moment.hour, moment.minute, moment.second, moment.weekday), (22, 13, 20, 2));
        assert_eq!(moment.zone(), "+0000");
    }

    #[test]
    fn zones_west_of_utc_have_a_minus() {
        assert_eq!(Calendar { offset: -210, ..Calendar::utc(0) }.zone(), "-0330");
    }

    #[test]
    fn the_clock_does_not_run_backwards() {
        let first = now();
        assert!(now() >= first);
    }
}
