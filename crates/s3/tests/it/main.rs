//! What goes over the wire, and what comes of it, against scripted servers.

mod integrity;
mod retries;
mod server;
mod wire;
