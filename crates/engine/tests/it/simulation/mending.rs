//! Mends a scenario, so that a calm run can bring all of it into step.

use brigade_engine::job::DeleteLimit;
use brigade_store::memory::MemoryStore;
use brigade_store::{Key, Kind};

use super::model::holds;
use super::scenario::{Scenario, is_below, kind};

impl Scenario {
    /// Mends what a run can only name: places that can't be told of, keys that one side can't hold.
    pub(crate) fn mend(&mut self) {
        self.unknowns = [vec![], vec![]];
        for (store, other) in [(&self.source, &self.dest), (&self.dest, &self.source)] {
            store.forget_unknowns();
            let keys: Vec<Key> = store.contents().into_keys().collect();
            for key in keys {
                let in_the_way = kind(other) == Kind::Local && stands_below(store, &key);
                let is_marker_with_content =
                    kind(other) == Kind::Local && key.is_marker() && !store.contents()[&key].is_empty();
                if in_the_way || is_marker_with_content || !holds(kind(other), &key) {
                    store.take(key);
                }
            }
        }
        if kind(&self.dest) == Kind::Local {
            self.clear_the_way();
        }
        if self.writes_later {
            self.write_later();
        }
        self.job.delete = Some(DeleteLimit::Unlimited);
        self.options.limit = None;
        self.options.dry_run = false;
    }

    /// Takes away what no run may: what is excluded and stands in the way, and directories without files.
    fn clear_the_way(&self) {
        let wanted = self.source.contents();
        for key in self.dest.contents().into_keys().filter(|key| !self.selection.includes(key)) {
            if wanted.keys().any(|wanted| is_below(wanted, &key) || is_below(&key, wanted)) {
                self.dest.take(key);
            }
        }
        for key in wanted.into_keys().filter(|key| !key.is_marker()) {
            self.dest.take(Key::new([key.as_bytes(), b"/"].concat()));
        }
    }
}

fn stands_below(store: &MemoryStore, key: &Key) -> bool {
    store.contents().keys().any(|other| is_below(key, other))
}
