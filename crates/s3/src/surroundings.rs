//! What the environment and the AWS files say, where the caller says nothing.

use std::ffi::OsString;
use std::path::PathBuf;

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_types::service_config::ServiceConfigKey;
use http::HeaderValue;

use crate::address::{AwsHosts, region_of_url};
use crate::config::{Account, Config};
use crate::credentials::{CachedCredentials, GoogleTokens};
use crate::dialect::google;
use crate::error::ConfigError;
use crate::identity::Identity;
use crate::proxy::{ProxySettings, Setting};

/// What the caller says of a client, and where it says nothing, what the
/// environment and the profile say.
pub(crate) struct Surroundings {
    /// `None`: AWS.
    pub(crate) endpoint_url: Option<String>,
    pub(crate) aws_hosts: AwsHosts,
    pub(crate) region: String,
    /// `None`: the system's certificates.
    pub(crate) ca_bundle: Option<PathBuf>,
    pub(crate) proxies: ProxySettings,
    pub(crate) identity: Identity,
    /// The project that pays, at Google.
    pub(crate) payer: Option<HeaderValue>,
    /// The project that buckets are made in, at Google.
    pub(crate) project: Option<HeaderValue>,
}

/// What names a project.
const PROJECT: &str = "GOOGLE_CLOUD_PROJECT";

impl Surroundings {
    /// Looks around: files and the environment, and with `sign` whatever
    /// gives the credentials.
    pub(crate) async fn of(config: &Config) -> Result<Self, ConfigError> {
        match config.account {
            Account::Aws => Self::of_aws(config).await,
            Account::Google => Self::of_google(config).await,
        }
    }

    /// At Google. What speaks of AWS in the environment speaks of another service, but for
    /// the certificates to trust; a profile that was named is meant.
    async fn of_google(config: &Config) -> Result<Self, ConfigError> {
        let region = config.region.clone().unwrap_or_else(|| google::REGION.to_owned());
        let shared = load(config, Some(region.clone())).await;
        let settings = Settings { shared: &shared, variable: &variable, profile_first: true };
        let in_profile = |name| {
            let set = config.profile.as_ref().and_then(|_| settings.in_profile(name));
            set.filter(|value| !value.is_empty())
        };
        let url_in_profile = || in_profile("endpoint_url").map(|url| url.to_string_lossy().into_owned());
        let endpoint_url = config.endpoint_url.clone().or_else(url_in_profile);
        let endpoint_url = endpoint_url.unwrap_or_else(|| google::ENDPOINT.to_owned());
        let bundle_around = || in_profile("ca_bundle").or_else(|| variable("AWS_CA_BUNDLE")).map(PathBuf::from);
        Ok(Self {
            endpoint_url: Some(endpoint_url),
            aws_hosts: AwsHosts::default(),
            ca_bundle: config.ca_bundle.clone().or_else(bundle_around),
            proxies: settings.proxies(),
            identity: Self::at_google(config, &region).await?,
            payer: if config.request_payer { Some(payer()?) } else { None },
            project: project(PROJECT),
            region,
        })
    }

    /// An HMAC key, given, of the profile that was named, or in the environment; or else the
    /// application default credentials.
    async fn at_google(config: &Config, region: &str) -> Result<Identity, ConfigError> {
        let in_environment =
            variable("AWS_ACCESS_KEY_ID").is_some_and(|id| google::is_access_id(&id.to_string_lossy()));
        if !config.sign {
            Ok(Identity::Nobody)
        } else if config.access_key.is_some() || config.profile.is_some() || in_environment {
            Ok(Identity::Key(Box::new(CachedCredentials::of(config, region).await?)))
        } else {
            Ok(Identity::Google(GoogleTokens::find().await?))
        }
    }

