//! What is told about the whole: a page for Prometheus, whether it lives and is ready, and lines for statsd.
//!
//! `page` writes the text format, `families` knows what stands in it, `accepts` which of the two forms a client wants.
//! `survey` collects what only the kernel knows; `beacon` is the arbiter's part of statsd (the workers tell of requests
//! themselves). The register and the scoreboards are read by `control::answer`, and the answers go out by
//! `control::serve`.

pub(crate) mod accepts;
mod beacon;
mod families;
mod page;
mod survey;

pub(crate) use beacon::Beacon;
pub(crate) use families::{Snapshot, render};
pub(crate) use page::Form;
pub(crate) use survey::Survey;
