//! The course of one seed: runs through storms and crashes, then calm, then mended, until in step.

use std::sync::Arc;
use std::time::Duration;

use brigade_engine::error::RunError;
use brigade_engine::events::Summary;
use brigade_engine::job::{Comparison, JobSpec};
use brigade_engine::ledger::Ledger;
use brigade_engine::run::{Run, run};
use brigade_store::Kind;
use brigade_store::memory::{Loss, MemoryStore};
use fastrand::Rng;
use tokio_util::sync::CancellationToken;

use super::chronicle::{Chronicle, Happened, Version};
use super::crash::{Crash, Mortal};
use super::episode::{Episode, line};
use super::past::Past;
use super::scenario::{Scenario, kind};
use super::storm::{Storm, Weather, lot, pass_by};
use super::thrift::{Done, pairs_are_true};
use super::witness::{Objects, Witness};
use super::{between, ends};

/// Longer than any run takes, by a clock that only moves when all wait.
const FOREVER: Duration = Duration::from_hours(24 * 30);

/// From one run to the next.
const UNTIL_NEXT: Duration = Duration::from_hours(1);

/// What came of a seed.
pub(crate) struct Report {
    /// How many runs there were.
    pub(crate) runs: u64,
    /// How many of them were killed.
    pub(crate) crashes: u64,
    /// Everything that happened, a line each.
    pub(crate) trace: Vec<String>,
    /// What was wrong; `None` where all was right.
    pub(crate) violation: Option<String>,
}

/// Lives through a seed.
pub(crate) fn live(seed: u64) -> Report {
    in_still_time(async move |course| course.run(seed).await)
}

/// Lives through what this makes of a course, where time stands still.
pub(crate) fn in_still_time(through: impl AsyncFnOnce(&mut Course) -> Result<(), String>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let report = Report { runs: 0, crashes: 0, trace: vec![], violation: None };
        let mut course = Course { chronicle: Chronicle::new(), past: Past::default(), report };
        course.report.violation = through(&mut course).await.err();
        course.report
    })
}

/// Runs one after another.
pub(crate) struct Course {
    chronicle: Chronicle,
    past: Past,
    pub(crate) report: Report,
}

impl Course {
    async fn run(&mut self, seed: u64) -> Result<(), String> {
        let mut rng = Rng::with_seed(seed);
        let mut scenario = Scenario::draw(&mut rng);
        scenario.fill(&mut rng);
        scenario.freshen(&mut rng);
        for _ in 0..rng.u64(1..=4) {
            self.episode(&scenario, Weather::draw(&mut rng)).await?;
            if rng.u64(..3) == 0 {
                self.meanwhile(&mut scenario, |scenario| between::pass(scenario, &mut rng));
            }
        }
        self.episode(&scenario, Weather::calm(&mut rng)).await?;
        self.meanwhile(&mut scenario, Scenario::mend);
        if self.comes_into_step(&scenario, &mut rng).await? {
            self.stays_in_step(&scenario, &mut rng).await?;
        }
        Ok(())
    }

    /// Runs, calmly, until a run from the start has brought all into step;
    /// `false` where that was refused for an empty source.
    pub(crate) async fn comes_into_step(&mut self, scenario: &Scenario, rng: &mut Rng) -> Result<bool, String> {
        loop {
            let episode = self.episode(scenario, Weather::calm(rng)).await?;
            // What others did behind a cursor is seen by the run after it.
            let sees_all = self.past.is_untouched() && !scenario.misleads();
            if !episode.takes_up() || sees_all {
                return ends::is_in_step_after_mending(&episode);
            }
        }
    }

    /// Runs once more, and changes nothing.
    pub(crate) async fn stays_in_step(&mut self, scenario: &Scenario, rng: &mut Rng) -> Result<(), String> {
        let again = self.episode(scenario, Weather::calm(rng)).await?;
        // These send again what was written only now, and so does whoever was misled by a store's order.
        let sends_again = matches!(scenario.job.comparison, Comparison::Always | Comparison::Mtime);
        if sends_again || again.records.iter().any(|(_, happened)| *happened == Happened::Reordered) {
            return Ok(());
        }
        ends::nothing_left_to_do(&again)
    }

    /// Takes note of what somebody else does between two runs.
    pub(crate) fn meanwhile(&mut self, scenario: &mut Scenario, does: impl FnOnce(&mut Scenario)) {
        let before = scenario.objects();
        does(scenario);
        let after = scenario.objects();
        self.past.touch(&before, &after);
        self.report.trace.push(format!("-- meanwhile: {:?}", self.past.touched));
    }

