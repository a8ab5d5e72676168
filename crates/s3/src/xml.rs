//! Walks through an answer's XML, and writes the little that is sent.
//!
//! Only what S3 sends is taken: no document type, no entities but the five
//! predefined ones and character references, and no depth without end.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// How deep elements may stand in each other; S3's own answers need five.
const DEPTH_LIMIT: usize = 32;

/// An answer that isn't the XML which S3 sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not the XML that S3 sends: {0}")]
pub(crate) struct XmlError(pub(crate) String);

/// Calls `visit` at the end of each element, innermost first, with the
/// element's path (`ListBucketResult/Contents/Key`, without name space
/// prefixes) and the text since the last tag: all of it for an element that
/// holds only text.
pub(crate) fn walk(document: &[u8], mut visit: impl FnMut(&str, &str) -> Result<(), XmlError>) -> Result<(), XmlError> {
    let document = std::str::from_utf8(document).map_err(|_| XmlError("it is not UTF-8".to_owned()))?;
    let mut reader = Reader::from_str(document.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut path = String::new();
    let mut lengths = Vec::new();
    let mut text = String::new();
    let mut elements = 0_usize;
    loop {
        match reader.read_event().map_err(|error| XmlError(error.to_string()))? {
            Event::Start(element) => {
                if lengths.len() == DEPTH_LIMIT {
                    return Err(XmlError("its elements stand too deep".to_owned()));
                }
                elements += 1;
                lengths.push(path.len());
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(element.local_name().as_ref());
                text.clear();
            }
            Event::End(_) => {
                visit(&path, &text)?;
                text.clear();
                path.truncate(lengths.pop().unwrap_or(0));
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => text.push(resolve(&reference)?),
            Event::DocType(_) => return Err(XmlError("it has a document type".to_owned())),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if lengths.is_empty() && elements > 0 => return Ok(()),
            Event::Eof => return Err(XmlError("it ends too early".to_owned())),
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    let name: &str = reference;
    let unknown = || XmlError(format!("it has the unknown entity &{name};"));
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
        return Ok(character);
    }
    Ok(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return Err(unknown()),
    })
}

/// Appends text as it stands in an element.
pub(crate) fn escape_into(document: &mut String, text: &str) {
    document.push_str(&quick_xml::escape::escape(text));
}

/// Whether XML 1.0 can carry the text unchanged: it has no way to write most
/// control characters, nor U+FFFE and U+FFFF, and parsers turn `\r` into `\n`
/// (<https://www.w3.org/TR/xml/#charsets>, <https://www.w3.org/TR/xml/#sec-line-ends>).
pub(crate) fn can_carry(text: &str) -> bool {
    text.chars().all(|character| match character {
        '\t' | '\n' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(document: &str) -> Result<Vec<(String, String)>, XmlError> {
        let mut leaves = Vec::new();
        walk(document.as_bytes(), |path, text| {
            leaves.push((path.to_owned(), text.to_owned()));
            Ok(())
        })?;
        Ok(leaves)
    }

    #[test]
    fn paths_and_texts_are_given_in_order() {
        let document =
            "<?xml version=\"1.0\"?>\n<a xmlns=\"x\"><s:b>1 &lt;&amp;&#x41;</s:b> <c/><d><![CDATA[<>]]></d></a>";
        let expected = [("a/b", "1 <&A"), ("a/c", ""), ("a/d", "<>"), ("a", "")];
        assert_eq!(leaves(document).unwrap(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_s3_never_sends_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(33), "</a>".repeat(33));
        let refused = [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>&b;</a>",
            "<a>",
            "<a></b>",
            "",
            "plain text",
            "<a>&#0;</a>",
            deep.as_str(),
        ];
        for document in refused {
            assert!(leaves(document).is_err(), "{document}");
        }
        assert!(walk(b"<a>\xff</a>", |_, _| Ok(())).is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["plain", "<&>'\"", "a\tb\nc", "é\u{10ffff}"] {
            let mut document = "<a>".to_owned();
            escape_into(&mut document, text);
            document.push_str("</a>");
            assert_eq!(leaves(&document).unwrap()[0].1, text);
            assert!(can_carry(text), "{text:?}");
        }
        for text in ["\u{1}", "a\r", "\u{b}", "\u{fffe}", "\0"] {
            assert!(!can_carry(text), "{text:?}");
        }
    }
}
