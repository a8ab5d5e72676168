//! The body of an answer, taken in whole.

use brigade_buffers::Buffer;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::bandwidth::Bandwidth;
use crate::failure::Failure;
use crate::outgoing::Progress;

/// Bytes of memory that are taken because an answer claims to be so long, before they have come: as many as the largest
/// part has of which four fit into the memory that a run has by default (256 MiB).
const RESERVED_ON_TRUST: u64 = 64 << 20;

/// What becomes of the pieces of a body as they come, beside the body.
pub(crate) struct Reception<'a> {
    pub(crate) progress: &'a Progress,
    /// Whether each piece shows that the service is at work, however small it is.
    pub(crate) counts_each: bool,
    pub(crate) bandwidth: Option<&'a Bandwidth>,
}

impl Reception<'_> {
    async fn received(&self, bytes: u64) {
        if self.counts_each {
            self.progress.mark();
        } else {
            self.progress.received(bytes);
        }
        if let Some(bandwidth) = self.bandwidth {
            bandwidth.pass(bytes, self.progress).await;
        }
    }
}

/// Takes in a body whole. One that ends before its `Content-Length` is an
/// error, and so is one of more bytes than the limit, whether they come or are
/// only announced: no memory is taken for it.
pub(crate) async fn collect(
    mut body: Incoming,
    limit: u64,
    host: &str,
    reception: Reception<'_>,
) -> Result<Bytes, Failure> {
    let expected = body.size_hint();
    if expected.lower() > limit {
        return Err(Failure::too_long(limit));
    }
    let mut come = Come::Nothing;
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::broken(host, &error))?;
        let Ok(data) = frame.into_data() else { continue };
        reception.received(data.len() as u64).await;
        length += data.len() as u64;
        if length > limit {
            return Err(Failure::too_long(limit));
        }
        come = come.and(data, expected.exact());
    }
    Ok(come.whole())
}

/// What has come of a body.
enum Come {
    Nothing,
    /// One piece: a small body is no more than that, and needs no copy.
    One(Bytes),
    /// The beginning of a body whose length is known.
    Placed {
        buffer: Buffer,
        length: usize,
    },
    /// The beginning of one that didn't tell, or claims more than is believed.
    Growing(BytesMut),
}

impl Come {
    /// The same with the next piece of a body of this length, if it is known.
    fn and(self, data: Bytes, expected: Option<u64>) -> Self {
        match self {
            Self::Nothing => Self::One(data),
            Self::One(first) => Self::beginning(expected).and(first, expected).and(data, expected),
            Self::Placed { mut buffer, length } => {
                let end = length + data.len();
                match buffer.bytes_mut().get_mut(length..end) {
                    Some(place) => {
                        place.copy_from_slice(&data);
                        Self::Placed { buffer, length: end }
                    }
                    // More than was announced.
                    None => Self::Growing(BytesMut::from(&buffer.bytes_mut()[..length])).and(data, expected),
                }
            }
            Self::Growing(mut rest) => {
                rest.extend_from_slice(&data);
                Self::Growing(rest)
            }
        }
    }

    fn beginning(expected: Option<u64>) -> Self {
        let reserved = usize::try_from(expected.unwrap_or(0).min(RESERVED_ON_TRUST)).unwrap_or(0);
        if expected.is_some_and(|expected| expected <= RESERVED_ON_TRUST) {
            Self::Placed { buffer: Buffer::of(reserved), length: 0 }
        } else {
            Self::Growing(BytesMut::with_capacity(reserved))
        }
    }

    fn whole(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(data) => data,
            Self::Placed { mut buffer, length } => {
                buffer.truncate(length);
                buffer.freeze()
            }
            Self::Growing(rest) => rest.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_the_body_whatever_was_announced() {
        const MUCH: u64 = RESERVED_ON_TRUST + 1;
        for pieces in [&["ab", "cde", "f"][..], &["abcdef"], &["", "abcdef"], &["a", "b", "c", "d", "e", "f"]] {
            for expected in [None, Some(0), Some(3), Some(6), Some(9), Some(MUCH), Some(u64::MAX)] {
                let add = |come: Come, piece: &&'static str| come.and(Bytes::from_static(piece.as_bytes()), expected);
                let whole = pieces.iter().fold(Come::Nothing, add).whole();
                assert_eq!(whole, "abcdef", "{pieces:?}, announced as {expected:?}");
            }
        }
        assert!(Come::Nothing.whole().is_empty());
    }

    /// One that grows is copied each time that it does, and its memory is nobody else's afterwards.
    #[test]
    fn a_body_has_its_place_as_far_as_its_length_is_believed() {
        for (length, is_believed) in [(3, true), (RESERVED_ON_TRUST, true), (RESERVED_ON_TRUST + 1, false)] {
            let two =
                Come::Nothing.and(Bytes::from_static(b"a"), Some(length)).and(Bytes::from_static(b"b"), Some(length));
            assert_eq!(matches!(two, Come::Placed { length: 2, .. }), is_believed, "{length}");
        }
    }

    #[test]
    fn of_memory_that_another_body_had_only_what_came_shows() {
        const LONG: usize = 13 * brigade_buffers::KEPT_FROM;
        let body = |byte: u8, length: usize| {
            let add = |come: Come, piece: &[u8]| come.and(Bytes::copy_from_slice(piece), Some(LONG as u64));
            vec![byte; length].chunks(40_000).fold(Come::Nothing, add).whole()
        };
        for (byte, length) in [(9, LONG), (1, LONG), (2, LONG - 1), (3, 40_001), (4, LONG + 1)] {
            assert!(body(byte, length) == vec![byte; length], "{length} bytes of {byte}");
        }
    }
}
