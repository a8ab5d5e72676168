//! How to reach S3, as the S3 client wants it. What no flag says is left open
//! here: the client looks for it in AWS's environment variables and files.

use std::ffi::OsStr;

use brigade_store::s3::{Addressing, Bandwidth, Config, Provider, RequestLimit};
use brigade_store::{Location, Service};

use crate::arguments::{self, KeyArguments, S3Arguments, SideArguments};
use crate::remembered;
use crate::resolve::UsageError;
use crate::resolve::customer_key::{self, KeyFileError};
use crate::stores::{Located, NamedStore, Stores};

/// Whether what a probe found out is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// Where no flag names the provider: a flag comes before what is remembered.
    Believed,
    /// Nothing that is remembered is looked at (`--no-ledger`).
    NotLookedAt,
}

impl Probed {
    /// By `--no-ledger`.
    pub(crate) fn unless(no_ledger: bool) -> Self {
        if no_ledger { Self::NotLookedAt } else { Self::Believed }
    }
}

/// How each of two sides is reached.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    /// Where objects come from.
    pub(crate) source: Config,
    /// Where they go.
    pub(crate) dest: Config,
}

/// The client's configuration for a command that keeps this many requests in flight.
pub(crate) fn resolve(arguments: &S3Arguments, jobs: usize, probed: Probed) -> Config {
    let is_believed = probed == Probed::Believed && arguments.provider.is_none();
    Config {
        endpoint_url: arguments.endpoint_url.clone(),
        region: arguments.region.clone(),
        profile: arguments.profile.clone(),
        sign: !arguments.no_sign_request,
        addressing: addressing(arguments.addressing),
        provider: arguments.provider,
        remembered: is_believed.then(remembered::lookup),
        ca_bundle: arguments.ca_bundle.clone(),
        request_payer: arguments.request_payer,
        max_idle_connections: jobs,
        max_attempts: if arguments.retry_forever { u32::MAX } else { arguments.retries.saturating_add(1) },
        stall_timeout: arguments.timeout.0,
        request_limit: arguments.max_requests_per_second.map(RequestLimit::a_second),
        bandwidth: arguments.bandwidth.clone().map(|timetable| Bandwidth::of(move || timetable.now())),
        ..Config::default()
    }
}

/// The only place that a command is about, and how it is reached.
pub(crate) fn one_place(
    written: &OsStr,
    arguments: &S3Arguments,
    jobs: usize,
    probed: Probed,
) -> Result<(Location, Config), UsageError> {
    place_among(&Stores::read(arguments.config.as_deref())?, written, arguments, jobs, probed)
}

/// The same, where the stores that have names are known.
pub(crate) fn place_among(
    stores: &Stores,
    written: &OsStr,
    arguments: &S3Arguments,
    jobs: usize,
    probed: Probed,
) -> Result<(Location, Config), UsageError> {
    let Located { place, store } = stores.locate(written)?;
    Ok((place, of_store(&resolve(arguments, jobs, probed), store.as_ref())))
}

/// The same, of which objects are read with this key.
pub(crate) fn read_with(config: Config, arguments: &KeyArguments) -> Result<Config, KeyFileError> {
    let customer_key = arguments.sse_c_key.as_deref().map(customer_key::read).transpose()?;
    Ok(Config { customer_key, ..config })
}

/// How a store that has a name is reached: as flags say, and then as its section does. That comes before the
/// environment, because it was named on the command line, and the environment doesn't say which store it speaks of.
pub(crate) fn of_store(flags: &Config, store: Option<&NamedStore>) -> Config {
    let Some(store) = store.cloned() else { return flags.clone() };
    let flags = flags.clone();
    Config {
        endpoint_url: flags.endpoint_url.or(store.endpoint_url),
        region: flags.region.or(store.region),
        profile_first: flags.profile_first || (flags.profile.is_none() && store.profile.is_some()),
        profile: flags.profile.or(store.profile),
        sign: flags.sign && !store.no_sign_request.unwrap_or_default(),
        addressing: match flags.addressing {
            Addressing::Auto => store.addressing.unwrap_or_default(),
            said => said,
        },
        // Who names the provider needs nothing that was found out.
        remembered: flags.remembered.filter(|_| store.provider.is_none()),
        provider: flags.provider.or(store.provider),
        ca_bundle: flags.ca_bundle.or(store.ca_bundle),
        request_payer: flags.request_payer || store.request_payer.unwrap_or_default(),
        ..flags
    }
}

