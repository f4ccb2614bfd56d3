//! Deadlines of many connections, at no cost for those that keep theirs.
//!
//! A wheel holds at most a few entries per connection. A deadline that moves away leaves its entry where it is: when
//! that fires, the connection is asked for its true deadline. So a kept connection that sends one request after
//! another never touches the wheel.

/// Milliseconds of one tick: how late a deadline may be noticed.
const TICK: u64 = 100;
/// Ticks of one turn of the wheel; what lies further away is asked again.
const SLOTS: u64 = 1024;

/// The wheel.
#[derive(Debug)]
pub(super) struct Timers {
    slots: Vec<Vec<usize>>,
    /// The next tick to be looked at.
    next: u64,
    /// No entry lies before this tick; `u64::MAX` when there is none at all.
    soonest: u64,
}

/// The deadline of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deadline {
    /// When it strikes, in milliseconds; nought is never.
    at: u64,
    /// The tick of the entry that counts; nought when there is none.
    entry: u64,
}

impl Timers {
    /// A wheel that starts at `now`.
    pub(super) fn new(now: u64) -> Self {
        Self { slots: vec![Vec::new(); SLOTS as usize], next: now / TICK, soonest: u64::MAX }
    }

    /// Sets the deadline of connection `key` to `at`; nought is never.
    pub(super) fn set(&mut self, key: usize, deadline: &mut Deadline, at: u64) {
        deadline.at = at;
        let tick = (at / TICK + 1).clamp(self.next, self.next + SLOTS - 1);
        if at != 0 && (deadline.entry == 0 || tick < deadline.entry) {
            deadline.entry = tick;
            self.slots[(tick % SLOTS) as usize].push(key);
            self.soonest = self.soonest.min(tick);
        }
    }

    /// When to look again, in milliseconds.
    pub(super) fn next(&self) -> Option<u64> {
        (self.soonest != u64::MAX).then(|| self.soonest * TICK)
    }

    /// The connections whose entries fired by `now`, with the tick of the entry.
    pub(super) fn fired(&mut self, now: u64) -> Vec<(usize, u64)> {
        let last = now / TICK;
        let mut fired = Vec::new();
        if last < self.soonest {
            self.next = last.max(self.next);
            return fired;
        }
        for tick in self.soonest..=last.min(self.soonest + SLOTS - 1) {
            let entries = std::mem::take(&mut self.slots[(tick % SLOTS) as usize]);
            fired.extend(entries.into_iter().map(|key| (key, tick)));
        }
        self.next = last + 1;
        let full = |tick: &u64| !self.slots[(tick % SLOTS) as usize].is_empty();
        self.soonest = (self.next..self.next + SLOTS).find(full).unwrap_or(u64::MAX);
        fired
    }
}

impl Deadline {
    /// An entry of `tick` fired at `now`: has the deadline struck? If not, it is entered again.
    pub(super) fn has_struck(&mut self, (key, tick): (usize, u64), now: u64, timers: &mut Timers) -> bool {
        if self.entry != tick {
            return false;
        }
        self.entry = 0;
        if self.at != 0 && self.at <= now {
            return true;
        }
        timers.set(key, self, self.at);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(timers: &mut Timers, deadline: &mut Deadline, now: u64) -> bool {
        timers.fired(now).into_iter().any(|entry| deadline.has_struck(entry, now, timers))
    }

    #[test]
    fn strikes_after_its_time_and_not_before() {
        let mut timers = Timers::new(50_000);
        let mut deadline = Deadline::default();
        timers.set(1, &mut deadline, 51_000);
        assert!(!struck(&mut timers, &mut deadline, 50_999));
        assert!(struck(&mut timers, &mut deadline, 51_000 + TICK));
    }

    #[test]
    fn moving_away_costs_no_entry() {
        let mut timers = Timers::new(0);
        let mut deadline = Deadline::default();
        for at in 1000..2000 {
            timers.set(1, &mut deadline, at);
        }
        assert_eq!(timers.slots.iter().map(Vec::len).sum::<usize>(), 1);
        assert!(!struck(&mut timers, &mut deadline, 1500));
        assert!(struck(&mut timers, &mut deadline, 2100));
    }

    #[test]
    fn a_nearer_deadline_counts_at_once() {
        let mut timers = Timers::new(0);
        let mut deadline = Deadline::default();
        timers.set(1, &mut deadline, 90_000);
        timers.set(1, &mut deadline, 1000);
        assert!(struck(&mut timers, &mut deadline, 1100));
        timers.set(1, &mut deadline, 95_000);
        assert!(!struck(&mut timers, &mut deadline, 90_200));
        assert!(struck(&mut timers, &mut deadline, 95_200));
    }

    #[test]
    fn beyond_the_wheel() {
        let mut timers = Timers::new(0);
        let mut deadline = Deadline::default();
        timers.set(1, &mut deadline, 1_000_000);
        let mut now = 0;
        while !struck(&mut timers, &mut deadline, now) {
            now = timers.next().unwrap();
            assert!(now < 1_001_000);
        }
        assert!(now >= 1_000_000);
        assert_eq!(timers.next(), None);
    }
}
