//! `brigade probe`: finds out what a bucket's service can be counted on for, and remembers it.

use std::sync::{Arc, Mutex};

use brigade_store::s3::probe::{self, Ending, Subject, Trial};
use brigade_store::s3::{Client, Dialect, Fact, Support};

use crate::arguments;
use crate::exit::Exit;
use crate::output::probe::{Probed, Setting, Shown};
use crate::output::{self, Streams, To};
use crate::remembered;
use crate::resolve::probe::{Asked, resolve};
use crate::signals::{CLEANING_UP, Stop};

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Probe, mut streams: Streams, stop: &Stop) -> Exit {
    let asked = match resolve(arguments) {
        Ok(asked) => asked,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let shown = Shown { format: arguments.output };
    let mut probed = find_out(&asked, shown, &streams, stop).await;
    if stop.token.is_cancelled() {
        probed.exit = Exit::Interrupted(stop.signal());
    }
    let mut streams = output::lock(&streams);
    if let Some(reason) = &probed.error {
        output::error(&mut streams, reason);
    }
    streams.text(To::Out, &shown.summary(&probed));
    output::unless_unwritten(&mut streams, probed.exit)
}

async fn find_out(asked: &Asked, shown: Shown, streams: &Arc<Mutex<Streams>>, stop: &Stop) -> Probed {
    let say = |text: &str| {
        let mut streams = output::lock(streams);
        streams.text(To::Out, text);
        streams.flush();
    };
    let looked = tokio::select! {
        () = stop.token.cancelled() => return Probed::broken_off(Exit::Interrupted(stop.signal()), None),
        looked = look(asked) => looked,
    };
    let (setting, page) = match looked {
        Ok(looked) => looked,
        Err(reason) => return Probed::broken_off(Exit::CouldNotRun, Some(reason)),
    };
    say(&shown.setting(&setting));
    let mut trials = Vec::new();
    let mut ended = probe::Ended::default();
    if asked.write {
        let tell = |trial: &Trial| {
            say(&shown.trial(trial));
            trials.push(trial.clone());
        };
        let ending = Ending { stop: stop.token.clone(), abandon: stop.abandon.clone(), cleaning_up: CLEANING_UP };
        ended = probe::write(&setting.bucket, &asked.prefix, &ending, tell).await;
    }
    // A page that is out of order counts, whatever came of the other listings.
    let is_tried = trials.iter().any(|trial| trial.subject == Subject::Order);
    if !is_tried || page.verdict == probe::Verdict::No {
        say(&shown.trial(&page));
        trials.retain(|trial| trial.subject != Subject::Order);
        trials.push(page);
    }
    conclude(asked, &setting, &trials, &ended)
}

/// Remembers what was found, and says what follows from it.
fn conclude(asked: &Asked, setting: &Setting, trials: &[Trial], ended: &probe::Ended) -> Probed {
    let (service, client) = (setting.bucket.client().service(), setting.bucket.client());
    let table = setting.bucket.dialect();
    let found = probe::found(trials).unless_denied(table);
    let is_believed = asked.remember && !client.provider_was_said();
    let counted_on = || if is_believed { table.with_found(remembered::of(&service, &asked.bucket)) } else { table };
    let before = counted_on();
    let mut kept_in = None;
    // What is found in the provider's own way isn't so without the flag.
    if is_believed && found != Dialect::UNKNOWN {
        match remembered::add(&service, &asked.bucket, found) {
            Ok(path) => kept_in = Some(path),
            Err(reason) => tracing::warn!(
                "what was found out won't be remembered: {reason}; set BRIGADE_STATE_DIR (--no-ledger says that it is \
                 meant so)"
            ),
        }
    }
    let left: Vec<String> = ended.left.iter().map(|(key, reason)| format!("{key} ({reason})")).collect();
    let error = (!left.is_empty()).then(|| {
        format!("not all that was written could be removed from the bucket {}: {}", asked.bucket, left.join(", "))
    });
    Probed {
        exit: if error.is_some() { Exit::CouldNotRun } else { Exit::InStep },
        error,
        before,
        after: counted_on(),
        kept_in,
        wrote: asked.write,
        provider: client.provider_was_said().then(|| client.provider()),
        contradicted: contradicted(table, found),
        verdicts: trials.iter().map(|trial| trial.verdict).collect(),
    }
}

/// Whether something that the table promises turned out otherwise.
fn contradicted(table: Dialect, found: Dialect) -> bool {
    Fact::ALL.into_iter().any(|fact| table.of(fact) == Support::Yes && found.of(fact) == Support::No)
}

/// What can be found out by reading.
async fn look(asked: &Asked) -> Result<(Setting, Trial), String> {
    let client = Client::connect(asked.s3.clone()).await.map_err(|error| error.to_string())?;
    let bucket = client.bucket(&asked.bucket);
    let latency = probe::latency(&bucket, &asked.prefix).await.map_err(|error| error.to_string())?;
    let page = probe::page(&bucket, &asked.prefix).await;
    Ok((Setting { bucket, latency }, page))
}
