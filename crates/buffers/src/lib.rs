//! Memory for long bodies, used again and again.
//!
//! An allocator gives large blocks back to the system soon after they are free,
//! and the system hands them out again as new, page by page, each cleared: a
//! third of the CPU time of a 2 GiB download. Here they wait for the next body.
//!
//! What waits never adds to the most that was in use at one time: for each new
//! block as many waiting bytes are given up.

mod idle;

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use idle::Idle;

/// Bytes from which on a body's memory is kept for another.
pub const KEPT_FROM: usize = 64 << 10;

/// What waits, for all of the process, as the allocator's memory is.
static IDLE: Mutex<Idle> = Mutex::new(Idle::new());

/// The memory of one body: filled, then shared as [`Bytes`]. When the last who
/// has it lets go, it waits for another body.
#[derive(Debug)]
pub struct Buffer {
    /// As long as the body, or longer.
    block: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Memory for a body of so many bytes. What they are at first is not said.
    #[must_use]
    pub fn of(length: usize) -> Self {
        let capacity = capacity_for(length);
        let block = if length < KEPT_FROM { None } else { idle().take(capacity) };
        // Zeroes of this size come from the system, which clears pages when they are first written to.
        let block = block.unwrap_or_else(|| vec![0; capacity]);
        Self { block, length }
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

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.block.len() >= KEPT_FROM {
            let block = std::mem::take(&mut self.block);
            idle().put(block);
        }
    }
}

/// Bytes to take for a body of so many: few different sizes fit more of the bodies to come.
fn capacity_for(length: usize) -> usize {
    if length < KEPT_FROM {
        return length;
    }
    // Four sizes up to each power of two. What a body doesn't need of it is never touched.
    let step = length.checked_next_power_of_two().unwrap_or_default() / 8;
    length.checked_next_multiple_of(step).unwrap_or(length)
}

fn idle() -> MutexGuard<'static, Idle> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_long_as_was_asked_and_has_what_was_written() {
        for length in [0, 1, KEPT_FROM - 1, KEPT_FROM, KEPT_FROM + 1, 1_000_001] {
            let mut buffer = Buffer::of(length);
            buffer.bytes_mut().fill(7);
            assert_eq!(buffer.freeze(), vec![7; length]);
        }
        let mut cut = Buffer::of(3 * KEPT_FROM);
        cut.bytes_mut()[..2].copy_from_slice(b"ab");
        cut.truncate(2);
        assert_eq!(&cut.freeze()[..], b"ab");
    }

    #[test]
    fn a_body_that_is_still_shared_keeps_its_memory() {
        let body = |byte: u8| {
            let mut buffer = Buffer::of(5 * KEPT_FROM);
            buffer.bytes_mut().fill(byte);
            buffer.freeze()
        };
        let first = body(1);
        let part = first.slice(10..);
        drop(first);
        let second = body(2);
        assert!(part.iter().all(|&byte| byte == 1) && second.iter().all(|&byte| byte == 2));
    }

    #[test]
    fn there_are_few_sizes_and_none_is_much_larger_than_the_body() {
        for length in [KEPT_FROM, KEPT_FROM + 1, 100_000, 1 << 20, (1 << 20) + 1, 8 << 20, usize::MAX] {
            let capacity = capacity_for(length);
            assert!(capacity >= length && capacity - length <= length / 4, "{length}: {capacity}");
        }
        assert_eq!(capacity_for(8 << 20), 8 << 20);
        assert_eq!(capacity_for((1 << 20) + 1), (1 << 20) + (1 << 18));
    }
}
