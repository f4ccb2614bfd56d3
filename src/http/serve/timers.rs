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
    /// The tick of the nearest entry of each key; nought where there is none. It outlives the connection, and the
    /// next one with that key uses it: connections that come and go do not fill the wheel.
    nearest: Vec<u64>,
    /// The next tick to be looked at.
    next: u64,
    /// No entry lies before this tick; `u64::MAX` when there is none at all.
    soonest: u64,
}

impl Timers {
    /// A wheel that starts at `now`.
    pub(super) fn new(now: u64) -> Self {
        let slots = vec![Vec::new(); SLOTS as usize];
        Self { slots, nearest: Vec::new(), next: now / TICK, soonest: u64::MAX }
    }

    /// Sees to it that `fired` gives `key` at `at` or before; nought is never.
    pub(super) fn set(&mut self, key: usize, at: u64) {
        if at == 0 {
            return;
        }
        if self.nearest.len() <= key {
            self.nearest.resize(key + 1, 0);
        }
        let tick = (at / TICK + 1).clamp(self.next, self.next + SLOTS - 1);
        let nearest = &mut self.nearest[key];
        if *nearest == 0 || tick < *nearest {
            *nearest = tick;
            self.slots[(tick % SLOTS) as usize].push(key);
            self.soonest = self.soonest.min(tick);
        }
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// When to look again, in milliseconds.
    pub(super) fn next(&self) -> Option<u64> {
        (self.soonest != u64::MAX).then(|| self.soonest * TICK)
    }

    /// The keys whose entries fired by `now`. They have none any more: whose deadline is still to come must be set
    /// again.
    pub(super) fn fired(&mut self, now: u64) -> Vec<usize> {
        let last = now / TICK;
        let mut fired = Vec::new();
        if last < self.soonest {
            self.next = last.max(self.next);
            return fired;
        }
        for tick in self.soonest..=last.min(self.soonest + SLOTS - 1) {
            for key in std::mem::take(&mut self.slots[(tick % SLOTS) as usize]) {
                // An entry that a nearer one replaced counts no more.
                if self.nearest[key] == tick {
                    self.nearest[key] = 0;
                    fired.push(key);
                }
            }
        }
        self.next = last + 1;
        let full = |tick: &u64| !self.slots[(tick % SLOTS) as usize].is_empty();
        self.soonest = (self.next..self.next + SLOTS).find(full).unwrap_or(u64::MAX);
        fired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the loop uses it: a deadline that has not struck is set again.
    fn struck(timers: &mut Timers, at: u64, now: u64) -> bool {
        let fired = timers.fired(now);
        if at > now {
            fired.iter().for_each(|key| timers.set(*key, at));
        }
        !fired.is_empty() && at <= now
    }

    #[test]
    fn strikes_after_its_time_and_not_before() {
        let mut timers = Timers::new(50_000);
        timers.set(1, 51_000);
        assert!(!struck(&mut timers, 51_000, 50_999));
        assert!(struck(&mut timers, 51_000, 51_000 + TICK));
    }

    #[test]
    fn moving_away_costs_no_entry() {
        let mut timers = Timers::new(0);
        for at in 1000..2000 {
            timers.set(1, at);
        }
        assert_eq!(timers.entries(), 1);
        assert!(!struck(&mut timers, 1999, 1500));
        assert!(struck(&mut timers, 1999, 2100));
    }

    #[test]
    fn a_nearer_deadline_counts_at_once() {
        let mut timers = Timers::new(0);
        timers.set(1, 90_000);
        timers.set(1, 1000);
        assert!(struck(&mut timers, 1000, 1100));
        timers.set(1, 95_000);
        assert!(!struck(&mut timers, 95_000, 90_200));
        assert!(struck(&mut timers, 95_000, 95_200));
        assert_eq!(timers.entries(), 0);
    }

    #[test]
    fn connections_that_come_and_go_share_an_entry() {
        let mut timers = Timers::new(0);
        for begun in 0..900 {
            timers.set(4, begun + 30_000);
        }
        assert_eq!(timers.entries(), 1);
        timers.set(5, 0);
        assert_eq!(timers.entries(), 1);
    }

    #[test]
    fn beyond_the_wheel() {
        let mut timers = Timers::new(0);
        timers.set(1, 1_000_000);
        let mut now = 0;
        while !struck(&mut timers, 1_000_000, now) {
            now = timers.next().unwrap();
            assert!(now < 1_001_000);
        }
        assert!(now >= 1_000_000);
        assert_eq!(timers.next(), None);
    }
}
