//! The program from end to end, as a black box, against real servers: the
//! embedded one, SeaweedFS and moto. `scripts/test` installs what this needs.

#![cfg(feature = "devserver")]

#[cfg(test)]
mod access_control;
#[cfg(test)]
mod archives;
#[cfg(test)]
mod bad_ledgers;
#[cfg(test)]
mod buckets;
#[cfg(test)]
mod carrying;
#[cfg(test)]
mod changed_between_runs;
#[cfg(test)]
mod changing_files;
#[cfg(test)]
mod changing_trees;
#[cfg(test)]
mod checking;
#[cfg(test)]
mod cleaning_up;
mod closed_streams;
#[cfg(test)]
mod comparing;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod copied_meanwhile;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod cross_checked;
#[cfg(test)]
mod deleting;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod down;
#[cfg(test)]
mod ended_sessions;
#[cfg(test)]
mod explaining;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod file_or_directory;
#[cfg(test)]
mod filtering;
#[cfg(test)]
mod full_disks;
#[cfg(test)]
mod google;
#[cfg(test)]
mod google_tokens;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile_keys;
#[cfg(test)]
mod hostile_listings;
#[cfg(test)]
mod hostile_servers;
#[cfg(test)]
mod indexing;
#[cfg(test)]
mod interruptions;
#[cfg(test)]
mod inventories;
#[cfg(test)]
mod lagging_listings;
mod large_copies;
#[cfg(test)]
mod ledgers;
#[cfg(test)]
mod leftovers;
mod limits;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod lost_replies;
#[cfg(test)]
mod lying_sources;
#[cfg(test)]
mod many_failures;
#[cfg(test)]
mod markers;
#[cfg(test)]
mod measuring;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod names;
#[cfg(test)]
mod odd_files;
#[cfg(test)]
mod order;
#[cfg(test)]
mod output;
#[cfg(test)]
mod planted_links;
#[cfg(test)]
mod probing;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod pruning;
#[cfg(test)]
mod reaching;
#[cfg(test)]
mod refused_tokens;
#[cfg(test)]
mod removing;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod set_ups;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod showing;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod special_files;
#[cfg(test)]
mod stopped_servers;
mod storms;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod two_writers;
#[cfg(test)]
mod up;
#[cfg(test)]
mod written_later;
#[cfg(test)]
mod written_meanwhile;
#[cfg(test)]
mod wrong_answers;
