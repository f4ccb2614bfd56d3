//! What is sent before the answer, or instead of one: 100, 103, 101.

use super::{Reply, Stage};
use crate::head::Version;
use crate::response::{BadHead, Framing, early_hints};
use std::io::{self, IoSlice};

impl Reply<'_> {
    /// Sends early hints (103) before the head. A client of HTTP/1.0, and one that has the head, would not understand.
    pub fn hint<'f>(
        &mut self,
        fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Result<(), BadHead> {
        let hints = early_hints(fields)?;
        if self.said.asked.version == Version::Http11 && !self.is_sent() && self.claim().is_ok() {
            let result = self.output.push(self.fd, &[IoSlice::new(&hints)]);
            // A client that is gone is met again by the response itself.
            let _ = self.note(result);
        }
        Ok(())
    }

    /// Asks a client that waits for it to send the body of its request: before the application reads that.
    pub fn go_on(&mut self) {
        if !self.is_sent() {
            // A client that is gone is met again by the response itself.
            let _ = self.output.push(self.fd, &[IoSlice::new(b"HTTP/1.1 100 Continue\r\n\r\n")]);
        }
    }

    /// Sends the head of a 101: from here on the connection speaks another protocol, to its end, and `write` sends what
    /// belongs to that.
    pub(crate) fn switch(&mut self, head: &[u8]) -> io::Result<()> {
        self.said.stage = Stage::Body(Framing::ToTheEnd);
        (self.said.head.status, self.said.to_the_end) = (101, true);
        self.claim()?;
        let result = self.output.push(self.fd, &[IoSlice::new(head)]);
        self.note(result)
    }
}
