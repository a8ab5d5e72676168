//! The server over real HTTP, by a client that sends what it is told.

mod client;
mod faults;
mod keys;
mod listings;
mod objects;
mod restart;
mod signatures;
mod uploads;
