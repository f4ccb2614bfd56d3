//! Supervision without a process and without a clock.

mod model;
mod recycling;
mod reloading;
mod rules;
mod sequences;
mod world;
