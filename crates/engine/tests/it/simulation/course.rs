//! The course of one seed: runs through storms, then calm, then mended, until in step.

use std::sync::Arc;
use std::time::Duration;

use brigade_engine::error::{RunError, Why};
use brigade_engine::events::{Side, Summary};
use brigade_engine::job::{Comparison, JobSpec};
use brigade_engine::run::{Run, run};
use brigade_store::memory::{Call, MemoryStore, Strike};
use fastrand::Rng;
use tokio_util::sync::CancellationToken;

use super::chronicle::{Chronicle, Happened, Version};
use super::ends;
use super::scenario::{Scenario, kind};
use super::storm::{Storm, Weather, pass_by};
use super::witness::{Objects, Witness};

/// Longer than any run takes, by a clock that only moves when all wait.
const FOREVER: Duration = Duration::from_hours(24 * 30);

/// One run, and all that happened in it.
pub(crate) struct Episode<'a> {
    pub(crate) scenario: &'a Scenario,
    /// What both stores held when it began: source, destination.
    pub(crate) before: [Objects; 2],
    pub(crate) after: [Objects; 2],
    pub(crate) records: Vec<(u128, Happened)>,
    pub(crate) ended: Result<Summary, RunError>,
}

/// What came of a seed.
pub(crate) struct Report {
    /// How many runs there were.
    pub(crate) runs: u64,
    /// Everything that happened, a line each.
    pub(crate) trace: Vec<String>,
    /// What was wrong; `None` where all was right.
    pub(crate) violation: Option<String>,
}

/// Lives through a seed.
pub(crate) fn live(seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut course =
            Course { chronicle: Chronicle::new(), report: Report { runs: 0, trace: vec![], violation: None } };
        course.report.violation = course.run(seed).await.err();
        course.report
    })
}

struct Course {
    chronicle: Chronicle,
    report: Report,
}

impl Course {
    async fn run(&mut self, seed: u64) -> Result<(), String> {
        let mut rng = Rng::with_seed(seed);
        let mut scenario = Scenario::draw(&mut rng);
        scenario.fill(&mut rng);
        for _ in 0..rng.u64(1..=3) {
            self.episode(&scenario, Weather::draw(&mut rng)).await?;
        }
        let calm = |rng: &mut Rng| Weather { seed: rng.u64(..), ..Weather::default() };
        self.episode(&scenario, calm(&mut rng)).await?;
        scenario.mend();
        let mended = self.episode(&scenario, calm(&mut rng)).await?;
        if !ends::is_in_step_after_mending(&mended)? {
            return Ok(());
        }
        let again = self.episode(&scenario, calm(&mut rng)).await?;
        // These send again what was written only now, and so does whoever was misled by a store's order.
        let sends_again = matches!(scenario.job.comparison, Comparison::Always | Comparison::Mtime);
        if !sends_again && !again.records.iter().any(|(_, happened)| *happened == Happened::Reordered) {
            ends::nothing_left_to_do(&again)?;
        }
        Ok(())
    }

    /// One run in this weather, checked.
    async fn episode<'a>(&mut self, scenario: &'a Scenario, weather: Weather) -> Result<Episode<'a>, String> {
        let Scenario { source, dest, job, options, .. } = scenario;
        self.report.runs += 1;
        let JobSpec { comparison, clock_fudge_factor, delete, .. } = job;
        let (selection, direction) = (scenario.selection, [kind(source), kind(dest)]);
        self.report.trace.push(format!(
            "-- {direction:?} {selection:?} {comparison:?} {clock_fudge_factor:?} {delete:?} {options:?} {weather:?}"
        ));
        let cancel = CancellationToken::new();
        let uploads_before = dest.unfinished_uploads();
        let before = [objects(source), objects(dest)];
        Storm::over(scenario, weather.clone(), &self.chronicle, &cancel);
        for (side, objects) in ["source", "dest"].iter().zip(&before) {
            self.report.trace.extend(objects.iter().map(|(key, version)| format!("   {side} has {key}: {version:?}")));
        }
        let passing = tokio::spawn(pass_by(source.clone(), dest.clone(), weather));
        let run = run(Run {
            job: job.clone(),
            options: options.clone(),
            source: Arc::new(source.clone()),
            dest: Arc::new(dest.clone()),
            ledger: None,
            clock: Arc::new(std::time::SystemTime::now),
            observer: Arc::new(self.chronicle.clone()),
            cancel,
        });
        let ended = tokio::time::timeout(FOREVER, run).await;
        self.chronicle.record(Happened::Ended(format!("{ended:?}")));
        passing.abort();
        // Whatever is still under way shows itself.
        tokio::time::sleep(Duration::from_hours(1)).await;
        let after = [objects(source), objects(dest)];
        source.set_fates(None);
        dest.set_fates(None);
        let records = self.chronicle.take();
        self.report.trace.extend(records.iter().map(|(time, happened)| format!("{time:>8} ms  {}", line(happened))));
        let ended = ended.map_err(|_| "the run hangs".to_owned())?;
        let episode = Episode { scenario, before, after, records, ended };
        let seen = Witness::hear(&episode)?;
        ends::check(&episode, &seen)?;
        let lost_uploads = seen.lost_begins;
        if dest.unfinished_uploads() - uploads_before > lost_uploads {
            return Err("an upload was neither finished nor given up".into());
        }
        Ok(episode)
    }
}

fn objects(store: &MemoryStore) -> Objects {
    let versions = store.versions().into_iter();
    versions.map(|(entry, body)| (entry.key.clone(), Version { entry, body })).collect()
}

fn line(happened: &Happened) -> String {
    match happened {
        Happened::Call { side, call, key, strike: Strike::None } => format!("{side:?} {call:?} {key}"),
        Happened::Call { side, call, key, strike } => format!("{side:?} {call:?} {key}: {strike:?}"),
        Happened::Changed { side, key, before, after, by_us } => {
            let who = if *by_us { "we" } else { "somebody else" };
            format!("    {who} changed {side:?} {key}: {before:?} -> {after:?}")
        }
        other => format!("  {other:?}"),
    }
}

impl Episode<'_> {
    /// Why the run ended before its end.
    pub(crate) fn why(&self) -> Option<&Why> {
        self.ended.as_ref().err().map(|error| &error.why)
    }

    /// How often this was called at the destination.
    pub(crate) fn count_at_dest(&self, wanted: Call) -> usize {
        let is_it =
            |happened: &Happened| matches!(happened, Happened::Call { side: Side::Dest, call, .. } if *call == wanted);
        self.records.iter().filter(|(_, happened)| is_it(happened)).count()
    }
}
