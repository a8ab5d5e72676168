//! Two vectors as one: what is done to both, one after the other, overlaps in
//! the processor, which has to wait for either.

use std::ops::{Add, BitAnd, BitOr, BitXor, Not, Shl, Shr};

/// What hash functions do to words, of as many messages as there are lanes.
pub(super) trait Words:
    Copy
    + Add<Output = Self>
    + Add<u32, Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
    #[inline(always)]
    fn rotated_left<const BITS: u32>(self) -> Self {
        (self << BITS) | (self >> (32 - BITS))
    }

    #[inline(always)]
    fn rotated_right<const BITS: u32>(self) -> Self {
        (self >> BITS) | (self << (32 - BITS))
    }
}

impl<S: fearless_simd::Simd> Words for fearless_simd::u32x16<S> {}

/// Twice as many lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Two<W>(pub(super) W, pub(super) W);

impl<W: Words> Words for Two<W> {}

macro_rules! with_another {
    ($($operator:ident $method:ident),*) => {$(
        impl<W: Words> $operator for Two<W> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), self.1.$method(other.1))
            }
        }
    )*};
}

macro_rules! with_a_number {
    ($($operator:ident $method:ident),*) => {$(
        impl<W: Words> $operator<u32> for Two<W> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, number: u32) -> Self {
                Self(self.0.$method(number), self.1.$method(number))
            }
        }
    )*};
}

with_another!(Add add, BitAnd bitand, BitOr bitor, BitXor bitxor);
with_a_number!(Add add, Shl shl, Shr shr);

impl<W: Words> Not for Two<W> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0, !self.1)
    }
}
