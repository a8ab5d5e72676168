//! What every test stands on: servers, the tools, trees of files, and the
//! program under test, each run in an environment of its own.

mod brigade;
mod embedded;
mod files;
mod ledgers;
mod moto;
mod proxy;
mod scene;
mod scripted;
mod seaweed;
mod secrets;
mod served;
mod server;
mod supervised;
mod terminal;
mod tls;
mod tools;
mod waiting;
mod wire;
mod wrapped;

pub(crate) use brigade::{Ended, Running, Summary};
pub(crate) use brigade_devserver::{Action, Occurrence, RequestRecord};
pub(crate) use files::{Files, content, everything_below, files_below, long_ago, set_modified, write_files};
pub(crate) use ledgers::ledgers_in;
pub(crate) use proxy::Proxy;
pub(crate) use scene::Scene;
pub(crate) use scripted::{Asked, Reply, Scripted};
pub(crate) use seaweed::OwnSeaweed;
pub(crate) use served::serve;
pub(crate) use server::{Credentials, Server};
pub(crate) use terminal::{Terminal, screen};
pub(crate) use tls::TlsFront;
pub(crate) use tools::tool;
pub(crate) use waiting::{wait_until, wait_until_it_has_open, wait_until_it_is_old};
pub(crate) use wrapped::{bound_by_permissions, limited, wrapped};

/// Defines each function as two tests: against the embedded server and
/// against SeaweedFS.
macro_rules! on_both_servers {
    ($($(#[$meta:meta])* fn $name:ident($scene:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn check($scene: Scene) $body

            #[test]
            fn embedded() {
                check(Scene::embedded());
            }

            #[test]
            fn seaweed() {
                check(Scene::seaweed());
            }
        }
    )+};
}
pub(crate) use on_both_servers;

/// The same, and against moto.
macro_rules! on_all_servers {
    ($($(#[$meta:meta])* fn $name:ident($scene:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn check($scene: Scene) $body

            #[test]
            fn embedded() {
                check(Scene::embedded());
            }

            #[test]
            fn seaweed() {
                check(Scene::seaweed());
            }

            #[test]
            fn moto() {
                check(Scene::moto());
            }
        }
    )+};
}
pub(crate) use on_all_servers;
