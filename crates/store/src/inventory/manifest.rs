//! `manifest.json`: which bucket a report lists, and in which files.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html>

use serde::Deserialize;

use super::columns::Columns;
use super::error::InventoryError;

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Where it is, as the user wrote it.
    pub(super) written: String,
    /// The bucket that is listed.
    source_bucket: String,
    /// The bucket that the files are in.
    pub(super) dest_bucket: String,
    pub(super) format: Format,
    pub(super) files: Vec<DataFile>,
}

/// How the files are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// CSV, compressed with gzip, with these columns.
    Csv(Columns),
    /// Parquet, which names its columns itself.
    Parquet,
}

/// A file with a part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataFile {
    /// Its key in the destination bucket.
    pub(super) key: String,
    /// Its length in bytes.
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
}

impl DataFile {
    /// The last part of its key.
    pub(super) fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    source_bucket: String,
    destination_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<WrittenFile>,
}

#[derive(Deserialize)]
struct WrittenFile {
    key: String,
    size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

impl Manifest {
    /// Reads what stands in a manifest; `written` is how the user named it.
    pub(crate) fn parse(text: &[u8], written: &str) -> Result<Self, InventoryError> {
        let manifest = written.to_owned();
        let read: Written = match serde_json::from_slice(text) {
            Ok(read) => read,
            Err(error) => return Err(InventoryError::NotAManifest { manifest, reason: error.to_string() }),
        };
        let columns = |names: Vec<&str>| {
            Columns::among(names).map_err(|missing| InventoryError::Columns { manifest: manifest.clone(), missing })
        };
        let format = match read.file_format.to_ascii_lowercase().as_str() {
            "csv" => Format::Csv(columns(read.file_schema.split(',').map(str::trim).collect())?),
            "parquet" if cfg!(feature = "parquet") => {
                columns(words(&read.file_schema))?;
                Format::Parquet
            }
            other => {
                let hint = if other == "parquet" { ", because this brigade was built without it" } else { "" };
                return Err(InventoryError::Format { manifest, format: shown(&read.file_format), hint });
            }
        };
        let mut files = Vec::with_capacity(read.files.len());
        for WrittenFile { key, size, md5 } in read.files {
            let Some(md5) = parse_md5(md5.as_bytes()) else {
                let reason = format!("the MD5checksum of {} is none", shown(&key));
                return Err(InventoryError::NotAManifest { manifest, reason });
            };
            files.push(DataFile { key, size, md5 });
        }
        let [source_bucket, dest_bucket] =
            [read.source_bucket, read.destination_bucket].map(|bucket| bucket_of(&bucket).to_owned());
        if !crate::location::may_name_a_bucket(&dest_bucket) {
            let reason = format!("no bucket is called {:?}", shown(&dest_bucket));
            return Err(InventoryError::NotAManifest { manifest, reason });
        }
        Ok(Self { written: manifest, source_bucket, dest_bucket, format, files })
    }

