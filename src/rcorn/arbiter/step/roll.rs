//! A reload that goes through the workers one by one: a new one gets ready, an old one finishes and leaves, then the
//! next. There is never more than one worker too many. Fails the new generation, the old one is made complete again.

use super::super::fleet::{Crew, Fleet, Role};
use super::super::policy::Moment;

/// Says how many workers each of the two generations may have now.
pub(super) fn roll(fleet: &mut Fleet, now: Moment) {
    let (booting, serving) = (fleet.in_role(Role::Booting), fleet.in_role(Role::Serving));
    let new = booting.and_then(|generation| fleet.crews.get(&generation)).filter(|crew| crew.rules.rolling);
    let ready = new.map_or(0, Crew::ready);
    let Some(old) = serving.and_then(|generation| fleet.crews.get_mut(&generation)) else { return };
    // The last one stays until the generation as a whole takes over.
    old.lent = ready.min(old.target.saturating_sub(1));
    let (occupied, target) = (old.workers.len(), old.target);
    let Some(crew) = booting.and_then(|generation| fleet.crews.get_mut(&generation)) else { return };
    if crew.rules.rolling {
        make_room(crew, ready, occupied, target, now);
    }
}

fn make_room(crew: &mut Crew, ready: u32, occupied: usize, target: u32, now: Moment) {
    let most = (target.max(crew.target) as usize + 1).saturating_sub(occupied);
    crew.room = ready.max((ready + 1).min(u32::try_from(most).unwrap_or(u32::MAX)));
    if crew.room <= ready {
        // It waits for an old one to finish, which is not its fault.
        crew.deadline = crew.rules.startup_timeout.map(|limit| now.after(limit));
    }
}
