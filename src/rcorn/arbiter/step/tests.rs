//! Supervision without a process and without a clock.

mod hooks;
mod idling;
mod model;
mod recycling;
mod reloading;
mod rules;
mod sequences;
mod world;
