//! How an object is represented where one side is a tree: the headers that go with its content.

use brigade_store::{Entry, ObjectHeaders, Version};

/// The headers that a copy of this version gets.
///
/// The content's own modification time travels along; where the source has
/// none of its own, when it was last modified there stands for it. The content type is
/// the source's, or guessed from the key's extension.
pub(crate) fn headers(entry: &Entry, source: &ObjectHeaders) -> ObjectHeaders {
    ObjectHeaders {
        modified: source.modified.or(Some(entry.modified)),
        content_type: source.content_type.clone().or_else(|| guess_content_type(entry)),
        ..ObjectHeaders::default()
    }
}

fn guess_content_type(entry: &Entry) -> Option<String> {
    let Version::File { .. } = entry.version else {
        return None;
    };
    // Without a charset: what a page says of itself must go on to count.
    mime_guess::from_path(entry.key.as_text()?).first_raw().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use brigade_store::Key;

    use super::*;

    fn entry(key: &str, version: Version) -> Entry {
        Entry { key: Key::from(key), size: 1, modified: SystemTime::UNIX_EPOCH, version }
    }

    #[test]
    fn a_file_gets_the_type_that_its_extension_names() {
        let table = [("a/index.html", Some("text/html")), ("x.JPG", Some("image/jpeg")), ("noext", None)];
        for (key, expected) in table {
            let file = Version::File { changed: SystemTime::UNIX_EPOCH, inode: 1, device: 1 };
            let headers = headers(&entry(key, file), &ObjectHeaders::default());
            assert_eq!(headers.content_type.as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn what_the_source_says_travels_along_and_last_modified_stands_in() {
        let object = entry("a.html", Version::object("e"));
        let bare = headers(&object, &ObjectHeaders::default());
        let listed = ObjectHeaders { modified: Some(object.modified), content_type: None, ..ObjectHeaders::default() };
        assert_eq!(bare, listed);
        let own = ObjectHeaders {
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(5)),
            content_type: Some("text/x-own".into()),
            ..ObjectHeaders::default()
        };
        assert_eq!(headers(&object, &own), own);
    }
}
