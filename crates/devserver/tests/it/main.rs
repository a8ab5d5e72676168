//! The server over real HTTP, by a client that sends what it is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod attributes;
mod client;
mod encryption;
mod faults;
mod keys;
mod listings;
mod locks;
mod objects;
mod restart;
mod signatures;
mod uploads;
mod versions;
