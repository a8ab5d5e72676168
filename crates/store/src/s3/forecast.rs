//! The requests that work in a bucket takes, as its store sends them.

use brigade_s3::{Bucket, Fact};

use super::Names;
use crate::{Forecast, Work};

/// Adds them.
pub(super) fn foresee(bucket: &Bucket, names: &Names, work: Work<'_>, forecast: &mut Forecast) {
    match work {
        Work::Look(times) => forecast.add("HeadObject", times),
        Work::ReadGrants => forecast.add("GetObjectAcl", 1),
        Work::Read => forecast.add("GetObject", 1),
        Work::ReadInRanges(ranges) => {
            // When it is opened, and once more before the copy appears.
            forecast.add("HeadObject", 2);
            forecast.add("GetObject", ranges);
        }
        Work::Write => forecast.add("PutObject", 1),
        Work::WriteInParts(parts) => {
            forecast.add("CreateMultipartUpload", 1);
            forecast.add("UploadPart", parts);
            forecast.add("CompleteMultipartUpload", 1);
            foresee_look(bucket, Fact::CompleteConditions, forecast);
        }
        Work::Copy => {
            foresee_look(bucket, Fact::CopyConditions, forecast);
            forecast.add("CopyObject", 1);
        }
        Work::CopyInParts(parts) => {
            forecast.add("CreateMultipartUpload", 1);
            forecast.add("UploadPartCopy", parts);
            forecast.add("CompleteMultipartUpload", 1);
            foresee_look(bucket, Fact::CompleteConditions, forecast);
        }
        Work::Restore => forecast.add("RestoreObject", 1),
        Work::Remove(entries) => {
            // What has no name is never asked for.
            let names: Vec<String> = entries.iter().filter_map(|entry| names.of_any(&entry.key).ok()).collect();
            let (in_bulk, single) = bucket.requests_to_delete(&names);
            forecast.add("DeleteObjects", in_bulk);
            forecast.add("DeleteObject", single);
        }
    }
}

/// Where nothing guards a write, what is there is looked at just before.
fn foresee_look(bucket: &Bucket, fact: Fact, forecast: &mut Forecast) {
    forecast.add("HeadObject", u64::from(bucket.is_looked_at_before(fact)));
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use brigade_s3::{Client, Config, Provider};

    use super::*;
    use crate::{Entry, Version};

    /// The work, who is asked, and what that takes.
    type Row<'a> = (Work<'a>, Provider, &'a [(&'a str, u64)]);

    fn entries(keys: &[&str]) -> Vec<Entry> {
        let version = || Version::object("e");
        keys.iter().map(|&key| Entry { key: key.into(), size: 1, modified: UNIX_EPOCH, version: version() }).collect()
    }

    #[tokio::test]
    async fn each_work_takes_its_requests() {
        let (one, odd, many) = (entries(&["a"]), entries(&["a", "b\u{1}", "c"]), entries(&vec!["k"; 2001]));
        let (aws, r2, unknown) = (Provider::Aws, Provider::R2, Provider::Unknown);
        let table: [Row<'_>; 18] = [
            (Work::Look(2), aws, &[("HeadObject", 2)]),
            (Work::ReadGrants, aws, &[("GetObjectAcl", 1)]),
            (Work::Read, aws, &[("GetObject", 1)]),
            (Work::ReadInRanges(3), aws, &[("HeadObject", 2), ("GetObject", 3)]),
            (Work::Write, aws, &[("PutObject", 1)]),
            (
                Work::WriteInParts(3),
                aws,
                &[("CreateMultipartUpload", 1), ("UploadPart", 3), ("CompleteMultipartUpload", 1)],
            ),
            (
                Work::WriteInParts(3),
                r2,
                &[("CreateMultipartUpload", 1), ("UploadPart", 3), ("CompleteMultipartUpload", 1), ("HeadObject", 1)],
            ),
            (Work::Copy, aws, &[("CopyObject", 1)]),
            (Work::Copy, Provider::Minio, &[("HeadObject", 1), ("CopyObject", 1)]),
            (Work::Copy, r2, &[("HeadObject", 1), ("CopyObject", 1)]),
            (Work::Copy, unknown, &[("CopyObject", 1)]),
            (
                Work::CopyInParts(3),
                aws,
                &[("CreateMultipartUpload", 1), ("UploadPartCopy", 3), ("CompleteMultipartUpload", 1)],
            ),
            (Work::Restore, aws, &[("RestoreObject", 1)]),
            (Work::Remove(&one), aws, &[("DeleteObject", 1)]),
            (Work::Remove(&odd), aws, &[("DeleteObjects", 1), ("DeleteObject", 1)]),
            (Work::Remove(&odd), unknown, &[("DeleteObject", 3)]),
            (Work::Remove(&many), aws, &[("DeleteObjects", 3)]),
            (Work::Remove(&[]), aws, &[]),
        ];
        for (work, provider, expected) in table {
            let endpoint_url = Some("http://127.0.0.1:1".to_owned());
            let config = Config { endpoint_url, sign: false, provider: Some(provider), ..Config::default() };
            let bucket = Client::connect(config).await.unwrap().bucket("bucket");
            let mut forecast = Forecast::default();
            foresee(&bucket, &Names::below("p/"), work, &mut forecast);
            let counts = forecast.counts();
            let counts: Vec<(&str, u64)> = counts.iter().map(|count| (count.operation, count.sent)).collect();
            assert_eq!(counts, expected, "{work:?}");
        }
    }
}
