//! How to reach S3, as the S3 client wants it. What no flag says is left open
//! here: the client looks for it in AWS's environment variables and files.

use brigade_store::s3::{Addressing, Config};

use crate::arguments::{self, S3Arguments};

/// The client's configuration for a command that keeps this many requests in flight.
pub(crate) fn resolve(arguments: &S3Arguments, jobs: usize) -> Config {
    Config {
        endpoint_url: arguments.endpoint_url.clone(),
        region: arguments.region.clone(),
        profile: arguments.profile.clone(),
        sign: !arguments.no_sign_request,
        addressing: addressing(arguments.addressing),
        provider: arguments.provider,
        ca_bundle: arguments.ca_bundle.clone(),
        request_payer: arguments.request_payer,
        max_idle_connections: jobs,
        ..Config::default()
    }
}

fn addressing(addressing: arguments::Addressing) -> Addressing {
    match addressing {
        arguments::Addressing::Auto => Addressing::Auto,
        arguments::Addressing::Path => Addressing::Path,
        arguments::Addressing::Virtual => Addressing::Virtual,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use brigade_store::s3::Provider;
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn config(options: &[&str]) -> Config {
        let line = ["brigade", "ls", "s3://bucket"].iter().chain(options);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Ls(ls) => resolve(&ls.s3, 8),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_flags_everything_is_left_to_the_environment() {
        let config = config(&[]);
        assert!(config.endpoint_url.is_none() && config.region.is_none() && config.profile.is_none());
        assert!(config.provider.is_none() && config.ca_bundle.is_none());
        assert!(config.sign && !config.request_payer);
        assert_eq!(config.addressing, Addressing::Auto);
        assert_eq!(config.max_idle_connections, 8);
    }

    #[test]
    fn each_flag_has_its_place() {
        let config = config(&[
            "--endpoint-url=http://localhost:9000",
            "--region=eu-south-2",
            "--profile=work",
            "--no-sign-request",
            "--addressing=virtual",
            "--provider=seaweedfs",
            "--ca-bundle=/etc/ca.pem",
            "--request-payer",
        ]);
        assert_eq!(config.endpoint_url.as_deref(), Some("http://localhost:9000"));
        assert_eq!(config.region.as_deref(), Some("eu-south-2"));
        assert_eq!(config.profile.as_deref(), Some("work"));
        assert_eq!(config.provider, Some(Provider::SeaweedFs));
        assert_eq!(config.ca_bundle.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!(config.addressing, Addressing::Virtual);
        assert!(!config.sign && config.request_payer);
    }
}
