//! What goes over the wire, and what comes of it, against scripted servers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod accounts;
mod devserver;
mod google;
mod integrity;
mod limits;
mod listings;
mod looks;
mod lost_replies;
mod retries;
mod server;
mod terms;
mod tls;
mod uploads;
mod versions;
mod wire;
