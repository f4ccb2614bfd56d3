//! A request that becomes a websocket: its exchange then speaks that, until it ends.

use super::{Exchange, Inflow, Letter};
use crate::response::BadHead;
use crate::websocket::{Answer, Config, Offer, Session};
use std::io;
use std::sync::Arc;
use sys::clock;

/// Now, on the clock of sessions.
pub fn session_clock() -> u64 {
    clock::now() / 1_000_000
}

impl Exchange {
    /// Accepts the websocket that was offered. From here on `Reply::write` sends what the session has written, and what
    /// the client sends is in the inflow, byte by byte; `Reply::finish` is for the end of it.
    pub fn open_websocket<'f>(
        &mut self,
        offer: &Offer,
        subprotocol: Option<&str>,
        fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
        config: &Config,
    ) -> Result<(Session, Arc<Inflow>), BadHead> {
        let taken = self.taken_mut();
        let mut head = Vec::new();
        let answer = Answer { subprotocol, common: &taken.common, fields };
        let session = offer.accept(answer, config, session_clock(), &mut head)?;
        let inflow = Arc::new(Inflow::new(taken.key, Arc::clone(&taken.post), false));
        // A client that is gone is met again by what follows.
        let _: io::Result<()> = self.reply().switch(&head);
        let taken = self.taken_mut();
        taken.inflow = Some(Arc::clone(&inflow));
        taken.post.leave(Letter::Switched(taken.key, Arc::clone(&inflow)), true);
        Ok((session, inflow))
    }
}
