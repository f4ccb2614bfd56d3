//! How much was done within the last minute: sums over all workers, taken every few seconds, and their differences.

use contract::control::Rates;
use contract::scoreboard::{BUCKETS, SlotView, Word};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// Sums over all workers, those that are gone included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Totals {
    /// Requests that reached the application.
    pub(crate) answered: u64,
    /// Requests that did not.
    pub(crate) refused: u64,
    /// Requests among the answered whose response is not whole.
    pub(crate) aborted: u64,
    /// Responses by class, 1xx to 5xx.
    pub(crate) by_class: [u64; 5],
    /// Bytes of their bodies.
    pub(crate) sent: u64,
    /// Nanoseconds in the application, and their histogram.
    pub(crate) busy: u64,
    pub(crate) latency: [u64; BUCKETS],
    /// Nanoseconds before that, and theirs.
    pub(crate) waited: u64,
    pub(crate) queued: [u64; BUCKETS],
}

impl Totals {
    /// Adds what one worker did.
    pub(crate) fn add(&mut self, slot: &SlotView<'_>) {
        self.add_all(&Self {
            answered: slot.get(Word::Requests),
            refused: slot.get(Word::Refused),
            aborted: slot.get(Word::Aborted),
            by_class: slot.by_class(),
            sent: slot.get(Word::Sent),
            busy: slot.get(Word::Busy),
            latency: slot.latency(),
            waited: slot.get(Word::Waited),
            queued: slot.queued(),
        });
    }

    /// Adds what others did.
    pub(crate) fn add_all(&mut self, other: &Self) {
        self.answered += other.answered;
        self.refused += other.refused;
        self.aborted += other.aborted;
        add(&mut self.by_class, &other.by_class);
        self.sent += other.sent;
        self.busy += other.busy;
        add(&mut self.latency, &other.latency);
        self.waited += other.waited;
        add(&mut self.queued, &other.queued);
    }

    /// Requests that were answered or refused.
    pub(crate) fn handled(&self) -> u64 {
        self.answered + self.refused
    }
}

fn add<const N: usize>(sums: &mut [u64; N], counts: &[u64; N]) {
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

/// The samples of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    /// When it all began, in seconds since 1970.
    pub(crate) started: f64,
    /// What workers did that are gone.
    pub(crate) gone: Totals,
    samples: VecDeque<(u64, Totals)>,
}

const MINUTE: u64 = 60_000_000_000;

impl Meters {
    /// It all began then, and those who are gone did so much.
    pub(crate) fn since(started: f64, gone: Totals) -> Self {
        Self { started, gone, samples: VecDeque::new() }
    }

    /// Notes the sums at a time in nanoseconds.
    pub(crate) fn sample(&mut self, now: u64, totals: Totals) {
        self.samples.push_back((now, totals));
        // One that is older than a minute stays, so that there is a whole minute to look at.
        while self.samples.get(1).is_some_and(|(at, _)| at + MINUTE <= now) {
            self.samples.pop_front();
        }
    }

    /// How long ago the last sample was taken.
    pub(crate) fn age(&self, now: u64) -> Duration {
        self.samples.back().map_or(Duration::MAX, |(at, _)| Duration::from_nanos(now.saturating_sub(*at)))
    }

    /// From the oldest sample to the newest.
    pub(crate) fn rates(&self) -> Rates {
        let (Some((begin, first)), Some((end, last))) = (self.samples.front(), self.samples.back()) else {
            return Rates::default();
        };
        let seconds = end.saturating_sub(*begin) as f64 / 1e9;
        let requests = last.handled().saturating_sub(first.handled());
        let mut latency = [0; BUCKETS];
        for (index, count) in latency.iter_mut().enumerate() {
            *count = last.latency[index].saturating_sub(first.latency[index]);
        }
        let mut by_class = [0; 5];
        for (index, count) in by_class.iter_mut().enumerate() {
            *count = last.by_class[index].saturating_sub(first.by_class[index]);
        }
        let requests_per_second = if seconds > 0.0 { requests as f64 / seconds } else { 0.0 };
        Rates {
            seconds,
            requests_per_second,
            p50: quantile(&latency, 50),
            p99: quantile(&latency, 99),
            by_class,
        }
    }
}

/// The microseconds that so many of a hundred requests took at most. A bucket reaches to the next power of two; within
/// it they are thought to be spread evenly.
fn quantile(latency: &[u64; BUCKETS], percent: u64) -> u64 {
    let all: u64 = latency.iter().sum();
    let wanted = (all * percent).div_ceil(100);
    let mut below = 0;
    for (bucket, count) in latency.iter().enumerate() {
        if *count > 0 && below + count >= wanted {
            let (from, to) = (if bucket == 0 { 0 } else { 1u64 << (bucket - 1) }, 1u64 << bucket);
            return from + (to - from) * (wanted - below) / count;
        }
        below += count;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::id::Slot;
    use contract::scoreboard::Scoreboard;

    #[test]
    fn a_quantile_lies_in_its_bucket() {
        let mut latency = [0; BUCKETS];
        assert_eq!(quantile(&latency, 99), 0);
        latency[4] = 98; // 8 to 16 µs
        latency[10] = 2; // 512 to 1024 µs
        assert!((8..=16).contains(&quantile(&latency, 50)));
        assert!((512..=1024).contains(&quantile(&latency, 99)));
    }

    #[test]
    fn rates_are_differences_within_a_minute() {
        let board = Scoreboard::create(1).unwrap();
        let slot = board.slot(Slot(0));
        let mut meters = Meters::default();
        for second in 0..200u64 {
            slot.add(Word::Requests, 50);
            slot.count_status(200);
            slot.count_times(0, 10_000);
            let mut totals = Totals::default();
            totals.add(&slot);
            meters.sample(second * 1_000_000_000, totals);
        }
        let rates = meters.rates();
        assert!((60.0..62.0).contains(&rates.seconds), "{rates:?}");
        assert!((49.0..51.0).contains(&rates.requests_per_second), "{rates:?}");
        assert!((8..=16).contains(&rates.p50) && rates.by_class[1] >= 60, "{rates:?}");
    }
}
