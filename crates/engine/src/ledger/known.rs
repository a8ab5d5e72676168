//! What the ledger knows of a range, as a strip of the merge: its settled pairs, and, where
//! they stand for a listing of the destination, the keys of which it holds something else.

use std::sync::Arc;

use brigade_store::{Key, KeyRange, Listed};
use tokio_util::task::AbortOnDropHandle;

use super::{Apart, Ledger, LedgerError, SettledPair};
use crate::events::Side;
use crate::merge::Keyed;

/// Rows that are read at once.
const PAGE: usize = 1000;

/// What is known of some keys that follow each other.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) pairs: Vec<SettledPair>,
    /// Those of which the destination holds something else; they are read only where it isn't listed.
    pub(crate) apart: Vec<Apart>,
    /// Up to where all of them are here, where more follow.
    pub(crate) reach: Option<Key>,
}

/// What is known of a range, a page ahead of who reads it.
pub(crate) struct KnownStrip {
    ledger: Option<Arc<dyn Ledger>>,
    through: Option<Key>,
    reads_apart: bool,
    coming: Option<AbortOnDropHandle<Result<Known, LedgerError>>>,
}

impl KnownStrip {
    /// The range; without a ledger, nothing is known of it.
    pub(crate) fn new(ledger: Option<Arc<dyn Ledger>>, range: &KeyRange, reads_apart: bool) -> Self {
        let mut strip = Self { ledger, through: range.through.clone(), reads_apart, coming: None };
        strip.ask(range.after.clone());
        strip
    }

    /// The next page, never empty; `None` at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Known>, LedgerError> {
        while let Some(coming) = self.coming.take() {
            let mut known = coming.await??;
            let is_over = |key: &Key| self.through.as_ref().is_some_and(|through| key > through);
            match &known.reach {
                Some(reach) if !is_over(reach) => self.ask(Some(reach.clone())),
                _ => {
                    known.pairs.retain(|pair| !is_over(&pair.key));
                    known.apart.retain(|apart| !is_over(&apart.key));
                }
            }
            if !known.pairs.is_empty() || !known.apart.is_empty() {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    fn ask(&mut self, after: Option<Key>) {
        if let Some(ledger) = self.ledger.clone() {
            let reads_apart = self.reads_apart;
            let page = tokio::spawn(async move { Known::after(ledger.as_ref(), after.as_ref(), reads_apart).await });
            self.coming = Some(AbortOnDropHandle::new(page));
        }
    }
}

impl Known {
    async fn after(ledger: &dyn Ledger, after: Option<&Key>, reads_apart: bool) -> Result<Self, LedgerError> {
        let mut pairs = ledger.page(after, PAGE).await?;
        let mut apart = if reads_apart { ledger.apart(after, PAGE).await? } else { vec![] };
        // A full page says nothing of what comes after its last key.
        let full_pages = [last_of_full(&pairs), last_of_full(&apart)];
        let reach = full_pages.into_iter().flatten().min();
        if let Some(reach) = &reach {
            pairs.truncate(pairs.partition_point(|pair| pair.key <= *reach));
            apart.truncate(apart.partition_point(|apart| apart.key <= *reach));
        }
        Ok(Self { pairs, apart, reach })
    }

    /// What a listing of the destination would show, but for the times.
    pub(crate) fn listed_at_dest(&self) -> Vec<Listed> {
        let is_apart = |key: &Key| self.apart.binary_search_by(|apart| apart.key.cmp(key)).is_ok();
        let settled = self.pairs.iter().filter(|pair| self.apart.is_empty() || !is_apart(&pair.key));
        let settled = settled.filter_map(|pair| pair.listed_on(Side::Dest).map(Listed::Present));
        let mut listed: Vec<Listed> = settled.chain(self.apart.iter().filter_map(Apart::listed)).collect();
        if !self.apart.is_empty() {
            listed.sort_unstable_by(|one, other| one.key().cmp(other.key()));
        }
        listed
    }

    /// The pair of a key, if it is here.
    pub(crate) fn pair(&self, key: &Key) -> Option<&SettledPair> {
        let place = self.pairs.binary_search_by(|pair| pair.key.cmp(key)).ok()?;
        self.pairs.get(place)
    }
}

fn last_of_full<T: Keyed>(page: &[T]) -> Option<Key> {
    page.last().filter(|_| page.len() == PAGE).map(|last| last.key().clone())
}
