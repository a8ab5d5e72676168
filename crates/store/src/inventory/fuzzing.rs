//! What the fuzz target reads: a manifest, and rows in CSV.

use super::columns::Columns;
use super::manifest::Manifest;
use super::rows::CsvRows;

/// Why it is no manifest, if it is none.
pub(crate) fn read_manifest(text: &[u8]) -> Result<(), String> {
    Manifest::parse(text, "manifest.json").map(drop).map_err(|error| error.to_string())
}

/// The keys of all rows, of a report of versions.
pub(crate) fn read_rows(text: &[u8]) -> Result<Vec<String>, String> {
    let columns = Columns::among([
        "Key",
        "VersionId",
        "IsLatest",
        "IsDeleteMarker",
        "Size",
        "LastModifiedDate",
        "ETag",
        "StorageClass",
    ])?;
    let (mut rows, mut keys) = (CsvRows::new(text, columns), Vec::new());
    while let Some(page) = rows.next_page(2)? {
        keys.extend(page.objects.into_iter().map(|object| object.key));
    }
    Ok(keys)
}
