//! Crashes at every step: a calm run is killed at its first step, then again from
//! the same beginning at its second, and so on until it runs through.

use fastrand::Rng;

use super::course::{Course, Report, in_still_time};
use super::scenario::Scenario;
use super::storm::{Weather, lot};
use super::{between, ends};

/// Kills the seed's run at this step. The report says of no crash where the run is over before.
pub(crate) fn live_and_die(seed: u64, step: u64) -> Report {
    in_still_time(async move |course| course.run_into(seed, step).await)
}

impl Course {
    async fn run_into(&mut self, seed: u64, step: u64) -> Result<(), String> {
        let mut rng = Rng::with_seed(seed);
        let mut scenario = Scenario::draw(&mut rng);
        scenario.fill(&mut rng);
        scenario.mend();
        scenario.freshen(&mut rng);
        let first = self.episode(&scenario, Weather::crash(&mut rng, step)).await?;
        if first.ended.is_some() {
            ends::is_in_step_after_mending(&first)?;
            return Ok(());
        }
        let mut rng = lot(seed, &[&step.to_le_bytes()]);
        while rng.u64(..4) == 0 {
            self.episode(&scenario, Weather::crash(&mut rng, step)).await?;
        }
        if rng.u64(..4) == 0 {
            self.meanwhile(&mut scenario, |scenario| {
                between::pass(scenario, &mut rng);
                scenario.mend();
            });
        }
        let is_in_step = self.comes_into_step(&scenario, &mut rng).await?;
        if is_in_step && rng.u64(..8) == 0 {
            self.stays_in_step(&scenario, &mut rng).await?;
        }
        Ok(())
    }
}
