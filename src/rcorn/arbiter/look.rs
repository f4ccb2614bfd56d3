//! What the arbiter sees of its workers on their scoreboards. Reads, and judges nothing.

use super::act::Hands;
use super::event::{Busy, Doing, InRequest, Inside, LastRequest};
use super::fleet::Fleet;
use super::policy::{Moment, SILENCE};
use contract::id::{Generation, Pid, Slot, WorkerId};
use contract::scoreboard::{LaneView, SlotView, Word};

/// So many requests of a loop that does not turn are told one by one.
const TOLD: usize = 20;

impl Hands {
    /// What workers do.
    pub(crate) fn look(&self, fleet: &Fleet) -> Vec<Busy> {
        let now = Moment(sys::clock::now());
        let mut busy = Vec::new();
        for (generation, crew) in &fleet.crews {
            let Some(ground) = self.grounds.get(generation) else { continue };
            for (id, member) in &crew.workers {
                observe(*id, &ground.board.slot(member.slot), now, &mut busy);
            }
        }
        busy
    }

    /// What a process was in last.
    pub(super) fn last_request(&self, fleet: &Fleet, pid: Pid) -> Option<LastRequest> {
        let (generation, slot) = place_of(fleet, pid)?;
        let slot = self.grounds.get(&generation)?.board.slot(slot);
        let running = slot.running().and_then(|lane| slot.lanes().nth(lane));
        let lane =
            running.or_else(|| slot.oldest()).or_else(|| slot.lanes().max_by_key(LaneView::last_progress))?;
        let (request, client) = (lane.request_line(), lane.client());
        let unanswered_since = lane.start().map(Moment);
        (!request.is_empty()).then_some(LastRequest { request, client, unanswered_since })
    }
}

/// Where the worker with this process is, or was.
pub(super) fn place_of(fleet: &Fleet, pid: Pid) -> Option<(Generation, Slot)> {
    let id = fleet.worker_with(pid)?;
    fleet.crews.iter().find_map(|(generation, crew)| Some((*generation, crew.workers.get(&id)?.slot)))
}

/// What one worker does; nothing of its loop before that has turned for the first time.
fn observe(worker: WorkerId, slot: &SlotView<'_>, now: Moment, all: &mut Vec<Busy>) {
    let turned = Moment(slot.get(Word::Heartbeat));
    // Requests in a loop have limits of their own there.
    if !slot.has_loop() {
        all.extend((0..).zip(slot.lanes()).filter_map(|(number, lane)| in_lane(worker, number, lane)));
    }
    // Who has one lane is in it with his loop.
    let loop_is_free = slot.lanes().nth(1).is_some() || slot.full_since().is_none();
    if turned != Moment(0) && loop_is_free {
        let is_silent = slot.has_loop() && turned.until(now) >= SILENCE;
        let inside = if is_silent { inside(slot) } else { Inside::default() };
        all.push(Busy { worker, began: turned, since: turned, doing: Doing::Turning(inside) });
    }
}

fn in_lane(worker: WorkerId, number: u32, lane: LaneView<'_>) -> Option<Busy> {
    let start = lane.start()?;
    let since = Moment(start.max(lane.last_progress()));
    let doing = Doing::Request(number, lane.request_line(), lane.client());
    Some(Busy { worker, began: Moment(start), since, doing })
}

fn inside(slot: &SlotView<'_>) -> Inside {
    let running = slot.running();
    let mut lanes: Vec<_> = slot.lanes().enumerate().filter(|(_, lane)| lane.start().is_some()).collect();
    lanes.sort_by_key(|(number, lane)| (Some(*number) != running, lane.start()));
    let unseen = slot.get(Word::Unseen) + lanes.len().saturating_sub(TOLD) as u64;
    let request = |lane: LaneView<'_>| {
        let began = Moment(lane.start()?);
        Some(InRequest { line: lane.request_line(), client: lane.client(), began })
    };
    Inside {
        requests: lanes.into_iter().take(TOLD).filter_map(|(_, lane)| request(lane)).collect(),
        first_blocks: running.is_some(),
        more: unseen,
        websockets: slot.get(Word::Websockets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::id::Slot;
    use contract::scoreboard::{Among, Scoreboard};

    fn seen(board: &Scoreboard, now: u64) -> Vec<Doing> {
        let mut busy = Vec::new();
        observe(WorkerId(1), &board.slot(Slot(0)), Moment(now), &mut busy);
        busy.into_iter().map(|busy| busy.doing).collect()
    }

    #[test]
    fn a_silent_loop_is_told_with_what_it_is_in() {
        let board = Scoreboard::create_for_loops(1).unwrap();
        let slot = board.slot(Slot(0));
        slot.begin_loop();
        slot.set(Word::Heartbeat, 1000);
        for lane in 0..30 {
            slot.enter_lane(lane, 2000 - u64::from(lane), format!("GET /{lane}").as_bytes(), None);
        }
        slot.count(Among::Unseen, true);
        slot.count(Among::Websockets, true);
        assert_eq!(seen(&board, 3000), [Doing::Turning(Inside::default())], "it has turned a moment ago");
        slot.set_running(Some(7));
        let doing = seen(&board, 1000 + 500_000_000);
        let [Doing::Turning(inside)] = &doing[..] else { panic!("{doing:?}") };
        let lines: Vec<&str> = inside.requests.iter().map(|request| request.line.as_str()).collect();
        assert_eq!((lines.len(), &lines[..3]), (TOLD, &["GET /7", "GET /29", "GET /28"][..]));
        assert_eq!((inside.first_blocks, inside.more, inside.websockets), (true, 11, 1));
    }

    #[test]
    fn threads_are_each_in_a_request() {
        let board = Scoreboard::create_for_loops(2).unwrap();
        let slot = board.slot(Slot(0));
        slot.set(Word::Heartbeat, 1000);
        slot.lane(1).enter(7, b"GET /", None);
        let request = Doing::Request(1, "GET /".into(), "a unix socket".into());
        assert_eq!(seen(&board, 1 << 40), [request, Doing::Turning(Inside::default())]);
    }

    #[test]
    fn the_loop_of_a_sync_worker_is_in_its_request() {
        let board = Scoreboard::create(1).unwrap();
        let slot = board.slot(Slot(0));
        slot.set(Word::Heartbeat, 1000);
        slot.lane(0).enter(7, b"GET /", None);
        assert!(matches!(seen(&board, 1 << 40)[..], [Doing::Request(0, ..)]));
    }
}
