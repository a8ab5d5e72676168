//! The rows of one file of a report: what they say of current objects.

use std::fs::File;
use std::io::BufReader;
use std::time::SystemTime;

use brigade_s3::{ListedObject, USUAL_CLASS, decode_listed, parse_iso8601};
use flate2::read::MultiGzDecoder;

use super::columns::Columns;
use super::csv::Record;
use super::manifest::Format;
#[cfg(feature = "parquet")]
use super::parquet::ParquetRows;

/// Bytes that a key may have in S3
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
const LONGEST_KEY: usize = 1024;

/// Bytes that an ETag may have; S3's have 70 at most.
const LONGEST_ETAG: usize = 1024;

/// The rows of a file, being read.
pub(super) enum Rows {
    Csv(Box<CsvRows<BufReader<MultiGzDecoder<File>>>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetRows>),
}

/// Some rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// What is there.
    pub(crate) objects: Vec<ListedObject>,
    /// How many rows were of versions that aren't current, and of delete markers.
    pub(crate) older: u64,
}

impl Rows {
    /// Begins to read. Fails with the reason where it is no such file.
    pub(super) fn open(format: &Format, content: File) -> Result<Self, String> {
        match format {
            Format::Csv(columns) => {
                // Compressed in several pieces, it is one file all the same.
                let text = BufReader::with_capacity(64 << 10, MultiGzDecoder::new(content));
                Ok(Self::Csv(Box::new(CsvRows::new(text, *columns))))
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => Ok(Self::Parquet(Box::new(ParquetRows::open(content)?))),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err("Parquet is not read".to_owned()),
        }
    }

    /// The next rows, so many at most; `None` at the end. Fails with the reason, and where.
    pub(super) fn next_page(&mut self, most: usize) -> Result<Option<Page>, String> {
        match self {
            Self::Csv(rows) => rows.next_page(most),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.next_page(most),
        }
    }
}

/// What a row says, before it is known whether that is enough.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) size: Option<u64>,
    pub(super) modified: Option<SystemTime>,
    pub(super) etag: String,
    pub(super) storage_class: String,
}

impl Row {
    /// The object that it is of.
    pub(super) fn object(self) -> Result<ListedObject, String> {
        let Self { key, size, modified, etag, storage_class } = self;
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(format!("its key has {} bytes, which no object's has", key.len()));
        }
        let Some(size) = size else { return Err(format!("the size of {key:?} is missing")) };
        let Some(last_modified) = modified else { return Err(format!("the date of {key:?} is missing")) };
        let etag = etag.trim_matches('"');
        if etag.len() > LONGEST_ETAG {
            return Err(format!("the ETag of {key:?} is too long"));
        }
        // A listing names the usual one by saying nothing.
        let storage_class = Some(storage_class).filter(|class| !class.is_empty() && class != USUAL_CLASS);
        Ok(ListedObject { key, size, last_modified, etag: etag.to_owned(), generation: None, storage_class })
    }
}

/// The rows of a CSV file. Its keys are URL-encoded, as in a listing with `encoding-type=url`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html>).
pub(crate) struct CsvRows<R> {
    text: R,
    columns: Columns,
    record: Record,
    read: u64,
}

impl<R: std::io::BufRead> CsvRows<R> {
    pub(crate) fn new(text: R, columns: Columns) -> Self {
        Self { text, columns, record: Record::default(), read: 0 }
    }

    pub(crate) fn next_page(&mut self, most: usize) -> Result<Option<Page>, String> {
        let mut page = Page::default();
        for _ in 0..most {
            self.read += 1;
            if !self.record.read(&mut self.text).map_err(|error| self.at(&error.to_string()))? {
                break;
            }
            match self.object().map_err(|reason| self.at(&reason))? {
                Some(object) => page.objects.push(object),
                None => page.older += 1,
            }
        }
        Ok((page != Page::default()).then_some(page))
    }

    /// What the record is of, if it is current.
    fn object(&self) -> Result<Option<ListedObject>, String> {
        let (record, columns) = (&self.record, self.columns);
        if record.len() != columns.count {
            return Err(format!("it has {} fields, and the manifest names {}", record.len(), columns.count));
        }
        let said = |column: Option<usize>| column.map(|column| truth(record.field(column)));
        let is_latest = said(columns.is_latest).unwrap_or(Some(true)).ok_or("it doesn't say whether it is current")?;
        if !is_latest || said(columns.is_delete_marker) == Some(Some(true)) {
            return Ok(None);
        }
        let text = |column: usize| std::str::from_utf8(record.field(column)).map_err(|_| "it is no text".to_owned());
        let key = text(columns.key)?;
        let key = decode_listed(key).ok_or_else(|| format!("the key {key:?} is not URL-encoded"))?.into_owned();
        let size = text(columns.size)?.parse().ok();
        let modified = parse_iso8601(text(columns.modified)?);
        let [etag, storage_class] = [text(columns.etag)?, text(columns.storage_class)?].map(str::to_owned);
        Row { key, size, modified, etag, storage_class }.object().map(Some)
    }