    /// One run in this weather, checked.
    pub(crate) async fn episode<'a>(
        &mut self,
        scenario: &'a Scenario,
        weather: Weather,
    ) -> Result<Episode<'a>, String> {
        self.report.runs += 1;
        self.tell_of(scenario, &weather);
        let (begun, before) = ((scenario.clock)(), scenario.objects());
        let done = Done::by_now(scenario, &before).await;
        let ended = self.execute(scenario, &weather).await?;
        if ended.is_none() {
            self.report.crashes += 1;
            Self::leave_as_killed(scenario);
        }
        let after = scenario.objects();
        let records = self.chronicle.take();
        self.report.trace.extend(records.iter().map(|(time, happened)| format!("{time:>8} ms  {}", line(happened))));
        let episode = Episode { scenario, weather, begun, before, after, records, ended };
        let seen = Witness::hear(&episode, &self.past)?;
        ends::check(&episode, &seen)?;
        done.check(&episode, &seen)?;
        done.check_uploads(&Done::by_now(scenario, &episode.after).await, &episode, &seen)?;
        pairs_are_true(scenario, &episode.after)?;
        let later = Past::of(&seen);
        self.past.add(later, &episode);
        if episode.ended.is_none() {
            if episode.weather.power_cut {
                self.cut_power(&episode)?;
            }
            tokio::time::sleep(UNTIL_NEXT).await;
        }
        Ok(episode)
    }

    /// Runs until it ends (`None`: is killed), and everything of it has shown itself.
    async fn execute(
        &mut self,
        scenario: &Scenario,
        weather: &Weather,
    ) -> Result<Option<Result<Summary, RunError>>, String> {
        let Scenario { source, dest, job, options, clock, .. } = scenario;
        let cancel = CancellationToken::new();
        let crash = Arc::new(Crash::new(weather.crashed_at, &self.chronicle));
        Storm::over(scenario, weather.clone(), &self.chronicle, &cancel, &crash);
        let passing = tokio::spawn(pass_by(source.clone(), dest.clone(), weather.clone()));
        let takes = Duration::from_millis(lot(weather.seed, &[b"commit"]).u64(1..1500));
        let ledger = scenario.ledger.clone().map(|ledger| Mortal { ledger, crash: Arc::clone(&crash), takes });
        let run = run(Run {
            job: job.clone(),
            options: options.clone(),
            source: Arc::new(source.clone()),
            dest: Arc::new(dest.clone()),
            ledger: ledger.map(|ledger| Arc::new(ledger) as Arc<dyn Ledger>),
            clock: Arc::clone(clock),
            observer: Arc::new(self.chronicle.clone()),
            cancel,
        });
        let ended = tokio::select! {
            biased;
            () = crash.comes() => None,
            ended = tokio::time::timeout(FOREVER, run) => Some(ended.map_err(|_| "the run hangs".to_owned())?),
        };
        passing.abort();
        match &ended {
            Some(ended) => {
                self.chronicle.record(Happened::Ended(format!("{ended:?}")));
                // Whatever is still under way shows itself.
                tokio::time::sleep(UNTIL_NEXT).await;
            }
            // All of it is dropped by then.
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
        source.set_fates(None);
        dest.set_fates(None);
        Ok(ended)
    }

    fn tell_of(&mut self, scenario: &Scenario, weather: &Weather) {
        let JobSpec { comparison, clock_fudge_factor, delete, .. } = &scenario.job;
        let Scenario { source, dest, options, selection, ledger, clock, .. } = scenario;
        let (direction, trace) = ([kind(source), kind(dest)], &mut self.report.trace);
        trace.push(format!(
            "-- {direction:?} {selection:?} {comparison:?} {clock_fudge_factor:?} {delete:?} {options:?} {weather:?}, \
             ledger: {}, at {:?}",
            ledger.is_some(),
            clock()
        ));
        for (side, objects) in ["source", "dest"].iter().zip(&scenario.objects()) {
            trace.extend(objects.iter().map(|(key, version)| format!("   {side} has {key}: {version:?}")));
        }
    }

    /// A tree's temporary files are swept by the next run.
    fn leave_as_killed(scenario: &Scenario) {
        if kind(&scenario.dest) == Kind::Local {
            scenario.dest.forget_uploads();
        }
    }

    fn cut_power(&mut self, episode: &Episode<'_>) -> Result<(), String> {
        let Episode { scenario, weather, .. } = episode;
        let before = scenario.objects();
        for store in [&scenario.source, &scenario.dest] {
            store.cut_power(|key| {
                *lot(weather.seed, &[b"power", key.as_bytes()])
                    .choice(&[Loss::Nothing, Loss::Undone, Loss::Emptied, Loss::Torn])
                    .unwrap()
            });
        }
        let after = scenario.objects();
        self.past.touch(&before, &after);
        self.report.trace.push(format!("-- the power is cut: {:?}", self.past.touched));
        pairs_are_true(scenario, &after)
    }
}

impl Scenario {
    /// What both stores hold: source, destination.
    pub(crate) fn objects(&self) -> [Objects; 2] {
        [&self.source, &self.dest].map(objects)
    }
}

fn objects(store: &MemoryStore) -> Objects {
    let versions = store.versions().into_iter();
    versions.map(|(entry, body)| (entry.key.clone(), Version { entry, body })).collect()
}
