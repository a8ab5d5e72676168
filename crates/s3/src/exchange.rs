//! One attempt at a request: addressed, signed, sent, and its answer taken in whole.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use http::uri::{self, Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use hyper_util::client::legacy::ResponseFuture;

use crate::address::Address;
use crate::checksum::sha256_hex;
use crate::client::{Inner, Rejection};
use crate::connect::Connections;
use crate::dialect::google;
use crate::encoding::hex;
use crate::error::{ErrorKind, with_causes};
use crate::failure::{Failure, Stated};
use crate::hashing::Hashes;
use crate::identity::Shown;
use crate::incoming::{Reception, collect};
use crate::outgoing::{Outgoing, Progress};
use crate::request::{DOCUMENT_LIMIT, Request, Response};
use crate::sign::{Scheme, Scope, Signable, UNSIGNED_PAYLOAD, canonical_query};
use crate::timestamp::SigningTime;

/// How the client calls itself.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("brigade/", env!("CARGO_PKG_VERSION")));

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const REQUEST_PAYER: HeaderName = HeaderName::from_static("x-amz-request-payer");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// How far a signature's time may be from the service's
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, `RequestTimeTooSkewed`).
const TOLERATED_SKEW: Duration = Duration::from_mins(15);

impl Inner {
    /// Sends a request once. `Ok` is an answer with a status of success whose body came whole.
    pub(crate) async fn attempt(&self, request: &Request<'_>, connections: Connections) -> Result<Response, Failure> {
        let region = self.region_of(request.bucket);
        let address = self.endpoint.address(self.config.addressing, &region, request.bucket, request.key);
        let progress = Progress::new();
        let message = self.message(request, &address, &region, progress.clone()).await?;
        let limit = if request.operation.is_long() { self.config.long_timeout } else { self.config.stall_timeout };
        let under_way = self.hasher.under_way();
        let response = tokio::select! {
            biased;
            response = self.exchange(self.pool.request(message, connections), request, &address.host, &progress) => response?,
            () = progress.stalled(limit) => return Err(Failure::stalled(&address.host, limit)),
        };
        drop(under_way);
        let failed_late = request.operation.is_long() && Stated::read(&response.body).is_some();
        if response.status.is_success() && !failed_late {
            let hashes = self.hasher.hash(&response.body, (request.hash_answer)(&response)).await;
            Ok(Response { hashes, ..response })
        } else {
            let mut failure = Failure::refused(request, &response, SystemTime::now());
            failure.region = failure.region.filter(|told| **told != *region);
            // A HEAD's refusal has no body to say that it was the clock.
            if request.method == Method::HEAD
                && response.status == StatusCode::FORBIDDEN
                && self.clock.skew().unwrap_or_default().by > TOLERATED_SKEW
            {
                failure.kind = ErrorKind::Clock;
            }
            Err(failure)
        }
    }

