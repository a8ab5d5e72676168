//! `brigade serve`: the development server over a directory, until it is stopped.

use std::path::Path;

use brigade_devserver::{Config, Server};

use crate::arguments::Serve;
use crate::exit::Exit;
use crate::output::{self, Streams, To, Tone};
use crate::resolve::serve::Credentials;
use crate::signals::Stop;

/// Runs the command.
pub(crate) async fn run(arguments: &Serve, mut streams: Streams, stop: &Stop) -> Exit {
    let credentials = match Credentials::resolve() {
        Ok(credentials) => credentials,
        Err(error) => {
            output::error(&mut streams, &error.to_string());
            return Exit::Usage;
        }
    };
    match start(arguments, &credentials).await {
        Ok(server) => {
            introduce(&server, arguments, &credentials, &mut streams);
            stop.token.cancelled().await;
            server.stop().await;
            output::unless_unwritten(&mut streams, Exit::InStep)
        }
        Err(reason) => {
            output::error(&mut streams, &reason);
            Exit::CouldNotRun
        }
    }
}

async fn start(arguments: &Serve, credentials: &Credentials) -> Result<Server, String> {
    // The server would make a missing directory; a person has more likely misspelt it.
    check_directory(&arguments.directory)?;
    let config = Config {
        listen: arguments.listen,
        buckets: arguments.buckets.clone(),
        record_requests: false,
        ..Config::new(&arguments.directory, credentials.for_server())
    };
    Server::start(config).await.map_err(|error| error.to_string())
}

fn check_directory(directory: &Path) -> Result<(), String> {
    let shown = directory.display();
    match directory.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(format!("{shown} is not a directory")),
        Err(reason) => Err(format!("can't use the directory {shown}: {reason}; make it first")),
    }
}

/// Says how to use the server: on standard output what a shell is to read, on standard error the rest.
fn introduce(server: &Server, arguments: &Serve, credentials: &Credentials, streams: &mut Streams) {
    let directory = arguments.directory.display();
    streams.text(
        To::Err,
        &format!(
            "A development server for the buckets in {directory}: one pair of credentials, no TLS, no users.\n\
             Paste these lines into another terminal:\n\n"
        ),
    );
    streams.text(To::Out, &exports(&server.url(), credentials));
    streams.flush();
    streams.text(To::Err, &examples(&arguments.buckets));
    if !server.address().ip().is_loopback() {
        let address = server.address();
        let warning = format!("{address} can be reached from other machines; what is sent is not encrypted");
        streams.line(To::Err, Tone::Warning, "warning:", &warning);
    }
    streams.flush();
}

/// What to type next; to make a bucket first, if none was asked for.
fn examples(buckets: &[String]) -> String {
    let (make, bucket) = match buckets.first() {
        Some(bucket) => ("", bucket.as_str()),
        None => ("  aws s3 mb s3://bucket          (or start again with --bucket bucket)\n", "bucket"),
    };
    format!("\nThen use any S3 client, for example:\n\n{make}  brigade sync . s3://{bucket}\n\nCtrl-C stops it.\n")
}

/// The lines that make S3 clients use the server. A secret of the user's own is not shown.
fn exports(url: &str, credentials: &Credentials) -> String {
    let secret = if credentials.are_new { &credentials.secret_access_key } else { "$BRIGADE_SERVE_SECRET_ACCESS_KEY" };
    format!(
        "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={secret}\nexport AWS_ENDPOINT_URL={url}\n\
         export AWS_REGION=us-east-1\n",
        credentials.access_key_id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_is_there_need_not_be_made() {
        assert!(examples(&[]).contains("aws s3 mb s3://bucket"));
        let with_bucket = examples(&["site".to_owned()]);
        assert!(with_bucket.contains("brigade sync . s3://site\n") && !with_bucket.contains("aws s3 mb"));
    }

    #[test]
    fn clients_are_given_all_they_need_and_no_secret_of_the_user() {
        let url = "http://127.0.0.1:9711";
        let new = Credentials { access_key_id: "id".into(), secret_access_key: "hunter2".into(), are_new: true };
        let expected = "export AWS_ACCESS_KEY_ID=id\n\
                        export AWS_SECRET_ACCESS_KEY=hunter2\n\
                        export AWS_ENDPOINT_URL=http://127.0.0.1:9711\n\
                        export AWS_REGION=us-east-1\n";
        assert_eq!(exports(url, &new), expected);
        let given = Credentials { are_new: false, ..new };
        assert_eq!(exports(url, &given), expected.replace("hunter2", "$BRIGADE_SERVE_SECRET_ACCESS_KEY"));
    }
}