/// How each of these sides is reached: as is said for both, and then as its store's section says, but for what is
/// said of it alone. Where one of them is plain `s3://` and the other one is at Google, or a store that has a name,
/// what is said for both speaks of the plain one: a profile or an endpoint of the one is none of the other.
pub(crate) fn sides(
    both: &Config,
    arguments: &SideArguments,
    places: [&Location; 2],
    stores: [Option<&NamedStore>; 2],
) -> Result<Sides, KeyFileError> {
    let SideArguments {
        source_profile,
        dest_profile,
        source_endpoint_url,
        dest_endpoint_url,
        source_region,
        dest_region,
        source_provider,
        dest_provider,
        source_no_sign_request,
        source_sse_c_key,
        dest_sse_c_key,
    } = arguments;
    let apart = Config { profile: None, endpoint_url: None, region: None, provider: None, ..both.clone() };
    let side = |place: usize, profile: &Option<String>, endpoint_url: &Option<String>, region: &Option<String>, own| {
        let own: Option<Provider> = own;
        let said = if is_apart(places, stores, place) { &apart } else { both };
        let base = of_store(said, stores[place]);
        Config {
            profile_first: base.profile_first || profile.is_some(),
            profile: profile.clone().or(base.profile),
            endpoint_url: endpoint_url.clone().or(base.endpoint_url),
            region: region.clone().or(base.region),
            provider: own.or(base.provider),
            remembered: base.remembered.filter(|_| own.is_none()),
            ..base
        }
    };
    let source = side(0, source_profile, source_endpoint_url, source_region, *source_provider);
    let source = Config {
        sign: source.sign && !source_no_sign_request,
        customer_key: source_sse_c_key.as_deref().map(customer_key::read).transpose()?,
        ..source
    };
    let dest = side(1, dest_profile, dest_endpoint_url, dest_region, *dest_provider);
    let customer_key = dest_sse_c_key.as_deref().map(customer_key::read).transpose()?;
    Ok(Sides { source, dest: Config { customer_key, ..dest } })
}

/// Whether a bucket is Google's, as far as it is said: by its URL, or as the provider.
pub(super) fn is_google(service: Service, provider: Option<Provider>) -> bool {
    service == Service::Google || provider.is_some_and(Provider::is_google)
}

/// Whether what is said for both sides is not said of this one.
fn is_apart(places: [&Location; 2], stores: [Option<&NamedStore>; 2], place: usize) -> bool {
    let other = 1 - place;
    match (service(places[place]), service(places[other])) {
        (Some(Service::Google), Some(Service::S3)) => true,
        (Some(Service::S3), Some(Service::S3)) => stores[place].is_some() && stores[other].is_none(),
        _ => false,
    }
}