    async fn of_aws(config: &Config) -> Result<Self, ConfigError> {
        let given_region = match &config.region {
            Some(region) => Some(region.clone()),
            None => region_around(config.profile.as_deref(), config.profile_first).await,
        };
        let shared = load(config, given_region.clone()).await;
        let settings = Settings { shared: &shared, variable: &variable, profile_first: config.profile_first };
        let endpoint_url = config.endpoint_url.clone().map_or_else(|| settings.endpoint_url(), |url| Ok(Some(url)))?;
        let region = given_region
            .or_else(|| endpoint_url.as_deref().and_then(region_of_url))
            .unwrap_or_else(|| "us-east-1".to_owned());
        Ok(Self {
            endpoint_url,
            aws_hosts: settings.aws_hosts()?,
            ca_bundle: config.ca_bundle.clone().or_else(|| settings.ca_bundle()),
            proxies: settings.proxies(),
            identity: if config.sign {
                Identity::Key(Box::new(CachedCredentials::of(config, &region).await?))
            } else {
                Identity::Nobody
            },
            payer: None,
            project: None,
            region,
        })
    }
}

/// The project that pays, by the names that Google's own tools know it by.
fn payer() -> Result<HeaderValue, ConfigError> {
    project("GOOGLE_CLOUD_QUOTA_PROJECT").or_else(|| project(PROJECT)).ok_or(ConfigError::NoPayer)
}

/// The project that a variable of the environment names.
fn project(variable_name: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(variable(variable_name)?.to_str()?).ok()
}

/// A variable of the environment; an empty one counts as missing.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

async fn region_around(profile: Option<&str>, profile_first: bool) -> Option<String> {
    let in_environment = || variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let told = in_environment().filter(|_| !profile_first);
    if let Some(region) = told {
        return Some(region.to_string_lossy().into_owned());
    }
    let mut in_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        in_profile = in_profile.profile_name(profile);
    }
    let in_profile = in_profile.build().region().await.map(|region| region.as_ref().to_owned());
    in_profile.or_else(|| in_environment().map(|region| region.to_string_lossy().into_owned()))
}

/// Without credentials and with a region, so that nothing goes over the network.
async fn load(config: &Config, region: Option<String>) -> SdkConfig {
    let region = Region::new(region.unwrap_or_else(|| "us-east-1".to_owned()));
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region).no_credentials();
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Settings by the names that AWS's own tools know them by
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>).
struct Settings<'a> {
    shared: &'a SdkConfig,
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Whether the profile comes before the environment.
    profile_first: bool,
}

