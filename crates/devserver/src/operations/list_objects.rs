//! `ListObjectsV2` and `ListObjects`.

use http::Extensions;
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Request, S3Result, s3_error};

use super::{Encoding, etag, limit, owner, shown, signed};
use crate::checksums::hex;
use crate::google;
use crate::listing::{Element, Selection, page};
use crate::storage::{Record, Storage};

/// What both versions ask.
struct Query<'a> {
    bucket: &'a str,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    /// A sort key.
    after: Option<Vec<u8>>,
    limit: usize,
    encoding: Encoding,
    with_owner: bool,
}

/// What both versions answer.
struct Listed {
    objects: Vec<Object>,
    common_prefixes: Vec<CommonPrefix>,
    /// The sort key of the last element, if there is more after it.
    next: Option<Vec<u8>>,
}

/// `ListObjectsV2`.
pub(crate) fn second_version(
    storage: &Storage,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<ListObjectsV2Output> {
    let (input, extensions) = (request.input, request.extensions);
    let encoding = Encoding::asked(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let start_after = input.start_after.as_deref().filter(|after| !after.is_empty());
    let after = match &input.continuation_token {
        Some(token) => Some(position(token)?),
        None => start_after.map(|after| storage.order().sort_key(after)),
    };
    let listed = list(
        storage,
        &extensions,
        &Query {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after,
            limit,
            encoding,
            with_owner: input.fetch_owner.unwrap_or(false),
        },
    )?;
    Ok(ListObjectsV2Output {
        key_count: Some(shown(listed.objects.len() + listed.common_prefixes.len())),
        is_truncated: Some(listed.next.is_some()),
        next_continuation_token: listed.next.map(hex),
        contents: Some(listed.objects),
        common_prefixes: Some(listed.common_prefixes),
        prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| encoding.write(&delimiter)),
        start_after: input.start_after.map(|after| encoding.write(&after)),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        max_keys: Some(shown(limit)),
        name: Some(input.bucket),
        request_charged: None,
    })
}

/// `ListObjects`. The next marker is given without a delimiter too, where S3
/// lets the client take the last key.
pub(crate) fn first_version(storage: &Storage, request: S3Request<ListObjectsInput>) -> S3Result<ListObjectsOutput> {
    let (input, extensions) = (request.input, request.extensions);
    let encoding = Encoding::asked(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let marker = input.marker.as_deref().filter(|marker| !marker.is_empty());
    let listed = list(
        storage,
        &extensions,
        &Query {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: marker.map(|marker| storage.order().sort_key(marker)),
            limit,
            encoding,
            with_owner: true,
        },
    )?;
    Ok(ListObjectsOutput {
        is_truncated: Some(listed.next.is_some()),
        next_marker: listed.next.map(|next| encoding.write(&storage.order().restore(&next))),
        contents: Some(listed.objects),
        common_prefixes: Some(listed.common_prefixes),
        prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| encoding.write(&delimiter)),
        marker: Some(encoding.write(input.marker.as_deref().unwrap_or_default())),
        encoding_type: input.encoding_type,
        max_keys: Some(shown(limit)),
        name: Some(input.bucket),
        request_charged: None,
    })
}

/// The sort key that a continuation token holds.
fn position(token: &str) -> S3Result<Vec<u8>> {
    hex_simd::decode_to_vec(token)
        .map_err(|_| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

fn list(storage: &Storage, extensions: &Extensions, query: &Query<'_>) -> S3Result<Listed> {
    let order = storage.order();
    let prefix = order.sort_key(query.prefix);
    let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty()).map(|text| order.sort_key(text));
    let selection = Selection {
        prefix: &prefix,
        delimiter: delimiter.as_deref(),
        after: query.after.as_deref(),
        limit: query.limit.min(storage.page_limit()),
    };
    Ok(storage.bucket(query.bucket)?.with_listed(|objects| {
        let page = page(objects, &selection);
        let next = page.elements.last().filter(|_| page.truncated).map(|last| last.name().to_vec());
        let mut listed = Listed { objects: Vec::new(), common_prefixes: Vec::new(), next };
        for element in page.elements {
            match element {
                Element::Key(_, record) => {
                    google::tell(extensions, record);
                    listed.objects.push(object(record, query));
                }
                Element::CommonPrefix(prefix) => {
                    let prefix = query.encoding.write(&order.restore(prefix));
                    listed.common_prefixes.push(CommonPrefix { prefix: Some(prefix) });
                }
            }
        }
        listed
    }))
}

fn object(record: &Record, query: &Query<'_>) -> Object {
    let checksum = record.checksum.as_ref();
    let class = record.headers.storage_class.clone().unwrap_or_else(|| ObjectStorageClass::STANDARD.to_owned());
    Object {
        checksum_algorithm: checksum.map(|sum| vec![ChecksumAlgorithm::from(sum.algorithm.name().to_owned())]),
        checksum_type: checksum.map(|sum| ChecksumType::from(sum.kind.name().to_owned())),
        e_tag: Some(etag(&record.etag)),
        key: Some(query.encoding.write(&record.key)),
        last_modified: Some(record.modified.clone()),
        owner: query.with_owner.then(owner),
        restore_status: None,
        size: Some(signed(record.size)),
        storage_class: Some(ObjectStorageClass::from(class)),
    }
}