    /// Fails if the report is of another bucket.
    pub(super) fn check_bucket(&self, bucket: &str) -> Result<(), InventoryError> {
        if self.source_bucket == bucket {
            return Ok(());
        }
        let (manifest, bucket) = (self.written.clone(), bucket.to_owned());
        Err(InventoryError::OtherBucket { manifest, listed: shown(&self.source_bucket), bucket })
    }
}

/// The name of a bucket that may be written as an ARN: `arn:aws:s3:::bucket`.
fn bucket_of(written: &str) -> &str {
    written.strip_prefix("arn:").and_then(|arn| arn.rsplit(':').next()).unwrap_or(written)
}

/// The words of Parquet's `message s3.inventory { required binary key (UTF8); ... }`: names are among them.
fn words(schema: &str) -> Vec<&str> {
    schema
        .split(|other: char| !(other.is_ascii_alphanumeric() || other == '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Sixteen bytes, written as hexadecimal digits.
pub(super) fn parse_md5(digits: &[u8]) -> Option<[u8; 16]> {
    let mut md5 = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in md5.iter_mut().zip(digits.chunks(2)) {
        let digit = |place: usize| char::from(pair[place]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(md5)
}

/// What a file says, in one line that a terminal can't act upon.
fn shown(text: &str) -> String {
    crate::Key::from(text).to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A manifest of a report with these files, as S3 writes it.
    pub(crate) fn manifest(format: &str, schema: &str, files: &[(&str, u64, &str)]) -> String {
        let files: Vec<_> = files
            .iter()
            .map(|(key, size, md5)| format!(r#"{{"key": "{key}", "size": {size}, "MD5checksum": "{md5}"}}"#))
            .collect();
        format!(
            r#"{{
    "sourceBucket": "photos",
    "destinationBucket": "arn:aws:s3:::reports",
    "version": "2016-11-30",
    "creationTimestamp" : "1514944800000",
    "fileFormat": "{format}",
    "fileSchema": "{schema}",
    "files": [{}]
}}"#,
            files.join(", ")
        )
    }

    const CSV: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass";
    const PARQUET: &str = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); \
        optional int64 size; optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); \
        optional binary storage_class (UTF8); }";
    const MD5: &str = "f11166069f1990abeb9c97ace9cdfabc";

    fn refused(text: &str) -> String {
        Manifest::parse(text.as_bytes(), "m.json").unwrap_err().to_string()
    }

    #[test]
    fn what_s3_writes_is_read() {
        let text = manifest("CSV", CSV, &[("p/photos/daily/data/a.csv.gz", 2_147_483_647, MD5)]);
        let read = Manifest::parse(text.as_bytes(), "m.json").unwrap();
        assert_eq!((read.source_bucket.as_str(), read.dest_bucket.as_str()), ("photos", "reports"));
        let [file] = read.files.as_slice() else { panic!("{read:?}") };
        assert_eq!((file.name(), file.size, file.md5[0], file.md5[15]), ("a.csv.gz", 2_147_483_647, 0xf1, 0xbc));
        assert!(matches!(read.format, Format::Csv(columns) if (columns.key, columns.count) == (1, 6)));
        assert!(read.check_bucket("photos").is_ok());
        let error = read.check_bucket("photos-2").unwrap_err().to_string();
        assert!(error.contains("is of the bucket photos, and the source is in photos-2"), "{error}");
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn parquet_is_read_by_its_own_schema() {
        let read = Manifest::parse(manifest("Parquet", PARQUET, &[]).as_bytes(), "m.json").unwrap();
        assert_eq!(read.format, Format::Parquet);
        let error = refused(&manifest("Parquet", &PARQUET.replace("optional int64 size;", ""), &[]));
        assert!(error.contains("has no Size: add Size to the fields"), "{error}");
    }

    #[test]
    fn what_is_no_manifest_or_lacks_something_says_what_to_do() {
        let good = manifest("CSV", CSV, &[("a.csv.gz", 1, MD5)]);
        let table = [
            (String::new(), "is no manifest of S3 Inventory: EOF"),
            ("[]".into(), "name a report's manifest.json"),
            (good.replace("MD5checksum", "md5"), "missing field `MD5checksum`"),
            (good.replace(MD5, "f111"), "the MD5checksum of a.csv.gz is none"),
            (good.replace(MD5, "g11166069f1990abeb9c97ace9cdfabc"), "the MD5checksum of a.csv.gz is none"),
            (good.replace("arn:aws:s3:::reports", "arn:aws:s3:::re/ports"), "no bucket is called \"re/ports\""),
            (good.replace(", Size", ""), "has no Size: add Size to the fields"),
            (good.replace("ETag, ", ""), "has no ETag: add ETag"),
            (good.replace("Key, ", ""), "has no Key"),
            (manifest("ORC", "struct<bucket:string>", &[]), "files of the format ORC are not read; let the inventory"),
            (manifest("\\u001b[2J", "", &[]), "files of the format \\u{1b}[2J are not read"),
        ];
        for (text, part) in table {
            let error = refused(&text);
            assert!(error.starts_with("m.json") && error.contains(part), "{error}");
        }
    }

    #[cfg(not(feature = "parquet"))]
    #[test]
    fn without_parquet_that_is_said() {
        let error = refused(&manifest("Parquet", PARQUET, &[]));
        assert!(error.contains("because this brigade was built without it"), "{error}");
    }
}
