//! Bodies: read to their end, taken out of their chunks, and digested.

/// Where a body ends, and what of it is content.
pub(super) struct Body {
    outer: Outer,
    inner: Option<Chunks>,
}

enum Outer {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
}

impl Body {
    pub(super) fn of(head: &super::head::Head) -> Self {
        let outer =
            if head.is_chunked { Outer::Chunked(Chunks::default()) } else { Outer::Length(head.content_length) };
        Self { outer, inner: head.is_aws_chunked.then(Chunks::default) }
    }

    /// Takes what came, up to the body's end: says how many bytes of it were the body's.
    pub(super) fn take(&mut self, bytes: &[u8], mut content: impl FnMut(&[u8])) -> usize {
        let Self { outer, inner } = self;
        let mut within = |bytes: &[u8]| match inner {
            Some(chunks) => _ = chunks.take(bytes, &mut content),
            None => content(bytes),
        };
        match outer {
            Outer::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                within(&bytes[..length]);
                *left -= length as u64;
                length
            }
            Outer::Chunked(chunks) => chunks.take(bytes, &mut within),
        }
    }

    /// Whether all of it came.
    pub(super) fn is_over(&self) -> bool {
        match &self.outer {
            Outer::Length(left) => *left == 0,
            Outer::Chunked(chunks) => chunks.place == Place::End,
        }
    }
}

/// HTTP's chunks (<https://www.rfc-editor.org/rfc/rfc9112#section-7.1>), which AWS's own resemble.
#[derive(Default)]
struct Chunks {
    place: Place,
    /// Bytes of the chunk that are still to come.
    left: u64,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    Data,
    AfterData,
    Trailer,
    End,
}

impl Chunks {
    fn take(&mut self, bytes: &[u8], content: &mut impl FnMut(&[u8])) -> usize {
        let mut at = 0;
        while at < bytes.len() && self.place != Place::End {
            if self.place == Place::Data {
                let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
                content(&bytes[at..at + length]);
                self.left -= length as u64;
                at += length;
                if self.left == 0 {
                    self.place = Place::AfterData;
                }
                continue;
            }
            let byte = bytes[at];
            at += 1;
            match byte {
                b'\n' => self.end_line(),
                b'\r' => {}
                other => self.line.push(other),
            }
        }
        at
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.place = match self.place {
            Place::Size => {
                let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
                self.left = std::str::from_utf8(size)
                    .ok()
                    .and_then(|size| u64::from_str_radix(size.trim(), 16).ok())
                    .unwrap_or_default();
                if self.left == 0 { Place::Trailer } else { Place::Data }
            }
            Place::AfterData => Place::Size,
            Place::Trailer if line.is_empty() => Place::End,
            place => place,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::Head;
    use super::*;

    /// The content, and what was left of the input, when it comes in pieces of this length.
    fn read(head: &Head, bytes: &[u8], step: usize) -> (Vec<u8>, usize) {
        let mut body = Body::of(head);
        let mut content = Vec::new();
        let mut at = 0;
        while !body.is_over() {
            let end = bytes.len().min(at + step);
            at += body.take(&bytes[at..end], |piece| content.extend_from_slice(piece));
        }
        (content, bytes.len() - at)
    }

    #[test]
    fn content_is_found_in_every_framing() {
        let chunked = b"3;chunk-signature=x\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AA\r\n\r\nnext";
        let framed = [b"1a\r\n", &chunked[..26], b"\r\n", b"26\r\n", &chunked[26..64], b"\r\n0\r\n\r\nnext"].concat();
        let length = chunked.len() as u64 - 4;
        let table = [
            (Head { content_length: 5, ..Head::default() }, &b"abcdenext"[..]),
            (Head { is_chunked: true, ..Head::default() }, chunked),
            (Head { is_aws_chunked: true, content_length: length, ..Head::default() }, chunked),
            (Head { is_aws_chunked: true, is_chunked: true, ..Head::default() }, &framed),
        ];
        for (head, bytes) in table {
            for step in [1, 2, 7, 1000] {
                assert_eq!(read(&head, bytes, step), (b"abcde".to_vec(), 4), "{head:?} by {step}");
            }
        }
        assert_eq!(read(&Head::default(), b"next", 9), (vec![], 4));
    }
}
