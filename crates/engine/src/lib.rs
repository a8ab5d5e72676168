//! Keeps two stores in step: listings in key order are merged like a zip,
//! each key's triple is planned, and the plan is carried out.
//!
//! ```text
//! left listing  ──┐
//! settled pairs ──┼─ merge ─> triples ─ plan ─> actions ─ transfer ─> outcomes
//! right listing ──┘            (pure)   with a phase  (I/O)           └─> events
//! ```
//!
//! [`run::run`] is the whole pipe. Each file is a stage of it.

pub mod check;
pub mod cleanup;
pub mod compare;
pub mod copy;
pub mod error;
pub mod events;
pub mod explain;
pub mod filters;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod growth;
mod index;
pub mod job;
pub mod ledger;
pub mod listing;
mod losses;
pub mod merge;
mod nesting;
mod permits;
mod phases;
pub mod plan;
pub mod prune;
mod range;
pub mod reading;
mod representation;
pub mod run;
mod sighting;
mod spool;
mod tally;
mod transfer;
pub mod usage;
