//! Versions and delete markers in one order, as S3 lists them: `s3s` writes first the
//! ones and then the others.

use bytes::Bytes;
use http::Response;

/// In a response's extensions: which of the elements, in the order of the listing, are
/// delete markers.
#[derive(Clone)]
pub(crate) struct DeleteMarkers(pub(crate) Vec<bool>);

const MARKER: [&str; 2] = ["<DeleteMarker>", "</DeleteMarker>"];
const VERSION: [&str; 2] = ["<Version>", "</Version>"];

/// The response with its elements in the order of the listing, if it is one of versions.
pub(crate) fn interleaved(mut response: Response<s3s::Body>) -> Response<s3s::Body> {
    if let Some(DeleteMarkers(order)) = response.extensions_mut().remove()
        && let Some(xml) = response.body().bytes()
        && let Ok(xml) = std::str::from_utf8(&xml)
    {
        let body = Bytes::from(in_order(xml, &order));
        *response.body_mut() = s3s::Body::from(body);
    }
    response
}

fn in_order(xml: &str, order: &[bool]) -> String {
    let (rest, markers) = taken_out(xml, MARKER);
    let (rest, versions) = taken_out(&rest, VERSION);
    let (mut markers, mut versions) = (markers.into_iter(), versions.into_iter());
    let elements: String =
        order.iter().filter_map(|is_marker| if *is_marker { markers.next() } else { versions.next() }).collect();
    match rest.rfind("</") {
        Some(end) => rest[..end].to_owned() + &elements + &rest[end..],
        None => rest,
    }
}

/// The text without the elements between these tags, and they. Text in XML has no `<`.
fn taken_out(xml: &str, [open, close]: [&str; 2]) -> (String, Vec<String>) {
    let (mut rest, mut elements) = (String::with_capacity(xml.len()), Vec::new());
    let mut left = xml;
    while let Some((before, after)) = left.split_once(open) {
        let Some((element, after)) = after.split_once(close) else { break };
        rest.push_str(before);
        elements.push(format!("{open}{element}{close}"));
        left = after;
    }
    (rest + left, elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_in_the_order_of_the_listing() {
        let xml = "<List><DeleteMarker>2</DeleteMarker><Name>n</Name><Version>1</Version><Version>3</Version></List>";
        let expected =
            "<List><Name>n</Name><Version>1</Version><DeleteMarker>2</DeleteMarker><Version>3</Version></List>";
        assert_eq!(in_order(xml, &[false, true, false]), expected);
    }
}
