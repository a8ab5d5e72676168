//! A small, exact S3 server in process: for development, demonstrations and
//! tests, and for nothing else. It promises no durability beyond a restart (no
//! data is synced to disk), speaks no TLS, and knows one account.
//!
//! ```no_run
//! # async fn example() -> Result<(), brigade_devserver::StartError> {
//! use brigade_devserver::{Action, Config, Credentials, Fault, Occurrence, Server};
//!
//! let server = Server::start(Config::new("buckets", Credentials::new("brigade", "secret"))).await?;
//! server.faults().add(Fault::new(Action::status(503, "SlowDown")).on("PutObject").when(Occurrence::Nth(1)));
//! // … run a client against `server.url()` …
//! assert_eq!(server.count("PutObject"), 2);
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! `s3s` speaks the protocol: signatures, routes, XML. A request goes from
//! `server` (connections) through `layer` (log, closed connections) into `s3s`,
//! (past `google`, at Google's port) there past the `gate` (who may, which fault), and by `service` to its module
//! in `operations`, over `storage`. `listing`, `conditions` and `checksums` are
//! pure.
//!
//! What S3 does and this server doesn't: lifecycle, presigned POST policies beyond what `s3s` checks.

mod acl;
mod bodies;
mod change_log;
mod checksums;
mod clock;
mod conditions;
mod config;
mod encryption;
mod errors;
mod faults;
mod gate;
mod google;
mod interleaving;
mod layer;
mod listing;
mod object_lock;
mod operations;
mod request_log;
mod server;
mod service;
mod storage;
mod tags;
mod terms;
mod version_page;
mod virtual_hosts;
mod xml_bodies;

pub use change_log::ChangeRecord;
pub use config::{Config, Credentials, ListingOrder};
pub use faults::{Action, Fault, Faults, KeyPattern, Occurrence};
pub use google::GoogleTerms;
pub use request_log::RequestRecord;
pub use server::{Server, StartError};
pub use terms::{Conditions, Terms};
