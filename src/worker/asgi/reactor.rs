//! The server within the application's event loop: turned when its descriptor is readable, and when it asked for it.
//!
//! | what happens                                  | then                                                      |
//! |-----------------------------------------------|-----------------------------------------------------------|
//! | the application has started (`begin`)         | the arbiter hears that the worker is ready                 |
//! | a drain begins                                | tasks are cancelled when nine tenths of its time are over  |
//! | nothing is in flight any more, no task runs   | `leave(True)`: the application hears that this is the end  |
//! | Quit, SIGINT, SIGQUIT                         | `leave(False)`: the process ends at once                   |

use super::AsgiApp;
use super::shared::{Loop, Shared};
use super::talk;
use crate::lifecycle::{Leave, Worker};
use crate::log;
use contract::exit::ExitCode;
use contract::message::BootFailure;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, AsRawFd};
use sys::clock;

/// What the helper in Python holds of the worker.
#[pyclass(unsendable, frozen, module = "rcorn")]
pub(super) struct Reactor {
    worker: RefCell<Worker<AsgiApp>>,
    shared: &'static Shared,
    timer: RefCell<Option<Timer>>,
    calls: RefCell<Option<Calls>>,
    /// The tasks were cancelled: clients that linger are not waited for.
    hurries: Cell<bool>,
    code: Cell<ExitCode>,
}

/// When the server wants to be turned.
struct Timer {
    handle: Py<PyAny>,
    /// In nanoseconds of our clock.
    at: u64,
}

/// What the helper wants to be called.
struct Calls {
    /// When the worker ends.
    leave: Py<PyAny>,
    /// When the tasks of a drain take too long.
    cancel: Py<PyAny>,
}

/// Why there is no next turn.
enum Ending {
    Leave(ExitCode),
    /// Everything was finished.
    Finished,
    /// An exception that ends the loop.
    Raised(PyErr),
}

impl From<Leave> for Ending {
    fn from(Leave(code): Leave) -> Self {
        Self::Leave(code)
    }
}

impl Reactor {
    pub(super) fn new(worker: Worker<AsgiApp>) -> Self {
        let shared = worker.app.shared;
        let (worker, timer, calls) = (RefCell::new(worker), RefCell::default(), RefCell::default());
        Self { worker, shared, timer, calls, hurries: Cell::new(false), code: Cell::new(ExitCode::Success) }
    }

    /// Does it serve already?
    pub(super) fn has_begun(&self) -> bool {
        self.calls.borrow().is_some()
    }

    /// Another application takes the place of one that has not started.
    pub(super) fn replace(&self, application: Py<PyAny>) {
        self.worker.borrow_mut().app.application = application;
    }

    /// The worker does not serve: tells the arbiter why.
    pub(super) fn refuse(&self, failure: BootFailure) {
        self.code.set(self.worker.borrow().refuse(failure));
    }

    pub(super) fn end(&self) -> ExitCode {
        self.worker.borrow_mut().meter.finish();
        self.code.get()
    }

    /// Turns the server once: in how many milliseconds it wants to be turned again.
    fn turn_once(&self, slf: &Bound<'_, Self>) -> Result<Option<u64>, Ending> {
        // It is being turned already: whoever does that goes on.
        let Ok(mut worker) = self.worker.try_borrow_mut() else { return Ok(None) };
        let next = worker.turn_within()?;
        if worker.is_draining() {
            if self.shared.drain() {
                self.shared.all(slf.py()).iter().for_each(talk::drain);
                Self::plan_cancelling(slf, worker.patience()).map_err(Ending::Raised)?;
            }
            if self.shared.is_quiet() && (worker.server.is_idle() || self.hurries.get()) {
                return Err(Ending::Finished);
            }
        }
        worker.app.escaped.take().map_or(Ok(next), |error| Err(Ending::Raised(error)))
    }

    fn plan_cancelling(slf: &Bound<'_, Self>, patience: u64) -> PyResult<()> {
        let hurry = slf.getattr(intern!(slf.py(), "hurry"))?;
        slf.borrow().shared.event_loop(slf.py())?.call_later(patience, &hurry).map(drop)
    }

    /// Makes sure that the server is turned in so many milliseconds at the latest.
    fn set_timer(slf: &Bound<'_, Self>, milliseconds: u64) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.borrow());
        let at = clock::now().saturating_add(milliseconds.saturating_mul(1_000_000));
        // One that is early does no harm, and most are the same.
        if this.timer.borrow().as_ref().is_some_and(|timer| timer.at <= at) {
            return Ok(());
        }
        let tick = slf.getattr(intern!(py, "tick"))?;
        let handle = this.shared.event_loop(py)?.call_later(milliseconds, &tick)?.unbind();
        if let Some(later) = this.timer.replace(Some(Timer { handle, at })) {
            later.handle.bind(py).call_method0(intern!(py, "cancel"))?;
        }
        Ok(())
    }

    fn leave(&self, py: Python<'_>, code: ExitCode, finished: bool) -> PyResult<()> {
        self.code.set(code);
        match self.calls.take() {
            Some(calls) => calls.leave.bind(py).call1((finished,)).map(drop),
            None => Ok(()),
        }
    }
}

#[pymethods]
impl Reactor {
    /// The application has started. What is in `state` every request gets a copy of.
    fn begin(
        slf: &Bound<'_, Self>,
        event_loop: &Bound<'_, PyAny>,
        state: Option<Py<PyDict>>,
        leave: Py<PyAny>,
        cancel: Py<PyAny>,
    ) -> PyResult<i32> {
        let this = slf.borrow();
        let event_loop = Loop::new(event_loop, slf.getattr("turn")?)?;
        let _ = this.shared.event_loop.set(slf.py(), event_loop);
        this.calls.replace(Some(Calls { leave, cancel }));
        let mut worker = this.worker.borrow_mut();
        worker.app.set_state(state);
        worker.announce()?;
        Ok(worker.server.as_fd().as_raw_fd())
    }

    /// Does what there is to be done.
    fn turn(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        match slf.borrow().turn_once(slf) {
            Ok(Some(next)) => Self::set_timer(slf, next),
            Ok(None) => Ok(()),
            Err(Ending::Leave(code)) => slf.borrow().leave(py, code, false),
            Err(Ending::Finished) => slf.borrow().leave(py, ExitCode::Success, true),
            Err(Ending::Raised(error)) => Err(error),
        }
    }

    /// The timer has fired.
    fn tick(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.borrow().timer.replace(None);
        Self::turn(slf)
    }

    /// A drain takes too long.
    fn hurry(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.borrow().hurries.set(true);
        if let Some(calls) = &*slf.borrow().calls.borrow() {
            calls.cancel.bind(slf.py()).call0()?;
        }
        Self::turn(slf)
    }

    /// The application has asked the process to end.
    fn leave_on_own_account(slf: &Bound<'_, Self>) -> PyResult<()> {
        if let Ok(mut worker) = slf.borrow().worker.try_borrow_mut() {
            worker.leave_on_own_account();
        }
        Self::turn(slf)
    }

    /// Writes into the log.
    #[pyo3(signature = (level, text, /))]
    fn say(&self, level: &str, text: &str) {
        log::write(log::level(level), text);
    }
}
