//! Memory for long bodies, used again and again.
//!
//! An allocator gives large blocks back to the system soon after they are free,
//! and the system hands them out again as new, page by page, each cleared: a
//! third of the CPU time of a 2 GiB download. Here they wait for the next body.
//!
//! The blocks that wait never add to the most that were in use at one time: for
//! each new one as many waiting bytes are given up. A block is up to 1.4 times
//! as long as the body that it holds.

mod idle;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use idle::Idle;

/// Bytes from which on a body's memory is kept for another.
pub const KEPT_FROM: usize = 64 << 10;

/// What waits, for all of the process, as the allocator's memory is.
static IDLE: Mutex<Idle> = Mutex::new(Idle::new());

/// The memory of one body: filled, then shared as [`Bytes`]. When the last who
/// has it lets go, it waits for another body.
pub struct Buffer {
    /// As long as the body, or longer.
    block: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Memory for a body of so many bytes. What is in it at first is not said:
    /// whoever fills it in part must [`truncate`](Self::truncate) it.
    #[must_use]
    pub fn of(length: usize) -> Self {
        let capacity = capacity_for(length);
        Self { block: block_of(capacity), length }
    }

    /// The body, to be filled.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.block[..self.length]
    }

    /// Leaves no more than the first bytes to the body.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The body, to be shared.
    #[must_use]
    pub fn freeze(mut self) -> Bytes {
        if self.block.len() >= KEPT_FROM {
            return Bytes::from_owner(self);
        }
        let mut block = std::mem::take(&mut self.block);
        block.truncate(self.length);
        block.into()
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.block[..self.length]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Buffer").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.block.len() >= KEPT_FROM {
            let block = std::mem::take(&mut self.block);
            idle().put(block);
        }
    }
}

fn block_of(capacity: usize) -> Vec<u8> {
    if capacity >= KEPT_FROM {
        let mut idle = idle();
        if let Some(block) = idle.take(capacity) {
            return block;
        }
        let given_up = idle.give_up(capacity);
        // Giving memory back takes its time, and others want theirs.
        drop(idle);
        drop(given_up);
    }
    // Zeroes of this size come from the system, which clears pages when they are first written to.
    vec![0; capacity]
}

/// Bytes to take for a body of so many, at most an eighth more: few different
/// sizes fit more of the bodies to come.
fn capacity_for(length: usize) -> usize {
    if length < KEPT_FROM {
        return length;
    }
    let step = length.checked_next_power_of_two().unwrap_or_default() / 16;
    length.checked_next_multiple_of(step).unwrap_or(length)
}

fn idle() -> MutexGuard<'static, Idle> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(length: usize, byte: u8) -> Bytes {
        let mut buffer = Buffer::of(length);
        buffer.bytes_mut().fill(byte);
        buffer.freeze()
    }

    #[test]
    fn a_body_is_as_long_as_was_asked_and_has_what_was_written() {
        for length in [0, 1, KEPT_FROM - 1, KEPT_FROM, KEPT_FROM + 1, 1_000_001] {
            assert_eq!(filled(length, 7), vec![7; length]);
        }
    }

    #[test]
    fn what_was_in_the_memory_before_does_not_show() {
        // Sizes that no other test has: nobody else takes the block.
        for length in [11 * KEPT_FROM, 100] {
            drop(filled(length, 9));
            let mut cut = Buffer::of(length);
            cut.bytes_mut()[..2].copy_from_slice(b"ab");
            cut.truncate(2);
            assert_eq!(&cut.freeze()[..], b"ab");
        }
    }

    #[test]
    fn the_memory_of_a_body_that_is_gone_is_the_next_ones() {
        let first = filled(23 * KEPT_FROM, 1);
        let place = first.as_ptr();
        drop(first);
        let second = filled(23 * KEPT_FROM - 1, 2);
        assert_eq!(second.as_ptr(), place);
    }

    #[test]
    fn a_body_that_is_still_shared_keeps_its_memory() {
        let first = filled(5 * KEPT_FROM, 1);
        let part = first.slice(10..);
        drop(first);
        let second = filled(5 * KEPT_FROM, 2);
        assert!(part.iter().all(|&byte| byte == 1) && second.iter().all(|&byte| byte == 2));
    }

    #[test]
    fn there_are_few_sizes_and_none_is_much_larger_than_the_body() {
        for length in [KEPT_FROM, KEPT_FROM + 1, 100_000, 1 << 20, (1 << 20) + 1, 8 << 20, usize::MAX] {
            let capacity = capacity_for(length);
            assert!(capacity >= length && capacity - length <= length / 8, "{length}: {capacity}");
        }
        assert_eq!(capacity_for(8 << 20), 8 << 20);
        assert_eq!(capacity_for((1 << 20) + 1), (1 << 20) + (1 << 17));
    }
}