fn service(place: &Location) -> Option<Service> {
    match place {
        Location::Bucket { service, .. } => Some(*service),
        Location::Local(_) => None,
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
    use std::time::Duration;

    use brigade_store::s3::Provider;
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn config(options: &[&str]) -> Config {
        let line = ["brigade", "ls", "s3://bucket"].iter().chain(options);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Ls(ls) => resolve(&ls.s3, 8, Probed::Believed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_flags_everything_is_left_to_the_environment() {
        let config = config(&[]);
        assert!(config.endpoint_url.is_none() && config.region.is_none() && config.profile.is_none());
        assert!(config.provider.is_none() && config.remembered.is_some() && config.ca_bundle.is_none());
        assert!(config.sign && !config.request_payer);
        assert_eq!(config.addressing, Addressing::Auto);
        assert_eq!(config.max_idle_connections, 8);
        assert_eq!((config.max_attempts, config.stall_timeout), (10, Duration::from_mins(1)));
        assert!(config.request_limit.is_none() && config.bandwidth.is_none());
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
            "--retries=2",
            "--timeout=5s",
            "--max-requests-per-second=7",
            "--bandwidth=1MiB",
        ]);
        assert_eq!((config.max_attempts, config.stall_timeout), (3, Duration::from_secs(5)));
        assert_eq!(
            format!("{:?} {:?}", config.request_limit, config.bandwidth),
            "Some(7 a second) Some(1048576 bytes a second)"
        );
        assert_eq!(config.endpoint_url.as_deref(), Some("http://localhost:9000"));
        assert_eq!(config.region.as_deref(), Some("eu-south-2"));
        assert_eq!(config.profile.as_deref(), Some("work"));
        assert_eq!(config.provider, Some(Provider::SeaweedFs));
        assert!(config.remembered.is_none(), "a flag comes before what is remembered");
        assert_eq!(config.ca_bundle.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!(config.addressing, Addressing::Virtual);
        assert!(!config.sign && config.request_payer);
    }

    #[test]
    fn what_is_said_for_both_sides_is_not_said_of_googles_beside_another_ones() {
        let both = config(&["--profile=work", "--endpoint-url=http://aws", "--region=r", "--provider=minio"]);
        let own = SideArguments { dest_profile: Some("own".to_owned()), ..SideArguments::default() };
        let told = |config: &Config| {
            [&config.profile, &config.endpoint_url, &config.region].map(|said| said.clone().unwrap_or_default())
        };
        let work = ["work", "http://aws", "r"];
        let table = [
            (["tree", "gs://bucket"], work, ["own", "http://aws", "r"]),
            (["gs://bucket", "gs://other"], work, ["own", "http://aws", "r"]),
            (["s3://bucket", "gs://bucket"], work, ["own", "", ""]),
            (["gs://bucket", "s3://bucket"], ["", "", ""], ["own", "http://aws", "r"]),
        ];
        for (places, source, dest) in table {
            let [from, to] = places.map(|place| Location::parse(place.as_ref()).unwrap());
            let sides = sides(&both, &own, [&from, &to], [None, None]).unwrap();
            assert_eq!((told(&sides.source), told(&sides.dest)), (source.map(str::to_owned), dest.map(str::to_owned)));
            assert_eq!(sides.source.provider.is_none(), source[1].is_empty());
        }
        // The same holds of a store that has a name.
        let nas = NamedStore { endpoint_url: Some("http://nas".into()), ..NamedStore::default() };
        let [from, to] = ["s3://bucket", "s3://other"].map(|place| Location::parse(place.as_ref()).unwrap());
        let dest = |stores| told(&sides(&both, &own, [&from, &to], stores).unwrap().dest);
        assert_eq!(dest([None, Some(&nas)]), ["own", "http://nas", ""]);
        assert_eq!(dest([Some(&nas), Some(&nas)]), ["own", "http://aws", "r"]);
    }

    #[test]
    fn a_store_s_section_stands_below_the_flags() {
        let store = NamedStore {
            endpoint_url: Some("http://nas:9000".into()),
            region: Some("eu-1".into()),
            profile: Some("nas".into()),
            provider: Some(Provider::Minio),
            addressing: Some(Addressing::Path),
            ca_bundle: Some("/nas.pem".into()),
            no_sign_request: Some(true),
            request_payer: Some(true),
        };
        let of = |options: &[&str]| of_store(&config(options), Some(&store));
        let alone = of(&[]);
        assert_eq!(alone.endpoint_url.as_deref(), Some("http://nas:9000"));
        assert_eq!((alone.region.as_deref(), alone.profile.as_deref()), (Some("eu-1"), Some("nas")));
        assert_eq!((alone.provider, alone.addressing), (Some(Provider::Minio), Addressing::Path));
        assert_eq!(alone.ca_bundle.as_deref(), Some(Path::new("/nas.pem")));
        assert!(!alone.sign && alone.request_payer && alone.profile_first && alone.remembered.is_none());
        let flags = ["--endpoint-url=http://f", "--region=f", "--profile=f", "--provider=aws", "--addressing=virtual"];
        let flagged = of(&flags);
        assert_eq!((flagged.endpoint_url.as_deref(), flagged.region.as_deref()), (Some("http://f"), Some("f")));
        assert_eq!((flagged.profile.as_deref(), flagged.profile_first), (Some("f"), false));
        assert_eq!((flagged.provider, flagged.addressing), (Some(Provider::Aws), Addressing::Virtual));
        let empty = of_store(&config(&[]), Some(&NamedStore::default()));
        assert_eq!(format!("{empty:?}"), format!("{:?}", config(&[])));
        assert!(empty.sign && empty.remembered.is_some() && !empty.profile_first);
    }

    #[test]
    fn as_long_as_it_takes_is_no_number() {
        assert_eq!(config(&["--retry-forever"]).max_attempts, u32::MAX);
        assert_eq!(config(&["--retries=4294967295"]).max_attempts, u32::MAX);
        for wrong in [
            &["--retry-forever", "--retries=3"][..],
            &["--timeout=0s"],
            &["--timeout=2d"],
            &["--max-requests-per-second=0"],
        ] {
            let line = ["brigade", "ls", "s3://bucket"].iter().chain(wrong);
            assert!(Arguments::try_parse_from(line).is_err(), "{wrong:?}");
        }
    }
}
