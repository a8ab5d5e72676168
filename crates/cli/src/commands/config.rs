//! `brigade config`: says which file is read, and what it makes of each store.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;

use crate::arguments::{Config, ConfigAction};
use crate::exit::Exit;
use crate::output::{self, Streams, To};
use crate::stores::{NamedStore, Stores};

/// Runs the command.
pub(crate) fn run(arguments: &Config, mut streams: Streams) -> Exit {
    let ConfigAction::Check { config } = &arguments.action;
    let exit = match check(config.as_deref()) {
        Ok(text) => {
            streams.text(To::Out, &text);
            Exit::InStep
        }
        Err(reasons) => {
            for reason in &reasons {
                output::error(&mut streams, reason);
            }
            Exit::CouldNotRun
        }
    };
    output::unless_unwritten(&mut streams, exit)
}

/// What is to be said, or each thing that is wrong.
fn check(named: Option<&OsStr>) -> Result<String, Vec<String>> {
    let stores = Stores::read(named).map_err(|error| error.reasons())?;
    let Some(path) = &stores.path else {
        let places: Vec<_> = Stores::usual_places().iter().map(|path| path.display().to_string()).collect();
        return Ok(format!("no file: there is none at {}\n", places.join(" or ")));
    };
    let unreadable: Vec<String> = stores
        .by_name
        .iter()
        .filter_map(|(name, store)| unreadable_bundle(&path.display().to_string(), name, store))
        .collect();
    if !unreadable.is_empty() {
        return Err(unreadable);
    }
    let mut text = format!("{}\n", path.display());
    for (name, store) in &stores.by_name {
        describe(&mut text, name, store);
    }
    Ok(text)
}

fn unreadable_bundle(file: &str, name: &str, store: &NamedStore) -> Option<String> {
    let bundle = store.ca_bundle.as_ref()?;
    let error = File::open(bundle).err()?;
    Some(format!("{file}: [store.{name}]: ca-bundle {}: {error}", bundle.display()))
}

fn describe(text: &mut String, name: &str, store: &NamedStore) {
    // Writing into a string can't fail.
    let _ = writeln!(text, "{name}:");
    let mut row = |label: &str, words: &str| {
        let _ = writeln!(text, "  {label:<15} {words}");
    };
    row(
        "endpoint-url",
        store.endpoint_url.as_deref().unwrap_or("not here: the environment or the profile says, else AWS"),
    );
    row("region", store.region.as_deref().unwrap_or("not here: the environment or the profile says, else us-east-1"));
    match (&store.profile, store.no_sign_request) {
        (_, Some(true)) => row("no-sign-request", "requests are not signed"),
        (Some(profile), _) => row("profile", profile),
        (None, _) => row("profile", "not here: credentials are those that the AWS tools would use"),
    }
    if let Some(provider) = store.provider {
        row("provider", provider.name());
    }
    if let Some(addressing) = store.addressing {
        row("addressing", &format!("{addressing:?}").to_lowercase());
    }
    if let Some(bundle) = &store.ca_bundle {
        row("ca-bundle", &bundle.display().to_string());
    }
    if store.request_payer == Some(true) {
        row("request-payer", "requests are paid for");
    }
}
