//! The stores from outside: one suite that all of them must pass, and what is
//! particular to buckets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

mod browse;
mod bucket;
mod conformance;
mod inventory;
mod resuming;
mod subjects;
