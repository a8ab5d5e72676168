//! The whole pipe over stores in memory: what ends where, what is counted, and what is never done.

#![allow(clippy::unwrap_used, reason = "clippy takes only the test functions themselves for tests")]

mod checking;
mod durable;
mod failures;
mod fixture;
mod folded_names;
mod indexing;
mod order;
mod parts;
mod ranges;
mod remembering;
mod resuming;
mod safety;
mod simulation;
mod taking_up;
mod trees;
