//! The signals that the arbiter hears, and what each of them means.

use super::event::Wish;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;
use sys::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard {
    /// Children ended.
    Child,
    /// The operator wants something.
    Wish(Wish),
}

/// The signals that mean something to us.
pub(crate) struct Signals(Vec<(i32, Heard, Signal)>);

impl Signals {
    /// Starts to watch. Before that a signal has its default effect, which is to leave things lying about.
    pub(crate) fn watch() -> io::Result<Self> {
        use sys::signal as number;
        let meanings = [
            (number::SIGTERM, Heard::Wish(Wish::Stop)),
            (number::SIGINT, Heard::Wish(Wish::Quit)),
            (number::SIGQUIT, Heard::Wish(Wish::Quit)),
            (number::SIGHUP, Heard::Wish(Wish::Reload)),
            (number::SIGUSR2, Heard::Wish(Wish::Upgrade)),
            (number::SIGUSR1, Heard::Wish(Wish::ReopenLogs)),
            // Those that come together are taken in this order: one less and one more is never less than before.
            (number::SIGTTOU, Heard::Wish(Wish::Fewer)),
            (number::SIGTTIN, Heard::Wish(Wish::More)),
            (number::SIGWINCH, Heard::Wish(Wish::Winch)),
            (number::SIGCHLD, Heard::Child),
        ];
        let watched = meanings.into_iter();
        watched
            .map(|(number, heard)| Ok((number, heard, signal(SignalKind::from_raw(number))?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Those that arrived. Several of one kind are one.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Vec<Heard> {
        self.arrived(context).into_iter().map(|(_, heard)| heard).collect()
    }

    fn arrived(&mut self, context: &mut Context<'_>) -> Vec<(i32, Heard)> {
        let arrived = self.0.iter_mut().filter_map(|(number, heard, signal)| {
            let mut arrived = false;
            while let Poll::Ready(Some(())) = signal.poll_recv(context) {
                arrived = true;
            }
            arrived.then_some((*number, *heard))
        });
        arrived.collect()
    }

    /// While signals are held: those that were taken and not looked at wait again.
    pub(crate) async fn put_back(&mut self) {
        // What the handlers noted reaches us by way of the runtime.
        tokio::time::sleep(Duration::from_millis(1)).await;
        for (number, _) in poll_fn(|context| Poll::Ready(self.arrived(context))).await {
            let _ = process::kill(process::own_pid(), number);
        }
    }
}
