//! Supervision without a process and without a clock.

mod rules;
mod sequences;
mod world;
