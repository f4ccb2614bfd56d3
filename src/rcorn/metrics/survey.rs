//! What is measured with some effort: memory and CPU time of processes, read from /proc. Proportional memory (PSS) makes
//! the kernel walk through a process's pages and holds that up meanwhile, so it is not read at every question.

use crate::arbiter::memory;
use std::collections::BTreeMap;

/// It is read again no sooner than after so many nanoseconds, and than so many times what reading took.
const AGAIN: u64 = 10_000_000_000;
const RESTRAINT: u64 = 200;

/// What was measured, and when that is done again.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    weights: BTreeMap<i32, u64>,
    again_at: u64,
    cpu: f64,
}

impl Survey {
    /// The proportional memory of these processes in bytes, as of some seconds ago; a process that is new is measured.
    pub(crate) fn weigh(&mut self, pids: &[i32]) -> BTreeMap<i32, u64> {
        let begun = sys::clock::now();
        let is_time = begun >= self.again_at;
        if is_time {
            self.weights.clear();
        }
        let weight = |pid: i32, known: &BTreeMap<i32, u64>| {
            known.get(&pid).copied().or_else(|| memory::of_process(pid)).map(|bytes| (pid, bytes))
        };
        self.weights = pids.iter().filter_map(|pid| weight(*pid, &self.weights)).collect();
        if is_time {
            let took = sys::clock::now() - begun;
            self.again_at = begun + AGAIN.max(took * RESTRAINT);
        }
        self.weights.clone()
    }

    /// Seconds of CPU that we, all whom we have reaped, and these have used. Never less than before.
    pub(crate) fn cpu(&mut self, others: &[i32]) -> f64 {
        let pids = others.iter().copied().chain([sys::process::own_pid()]);
        self.cpu = self.cpu.max(pids.filter_map(memory::cpu_with_children).sum());
        self.cpu
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_measured_now_and_then() {
        let own = sys::process::own_pid();
        let mut survey = Survey::default();
        let first = survey.weigh(&[own])[&own];
        assert!(first > 1 << 18, "{first}");
        survey.weights.insert(own, 5);
        assert_eq!(survey.weigh(&[own, 0]), BTreeMap::from([(own, 5)]), "it is known from before");
        survey.again_at = 0;
        assert!(survey.weigh(&[own])[&own] > 5);
        assert!(survey.weigh(&[]).is_empty());
    }

    #[test]
    fn cpu_time_never_goes_back() {
        let mut survey = Survey::default();
        let first = survey.cpu(&[sys::process::parent_pid()]);
        assert!(survey.cpu(&[]) >= first);
    }
}
