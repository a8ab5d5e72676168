//! `brigade versions`: what a bucket keeps of what was replaced and deleted.

use std::sync::{Arc, Mutex};

use brigade_engine::prune::check_versions;
use brigade_store::s3::Config;
use brigade_store::{Key, Location, Role, Store, Succession, Symlinks, open};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Format, Versions};
use crate::exit::Exit;
use crate::output::{self, Streams, To};
use crate::resolve::UsageError;
use crate::resolve::prune::check_keeps_versions;
use crate::resolve::s3::{self, Probed};
use crate::signals::Stop;

/// Connections that are kept open: one page is fetched after the other.
const CONNECTIONS: usize = 2;

/// Runs the command.
pub(crate) async fn run(arguments: &Versions, mut streams: Streams, stop: &Stop) -> Exit {
    let (location, config) = match place(arguments) {
        Ok(place) => place,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let mut show = Show { format: arguments.output, streams: Arc::clone(&streams), is_empty: true };
    let listed = tokio::select! {
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        listed = show.all(&location, &config) => listed,
    };
    let exit = match listed {
        Ok(()) if show.is_empty && location.is_below_a_prefix() => {
            output::error(&mut output::lock(&streams), &format!("no version of anything is at {location}"));
            Exit::CouldNotRun
        }
        Ok(()) => Exit::InStep,
        Err(reason) => {
            output::error(&mut output::lock(&streams), &reason);
            Exit::CouldNotRun
        }
    };
    output::unless_unwritten(&mut output::lock(&streams), exit)
}

fn place(arguments: &Versions) -> Result<(Location, Config), UsageError> {
    let (location, config) = s3::one_place(&arguments.location, &arguments.s3, CONNECTIONS, Probed::Believed)?;
    check_keeps_versions(&location, config.provider)?;
    Ok((location, config))
}

/// Where versions are shown.
struct Show {
    format: Format,
    streams: Arc<Mutex<Streams>>,
    /// Whether nothing was found.
    is_empty: bool,
}

impl Show {
    /// Those of the key that was written, and those of all keys below it.
    async fn all(&mut self, location: &Location, config: &Config) -> Result<(), String> {
        let below = opened(location, config).await?;
        check_versions(&*below).await.map_err(|error| error.to_string())?;
        if let Location::Bucket { service, bucket, written, .. } = location
            && let Some(name) = location.object_name().filter(|name| !name.ends_with('/'))
        {
            let (service, bucket, written) = (*service, bucket.clone(), written.clone());
            let root = Location::Bucket { service, bucket, prefix: String::new(), written };
            let own_name = Key::from(name.rsplit('/').next().unwrap_or(name));
            self.versions(&*opened(&root, config).await?, Some((&name.into(), &own_name))).await?;
        }
        self.versions(&*below, None).await
    }

    /// The versions of a store, or those of one key, shown under another name.
    async fn versions(&mut self, store: &dyn Store, of: Option<(&Key, &Key)>) -> Result<(), String> {
        let mut listing = store.list_versions(of.map(|(key, _)| key));
        let mut succession = Succession::default();
        while !output::lock(&self.streams).reader_gone()
            && let Some(page) = listing.next_page().await.map_err(|error| error.to_string())?
        {
            let mut streams = output::lock(&self.streams);
            for version in page {
                let superseded = succession.superseded(&version);
                let key = of.map_or(&version.key, |(_, shown)| shown);
                streams.text(To::Out, &output::kept::line(self.format, key, &version, superseded));
                self.is_empty = false;
            }
            streams.flush();
        }
        Ok(())
    }
}

async fn opened(location: &Location, config: &Config) -> Result<Arc<dyn Store>, String> {
    let role = Role::Source { symlinks: Symlinks::Follow };
    open(location, role, config, &CancellationToken::new()).await.map_err(|error| error.to_string())
}
