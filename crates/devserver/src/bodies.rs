//! Bodies on the wire: requests' that can be read to their end by the layer,
//! and responses' that can be cut off, or come damaged.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::StdError;

/// A request's body, shared by the operation, which reads what it wants, and
/// the layer, which reads the rest: a client that is still sending would see a
/// closed connection in the place of its answer.
#[derive(Clone)]
pub(crate) struct RequestBody(Arc<Shared>);

struct Shared {
    incoming: Mutex<Incoming>,
    read: AtomicBool,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming) -> Self {
        Self(Arc::new(Shared { incoming: Mutex::new(incoming), read: AtomicBool::new(false) }))
    }

    /// Whether anything was asked of the body.
    pub(crate) fn was_read(&self) -> bool {
        self.0.read.load(Ordering::Relaxed)
    }

    /// Reads the rest and throws it away.
    pub(crate) async fn drain(mut self) {
        while let Some(Ok(_)) = self.frame().await {}
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.0.read.store(true, Ordering::Relaxed);
        let mut incoming = self.0.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.incoming.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.incoming.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// A response's body, whole, cut off or damaged.
pub(crate) struct ResponseBody {
    inner: s3s::Body,
    /// Bytes that are still let through before one is changed.
    flip: Option<u64>,
    /// Bytes that are still let through before the connection is closed.
    cut: Option<u64>,
    /// What was let through has been handed to the connection.
    flushed: bool,
}

impl ResponseBody {
    pub(crate) fn whole(inner: s3s::Body) -> Self {
        Self { inner, flip: None, cut: None, flushed: false }
    }

    /// A body that breaks after `bytes`.
    pub(crate) fn cut_off(inner: s3s::Body, bytes: u64) -> Self {
        Self { inner, flip: None, cut: Some(bytes), flushed: false }
    }

    /// A body whose byte after `bytes` is another one.
    pub(crate) fn flipped(inner: s3s::Body, bytes: u64) -> Self {
        Self { inner, flip: Some(bytes), cut: None, flushed: false }
    }
}

/// The bytes with the one after `left` changed, or how many are left before it.
fn damaged(data: &Bytes, left: u64) -> (Bytes, Option<u64>) {
    let place = usize::try_from(left).unwrap_or(usize::MAX);
    if place >= data.len() {
        return (data.clone(), Some(left - data.len() as u64));
    }
    let mut damaged = data.to_vec();
    damaged.iter_mut().skip(place).take(1).for_each(|byte| *byte = !*byte);
    (damaged.into(), None)
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.cut == Some(0) {
            // The connection writes what it has while the body has nothing to
            // give; an error would throw it away.
            if !self.flushed {
                self.flushed = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(io::Error::other("a fault on order").into())));
        }
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let (Some(left), Poll::Ready(Some(Ok(frame)))) = (self.flip, &polled)
            && let Some(data) = frame.data_ref()
        {
            let (data, left) = damaged(data, left);
            self.flip = left;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let (Some(left), Poll::Ready(Some(Ok(frame)))) = (self.cut, &polled) else { return polled };
        let Some(data) = frame.data_ref() else { return polled };
        let passed = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.cut = Some(left - passed as u64);
        Poll::Ready(Some(Ok(Frame::data(data.slice(..passed)))))
    }

    fn is_end_stream(&self) -> bool {
        self.cut.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
