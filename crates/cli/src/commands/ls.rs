//! `brigade ls`: what is in a place, one level of it or everything below.

use std::sync::{Arc, Mutex, MutexGuard};

use brigade_store::browse::{self, Found, Place};
use brigade_store::s3::Config;
use brigade_store::{KeyRange, Listed, Location, Role, Symlinks, open};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Format, Ls};
use crate::exit::Exit;
use crate::output::{self, Streams, To, Tone};
use crate::resolve::s3::{self, Probed};
use crate::signals::Stop;
use crate::stores::{Located, NamedStore, Stores};

/// Connections that are kept open: one page is fetched after the other.
const CONNECTIONS: usize = 2;

/// Runs the command.
pub(crate) async fn run(arguments: &Ls, mut streams: Streams, stop: &Stop) -> Exit {
    let (place, store) = match place(arguments) {
        Ok(place) => place,
        Err(reason) => {
            output::error(&mut streams, &reason);
            return Exit::Usage;
        }
    };
    let config = s3::of_store(&s3::resolve(&arguments.s3, CONNECTIONS, Probed::Believed), store.as_ref());
    let streams = output::log::with_warnings(streams);
    let mut show = Show { format: arguments.output, streams, is_empty: true, failed: false };
    let listed = tokio::select! {
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        listed = list(&place, &config, &mut show) => listed,
    };
    let exit = match listed {
        Ok(()) if show.failed => Exit::Incomplete,
        Ok(()) if show.is_empty && place.is_below_a_prefix() => {
            output::error(&mut show.streams(), &format!("nothing is at {}", arguments.location.display()));
            Exit::CouldNotRun
        }
        Ok(()) => Exit::InStep,
        Err(reason) => {
            output::error(&mut show.streams(), &reason);
            Exit::CouldNotRun
        }
    };
    output::unless_unwritten(&mut show.streams(), exit)
}

/// What is to be listed, and whether everything below it.
#[derive(Debug, PartialEq)]
enum What {
    Level(Place),
    Everything(Location),
}

impl What {
    /// Whether it is part of a bucket: such a place is there only if something is in it.
    fn is_below_a_prefix(&self) -> bool {
        match self {
            Self::Level(Place::Location(location)) | Self::Everything(location) => location.is_below_a_prefix(),
            Self::Level(Place::Account) => false,
        }
    }
}

fn place(arguments: &Ls) -> Result<(What, Option<NamedStore>), String> {
    let stores = Stores::read(arguments.s3.config.as_deref()).map_err(|error| error.to_string())?;
    let Located { place, store } = stores.look_into(&arguments.location).map_err(|error| error.to_string())?;
    match (place, arguments.recursive) {
        (place, false) => Ok((What::Level(place), store)),
        (Place::Location(location), true) => Ok((What::Everything(location), store)),
        (Place::Account, true) => {
            let written = arguments.location.display();
            Err(format!("{written} lists the buckets, one level; with --recursive, name a bucket"))
        }
    }
}

async fn list(what: &What, config: &Config, show: &mut Show) -> Result<(), String> {
    match what {
        What::Level(place) => level(place, config, show).await,
        What::Everything(location) => everything(location, config, show).await,
    }
}

async fn level(place: &Place, config: &Config, show: &mut Show) -> Result<(), String> {
    let mut level = browse::ls(place, config).await.map_err(|error| error.to_string())?;
    while !show.streams().reader_gone()
        && let Some(page) = level.next_page().await.map_err(|error| error.to_string())?
    {
        for found in page {
            show.found(&found);
        }
        show.streams().flush();
    }
    Ok(())
}

async fn everything(location: &Location, config: &Config, show: &mut Show) -> Result<(), String> {
    let role = Role::Source { symlinks: Symlinks::Follow };
    let store = open(location, role, config, &CancellationToken::new()).await.map_err(|error| error.to_string())?;
    let mut listing = store.list(&KeyRange::everything());
    while !show.streams().reader_gone()
        && let Some(page) = listing.next_page().await.map_err(|error| error.to_string())?
    {
        for listed in page {
            show.listed(listed);
        }
        show.streams().flush();
    }
    Ok(())
}

/// Where what was found is shown.
struct Show {
    format: Format,
    streams: Arc<Mutex<Streams>>,
    /// Whether nothing was found.
    is_empty: bool,
    /// Whether something could not be listed.
    failed: bool,
}

impl Show {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        output::lock(&self.streams)
    }

    fn found(&mut self, found: &Found) {
        self.is_empty = false;
        self.streams().text(To::Out, &output::listing::line(self.format, found));
    }

    fn listed(&mut self, listed: Listed) {
        match listed {
            Listed::Present(entry) => self.found(&Found::Object(entry)),
            Listed::Unknown(unknown) if unknown.reason.is_failure() => {
                self.failed = true;
                let line = format!("{}: {}", unknown.key, unknown.reason);
                self.streams().line(To::Err, Tone::Failure, "failed:", &line);
            }
            Listed::Unknown(unknown) => {
                let line = format!("{}: {}", unknown.key, unknown.reason);
                self.streams().line(To::Err, Tone::Plain, "skipped:", &line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<What, String> {
        match Arguments::try_parse_from(["brigade", "ls"].iter().chain(line)).unwrap().command {
            Command::Ls(ls) => place(&ls).map(|(what, _)| what),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_level_or_everything_is_listed() {
        let bucket = Location::parse("s3://bucket/p".as_ref()).unwrap();
        assert_eq!(parse(&["s3://"]), Ok(What::Level(Place::Account)));
        assert_eq!(parse(&["s3://bucket/p"]), Ok(What::Level(Place::Location(bucket.clone()))));
        assert_eq!(parse(&["s3://bucket/p", "--recursive"]), Ok(What::Everything(bucket)));
        assert!(parse(&["s3://", "-r"]).unwrap_err().contains("name a bucket"));
        let below_a_prefix = |line: &[&str]| parse(line).unwrap().is_below_a_prefix();
        assert!(below_a_prefix(&["s3://bucket/p"]) && below_a_prefix(&["s3://bucket/p", "-r"]));
        assert!(!below_a_prefix(&["s3://"]) && !below_a_prefix(&["s3://bucket/"]) && !below_a_prefix(&["/"]));
        assert!(parse(&["gs://"]).unwrap_err().contains("the bucket is missing"));
    }
}