impl Settings<'_> {
    /// `AWS_ENDPOINT_URL_S3` before `AWS_ENDPOINT_URL`, each in the environment
    /// before the profile
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    fn endpoint_url(&self) -> Result<Option<String>, ConfigError> {
        if self.is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")? {
            return Ok(None);
        }
        let in_profile = if self.profile_first { self.in_profile("endpoint_url") } else { None };
        let for_s3 = in_profile.or_else(|| (self.variable)("AWS_ENDPOINT_URL_S3"));
        let url = for_s3.or_else(|| self.setting("AWS_ENDPOINT_URL", "endpoint_url"));
        Ok(url.map(|url| url.to_string_lossy().into_owned()))
    }

    fn aws_hosts(&self) -> Result<AwsHosts, ConfigError> {
        Ok(AwsHosts {
            fips: self.is_on("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?,
            dual_stack: self.is_on("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?,
        })
    }

    fn ca_bundle(&self) -> Option<PathBuf> {
        self.setting("AWS_CA_BUNDLE", "ca_bundle").map(PathBuf::from)
    }

    /// By the names that curl knows, lower case first
    /// (<https://curl.se/docs/manpage.html#ENVIRONMENT>).
    fn proxies(&self) -> ProxySettings {
        let first = |names: [&'static str; 4]| {
            names.into_iter().find_map(|name| {
                let value = (self.variable)(name)?.to_string_lossy().trim().to_owned();
                Some(Setting { variable: name, value })
            })
        };
        let none_for = (self.variable)("no_proxy").or_else(|| (self.variable)("NO_PROXY"));
        ProxySettings {
            http: first(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            none_for: none_for.map(|hosts| hosts.to_string_lossy().into_owned()).unwrap_or_default(),
        }
    }

    fn is_on(&self, variable: &'static str, profile: &str) -> Result<bool, ConfigError> {
        let Some(value) = self.setting(variable, profile) else { return Ok(false) };
        match value.to_string_lossy().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(ConfigError::NotABoolean { variable, value: other.to_owned() }),
        }
    }

    /// What the variable says, or else the profile, or the reverse.
    fn setting(&self, variable: &str, profile: &str) -> Option<OsString> {
        let in_environment = || (self.variable)(variable);
        let set = if self.profile_first {
            self.in_profile(profile).or_else(in_environment)
        } else {
            in_environment().or_else(|| self.in_profile(profile))
        };
        set.filter(|value| !value.is_empty())
    }

    /// What the profile says: for S3 by its `services`, or else for all of them.
    fn in_profile(&self, name: &str) -> Option<OsString> {
        // No variable has an empty name: those have been looked at.
        let key = ServiceConfigKey::builder().service_id("S3").env("").profile(name).build().ok()?;
        self.shared.service_config()?.load_config(key).map(OsString::from)
    }
}

#[cfg(test)]
mod tests {
    use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

    use super::*;

    /// Names and values.
    type Variables<'a> = &'a [(&'a str, &'a str)];

    /// The settings that a profile and variables make, as text.
    async fn settings(profile: &str, variables: Variables<'_>, profile_first: bool) -> Result<String, String> {
        let contents = format!("[profile p]\n{profile}");
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, contents).build();
        let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("r")).no_credentials();
        let shared = loader.profile_files(files).profile_name("p").load().await;
        let variable = |name: &str| {
            let found = variables.iter().find(|(found, _)| *found == name);
            found.map(|(_, value)| OsString::from(value)).filter(|value| !value.is_empty())
        };
        let settings = Settings { shared: &shared, variable: &variable, profile_first };
        let told = || Ok((settings.endpoint_url()?, settings.aws_hosts()?, settings.ca_bundle()));
        told()
            .map(|(url, hosts, bundle)| {
                let bundle = bundle.map(|bundle| bundle.display().to_string());
                format!(
                    "{} {} {} {}",
                    url.unwrap_or_default(),
                    hosts.fips,
                    hosts.dual_stack,
                    bundle.unwrap_or_default()
                )
            })
            .map_err(|error: ConfigError| error.to_string())
    }

    #[tokio::test]
    async fn settings_come_from_the_environment_and_then_from_the_profile() {
        let profile = "endpoint_url = http://profile\nca_bundle = /profile.pem\nuse_fips_endpoint = true\n";
        let services = "services = s\n[services s]\ns3 =\n  endpoint_url = http://services\n";
        let ignoring = "endpoint_url = http://profile\nignore_configured_endpoint_urls = true\n";
        let (both, s3) = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3");
        let table: [(&str, Variables<'_>, &str); 9] = [
            ("", &[], " false false "),
            (profile, &[], "http://profile true false /profile.pem"),
            (services, &[], "http://services false false "),
            (profile, &[(both, "http://all")], "http://all true false /profile.pem"),
            (profile, &[(both, "http://all"), (s3, "http://s3")], "http://s3 true false /profile.pem"),
            (profile, &[(both, "http://all"), (s3, "")], "http://all true false /profile.pem"),
            (profile, &[(both, ""), (s3, ""), ("AWS_CA_BUNDLE", "")], "http://profile true false /profile.pem"),
            (ignoring, &[(both, "http://all")], " false false "),
            (
                profile,
                &[
                    ("AWS_USE_FIPS_ENDPOINT", "FALSE"),
                    ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
                    ("AWS_CA_BUNDLE", "/variable.pem"),
                ],
                "http://profile false true /variable.pem",
            ),
        ];
        for (profile, variables, told) in table {
            assert_eq!(settings(profile, variables, false).await.as_deref(), Ok(told), "{profile} {variables:?}");
        }
        let both_first = [(both, "http://all"), (s3, "http://s3")];
        let own = settings("endpoint_url = http://profile\n", &both_first, true).await;
        assert_eq!(own.as_deref(), Ok("http://profile false false "), "the profile was chosen for this side");
        let none = settings("", &both_first, true).await;
        assert_eq!(none.as_deref(), Ok("http://s3 false false "), "what it doesn't say, the environment does");
        let error = settings("", &[("AWS_USE_FIPS_ENDPOINT", "perhaps")], false).await.unwrap_err();
        assert!(error.contains("AWS_USE_FIPS_ENDPOINT") && error.contains("\"perhaps\""), "{error}");
    }
}