    fn at(&self, reason: &str) -> String {
        format!("record {}: {reason}", self.read)
    }
}

fn truth(field: &[u8]) -> Option<bool> {
    match field.to_ascii_lowercase().as_slice() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const SCHEMA: [&str; 9] = [
        "Bucket",
        "Key",
        "VersionId",
        "IsLatest",
        "IsDeleteMarker",
        "Size",
        "LastModifiedDate",
        "StorageClass",
        "ETag",
    ];

    fn read(text: &str, schema: &[&str]) -> Result<(Vec<ListedObject>, u64), String> {
        let columns = Columns::among(schema.iter().copied()).unwrap();
        let (mut rows, mut objects, mut older) = (CsvRows::new(text.as_bytes(), columns), Vec::new(), 0);
        while let Some(page) = rows.next_page(2)? {
            objects.extend(page.objects);
            older += page.older;
        }
        Ok((objects, older))
    }

    fn keys(text: &str) -> Result<Vec<String>, String> {
        let row = |key: &str| format!("\"{key}\",\"1\",\"2024-02-29T01:02:03.000Z\",\"e\",\"\"\n");
        let text: String = text.split(' ').map(row).collect();
        let (objects, _) = read(&text, &["Key", "Size", "LastModifiedDate", "ETag", "StorageClass"])?;
        Ok(objects.into_iter().map(|object| object.key).collect())
    }

    #[test]
    fn only_current_objects_are_listed() {
        let text = "\"b\",\"a\",\"v2\",\"true\",\"false\",\"12\",\"2024-02-29T01:02:03.000Z\",\"STANDARD\",\"d41d8cd98f00b204e9800998ecf8427e\"\n\
            \"b\",\"a\",\"v1\",\"false\",\"false\",\"11\",\"2023-02-28T01:02:03.000Z\",\"STANDARD\",\"e\"\n\
            \"b\",\"gone\",\"v3\",\"true\",\"true\",\"\",\"2024-02-29T01:02:03.000Z\",\"\",\"\"\n\
            \"b\",\"c\",\"\",\"True\",\"\",\"0\",\"1970-01-01T00:00:01Z\",\"GLACIER\",\"\"\"q-2\"\"\"\n";
        let (objects, older) = read(text, &SCHEMA).unwrap();
        let expected =
            [("a", 12, 1_709_168_523, "d41d8cd98f00b204e9800998ecf8427e", None), ("c", 0, 1, "q-2", Some("GLACIER"))];
        let expected = expected.map(|(key, size, seconds, etag, class)| ListedObject {
            key: key.into(),
            size,
            last_modified: UNIX_EPOCH + Duration::from_secs(seconds),
            etag: etag.into(),
            generation: None,
            storage_class: class.map(str::to_owned),
        });
        assert_eq!((objects.as_slice(), older), (expected.as_slice(), 2));
    }

    #[test]
    fn keys_are_decoded() {
        let decoded = keys("a+b a%2Bb a%20b 100%25 %C3%A9/%F0%9F%98%80 a%0Ab %22quoted%22%2C a%2F%2Fb").unwrap();
        assert_eq!(decoded, ["a b", "a+b", "a b", "100%", "é/😀", "a\nb", "\"quoted\",", "a//b"]);
        for wrong in ["100%", "%zz", "%FF"] {
            let error = keys(wrong).unwrap_err();
            assert!(error.contains("record 1: the key") && error.contains("is not URL-encoded"), "{error}");
        }
        assert_eq!(keys(&"k".repeat(1024)).unwrap().len(), 1);
    }

    #[test]
    fn a_row_that_says_too_little_or_nonsense_says_where() {
        let good = "b,k,v,true,false,1,2024-02-29T01:02:03.000Z,,e\n";
        let row = |from: &str, to: &str| format!("{good}{}", good.replace(from, to));
        let table = [
            (row(",,e", ","), "record 2: it has 8 fields, and the manifest names 9"),
            (row(",e", ",e,f"), "record 2: it has 10 fields, and the manifest names 9"),
            (row(",1,", ",,"), "record 2: the size of \"k\" is missing"),
            (row(",1,", ",-1,"), "record 2: the size of \"k\" is missing"),
            (row("2024-02-29T01:02:03.000Z", "yesterday"), "record 2: the date of \"k\" is missing"),
            (row("true", "perhaps"), "record 2: it doesn't say whether it is current"),
            (row("true", ""), "record 2: it doesn't say whether it is current"),
            (row("k", ""), "record 2: its key has 0 bytes"),
            (row("k", &"k".repeat(1025)), "record 2: its key has 1025 bytes"),
            (row(",e", &format!(",{}", "e".repeat(1025))), "record 2: the ETag of \"k\" is too long"),
            (row(",e", ",\"e"), "record 2: it ends within a quoted field"),
        ];
        for (text, part) in table {
            let error = read(&text, &SCHEMA).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
