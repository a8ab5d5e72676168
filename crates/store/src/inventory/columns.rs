//! The columns of a report: which there are, and which there must be.

/// The places of those columns that a listing is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) key: usize,
    pub(super) size: usize,
    pub(super) modified: usize,
    pub(super) etag: usize,
    pub(super) storage_class: usize,
    /// Only in reports of all versions.
    pub(super) is_latest: Option<usize>,
    pub(super) is_delete_marker: Option<usize>,
    /// How many there are of all kinds.
    pub(super) count: usize,
}

/// What the columns are called, in CSV and in Parquet
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html>).
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    csv: &'static str,
    parquet: &'static str,
}

const KEY: Column = Column { csv: "Key", parquet: "key" };
const SIZE: Column = Column { csv: "Size", parquet: "size" };
const MODIFIED: Column = Column { csv: "LastModifiedDate", parquet: "last_modified_date" };
const ETAG: Column = Column { csv: "ETag", parquet: "e_tag" };
const CLASS: Column = Column { csv: "StorageClass", parquet: "storage_class" };
const VERSION: Column = Column { csv: "VersionId", parquet: "version_id" };
const IS_LATEST: Column = Column { csv: "IsLatest", parquet: "is_latest" };
const IS_DELETE_MARKER: Column = Column { csv: "IsDeleteMarker", parquet: "is_delete_marker" };

impl Columns {
    /// Finds them among the names. Fails with the names, in CSV, of those that are missing.
    pub(super) fn among<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<&str> = names.into_iter().collect();
        let find = |column: Column| names.iter().position(|name| *name == column.csv || *name == column.parquet);
        let needed = [KEY, SIZE, MODIFIED, ETAG, CLASS];
        // Of several versions of one key it must be known which one is current.
        let has_versions = find(VERSION).is_some();
        let missing =
            needed.into_iter().chain(has_versions.then_some(IS_LATEST)).filter(|column| find(*column).is_none());
        let missing: Vec<&str> = missing.map(|column| column.csv).collect();
        let [Some(key), Some(size), Some(modified), Some(etag), Some(storage_class)] = needed.map(find) else {
            return Err(missing.join(", "));
        };
        if !missing.is_empty() {
            return Err(missing.join(", "));
        }
        let (is_latest, is_delete_marker) = (find(IS_LATEST), find(IS_DELETE_MARKER));
        Ok(Self { key, size, modified, etag, storage_class, is_latest, is_delete_marker, count: names.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_by_name_whatever_their_order() {
        let columns = Columns::among(["Bucket", "Key", "ETag", "Size", "StorageClass", "LastModifiedDate"]).unwrap();
        assert_eq!((columns.key, columns.size, columns.modified, columns.etag, columns.storage_class), (1, 3, 5, 2, 4));
        assert_eq!((columns.is_latest, columns.is_delete_marker, columns.count), (None, None, 6));
        let versions = [
            "storage_class",
            "bucket",
            "key",
            "version_id",
            "is_latest",
            "is_delete_marker",
            "size",
            "last_modified_date",
            "e_tag",
        ];
        let columns = Columns::among(versions).unwrap();
        assert_eq!((columns.is_latest, columns.is_delete_marker), (Some(4), Some(5)));
    }

    #[test]
    fn what_is_missing_is_named() {
        let table: [(&[&str], &str); 4] = [
            (&["Bucket", "Key"], "Size, LastModifiedDate, ETag, StorageClass"),
            (&["Key", "Size", "LastModifiedDate", "StorageClass"], "ETag"),
            (&["Size", "LastModifiedDate", "ETag", "StorageClass"], "Key"),
            (&["Key", "Size", "LastModifiedDate", "ETag", "StorageClass", "VersionId"], "IsLatest"),
        ];
        for (names, missing) in table {
            assert_eq!(Columns::among(names.iter().copied()), Err(missing.to_owned()), "{names:?}");
        }
    }
}