    async fn exchange(
        &self,
        answer: ResponseFuture,
        request: &Request<'_>,
        host: &str,
        progress: &Progress,
    ) -> Result<Response, Failure> {
        let answer = answer.await.map_err(|error| {
            if error.is_connect() {
                Failure::unreachable(host, &error)
            } else if is_nonsense(&error) {
                Failure::rejected(Rejection::Unreadable(format!(
                    "what {host} answers is not HTTP: {}",
                    with_causes(&error)
                )))
            } else {
                Failure::broken(host, &error)
            }
        })?;
        progress.mark();
        let (mut head, body) = answer.into_parts();
        self.observe(&head.headers);
        if self.provider.is_google() {
            google::translate_answer(&mut head.headers);
        }
        let limit = if head.status.is_success() { request.limit } else { DOCUMENT_LIMIT };
        // While it works at something long, the service sends a blank now and then: each counts.
        let counts_each = request.operation.is_long();
        let reception = Reception { progress, counts_each, bandwidth: self.config.bandwidth.as_ref() };
        let body = collect(body, limit, host, reception).await?;
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
            hashes: Hashes::default(),
            after_lost_reply: false,
        })
    }

    /// The request as HTTP, signed.
    async fn message(
        &self,
        request: &Request<'_>,
        address: &Address,
        region: &str,
        progress: Progress,
    ) -> Result<http::Request<Outgoing>, Failure> {
        let query = if self.provider.is_google() {
            canonical_query(&google::translate_query(&request.query))
        } else {
            canonical_query(&request.query)
        };
        let mut headers = request.headers.clone();
        headers.insert(header::HOST, text(&address.host)?);
        match &self.payer {
            Some(project) => _ = headers.insert(google::USER_PROJECT, project.clone()),
            None if self.config.request_payer => {
                headers.insert(REQUEST_PAYER, HeaderValue::from_static("requester"));
            }
            None => {}
        }
        for (name, value) in self.customer_key_headers(request.operation) {
            headers.insert(HeaderName::from_static(name), secret(value)?);
        }
        if self.provider.is_google() {
            google::translate_request(&mut headers).map_err(|name| Failure::untranslatable(&name))?;
        }
        match self.shown().await? {
            Shown::Nothing => {}
            Shown::Signature(credentials) => {
                self.sign(request, address, region, &query, &mut headers, &credentials)?;
            }
            Shown::Headers(shown) => {
                for (name, value) in &shown {
                    // The credentials may say who pays, too: what the user says of that comes first.
                    headers.entry(name).or_insert_with(|| value.clone());
                }
            }
        }
        headers.insert(header::USER_AGENT, USER_AGENT);
        if request.body.is_empty() && matches!(request.method, Method::POST | Method::PUT) {
            // Google answers 411 without it, as R2 does; hyper leaves it out.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        if self.provider.is_google() && matches!(request.method, Method::GET | Method::HEAD) {
            google::ask_as_stored(&mut headers);
        }

        let target = if query.is_empty() { address.path.clone() } else { format!("{}?{query}", address.path) };
        let mut parts = uri::Parts::default();
        parts.scheme = Some(address.scheme.clone());
        parts.authority =
            Some(Authority::try_from(address.host.as_str()).map_err(|error| Failure::unsendable(&error))?);
        parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|error| Failure::unsendable(&error))?);
        let uri = Uri::from_parts(parts).map_err(|error| Failure::unsendable(&error))?;
        let mut message =
            http::Request::new(Outgoing::new(request.body.clone(), progress, self.config.bandwidth.clone()));
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = uri;
        *message.headers_mut() = headers;
        Ok(message)
    }

    fn sign(
        &self,
        request: &Request<'_>,
        address: &Address,
        region: &str,
        query: &str,
        headers: &mut HeaderMap,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let time = SigningTime::of(self.clock.signing_time(SystemTime::now()));
        let payload = match request.sha256 {
            _ if self.endpoint.is_encrypted() => UNSIGNED_PAYLOAD.to_owned(),
            Some(sha256) => hex(&sha256),
            None => sha256_hex(&request.body),
        };
        let scope = if self.provider.is_google() {
            headers.insert(google::DATE, text(time.full())?);
            headers.insert(google::CONTENT_SHA256, text(&payload)?);
            Scope { scheme: Scheme::GOOGLE, time: &time, region: google::REGION, service: google::SERVICE }
        } else {
            headers.insert(AMZ_DATE, text(time.full())?);
            headers.insert(CONTENT_SHA256, text(&payload)?);
            if let Some(token) = credentials.session_token() {
                headers.insert(SECURITY_TOKEN, secret(token.to_owned())?);
            }
            Scope { scheme: Scheme::AWS, time: &time, region, service: "s3" }
        };
        let signable = Signable { method: &request.method, path: &address.path, query, headers, payload: &payload };
        let authorization = self.signer.authorization(&signable, &scope, credentials);
        headers.insert(header::AUTHORIZATION, secret(authorization)?);
        Ok(())
    }
}

/// Whether what came could not be read as HTTP, or had too much of a head.
fn is_nonsense(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.downcast_ref().is_some_and(hyper::Error::is_parse))
}

fn text(value: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(value).map_err(|error| Failure::unsendable(&error))
}

/// A header value that is never shown.
fn secret(value: String) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(value).map_err(|error| Failure::unsendable(&error))?;
    value.set_sensitive(true);
    Ok(value)
}
