//! Opens AWS clients for a context and keeps them. A context with keys uses exactly those; any other gets the SDK's own
//! chain (environment, profile, SSO, web identity, container, instance), a closed one never.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::{ProvideRegion, RegionProviderChain};
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_route53::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::{Builder, tls};

pub use super::failure::{SERVICE, accepts_the_keys, answered, failed, report};
use super::identity::Identities;
pub use super::limiter::Account;
use crate::core::context::{AwsTarget, Cloud, Context};
use crate::core::report::Report;

/// Tries of one request: connection errors, throttling and `PriorRequestNotComplete`, with jittered back-off.
const ATTEMPTS: u32 = 3;
const CONNECT: Duration = Duration::from_secs(3);
const ONE_TRY: Duration = Duration::from_secs(10);
const ALL_TRIES: Duration = Duration::from_secs(30);
/// The instance metadata service answers at once or is not there.
const METADATA: Duration = Duration::from_millis(700);
/// Where Route 53 is signed for: it is a global service.
const GLOBAL: &str = "us-east-1";

/// Opened clients of all contexts. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Clients {
    inner: Arc<Inner>,
}

struct Inner {
    http: SharedHttpClient,
    configs: Mutex<HashMap<AwsTarget, SdkConfig>>,
    accounts: Mutex<HashMap<AwsTarget, Arc<Account>>>,
    identities: Identities,
}

/// A Route 53 client, with the budget that every request has to ask for.
#[derive(Clone)]
pub struct Route53 {
    /// The service.
    pub client: aws_sdk_route53::Client,
    /// What all clients of this account share.
    pub account: Arc<Account>,
}

impl Default for Clients {
    fn default() -> Self {
        Clients::new()
    }
}

impl Clients {
    /// Nothing is opened yet.
    pub fn new() -> Self {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        Clients {
            inner: Arc::new(Inner {
                http: Builder::new().tls_provider(ring).build_https(),
                configs: Mutex::default(),
                accounts: Mutex::default(),
                identities: Identities::default(),
            }),
        }
    }

    /// A Route 53 client of this context.
    pub async fn route53(&self, context: &Context) -> Result<Route53, Report> {
        let config = self.config(context).await?;
        let region = config.region().cloned().unwrap_or(Region::from_static(GLOBAL));
        let config = aws_sdk_route53::config::Builder::from(&config).region(region).build();
        Ok(Route53 {
            client: aws_sdk_route53::Client::from_conf(config),
            account: self.account(&context.aws),
        })
    }

    /// An EC2 client of this context, in `region` if given, else in the context's.
    pub async fn ec2(&self, context: &Context, region: Option<&str>) -> Result<aws_sdk_ec2::Client, Report> {
        let config = self.config(context).await?;
        let region = match region {
            Some(name) => checked_region(name)?,
            None => match config.region() {
                Some(region) => checked_region(region.as_ref())?,
                None => return Err(no_region()),
            },
        };
        let config = aws_sdk_ec2::config::Builder::from(&config).region(region).build();
        Ok(aws_sdk_ec2::Client::from_conf(config))
    }

    /// Finds out whose account it is, where nobody knows yet; fails quietly.
    async fn learn_account(&self, context: &Context) {
        let ask = async || {
            let config = self.config(context).await.map_err(|_| ())?;
            let region = config.region().cloned().unwrap_or(Region::from_static(GLOBAL));
            let config = aws_sdk_sts::config::Builder::from(&config).region(region).build();
            let identity = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send();
            identity.await.map(|identity| identity.account).map_err(|_| ())
        };
        self.inner.identities.learn(&context.aws, ask).await;
    }

    /// Rests between two polls, and meanwhile learns whose account it is where the poll before has shown that there is
    /// one.
    pub async fn pause(&self, pause: Duration, context: &Context, accepted: bool) {
        let learn = async {
            if accepted {
                self.learn_account(context).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = learn => {}
        }
    }

    /// What is known of where a context leads to, without asking anybody: the account, once it was learnt, and the
    /// region that is used.
    pub fn cloud(&self, context: &Context) -> Cloud {
        let configs = self.inner.configs.lock().unwrap_or_else(PoisonError::into_inner);
        let region = configs.get(&context.aws).and_then(SdkConfig::region);
        Cloud {
            account: self.inner.identities.get(&context.aws),
            region: region.map(|region| region.as_ref().to_owned()),
        }
    }

    /// What Route 53's limits are counted by: the account, whatever the region. As near as one can tell without asking.
    fn account(&self, target: &AwsTarget) -> Arc<Account> {
        let key = AwsTarget {
            region: None,
            ..target.clone()
        };
        let mut accounts = self.inner.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(key).or_default().clone()
    }

    async fn config(&self, context: &Context) -> Result<SdkConfig, Report> {
        let target = &context.aws;
        if context.closed && (target.keys.is_none() || target.endpoint.is_none()) {
            return Err(
                Report::refused("E-AWS-009", "this is a closed world, and it has no AWS account")
                    .hint("leave the sandbox to work on a real account"),
            );
        }
        let known = self
            .inner
            .configs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(target)
            .cloned();
        if let Some(config) = known {
            return Ok(config);
        }
        let config = match &target.keys {
            Some((id, secret)) => {
                let keys = Credentials::new(id, secret.reveal(), None, None, "cogdeck context");
                self.fixed(target, keys)
            }
            None => self.ambient(target).await,
        };
        let mut configs = self.inner.configs.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(configs.entry(target.clone()).or_insert(config).clone())
    }

    /// Exactly what the context says; nothing is read from the environment or from files.
    fn fixed(&self, target: &AwsTarget, keys: Credentials) -> SdkConfig {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.inner.http.clone())
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .region(target.region.clone().map(Region::new))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts());
        config.set_endpoint_url(target.endpoint.clone());
        config.build()
    }

    /// What the SDK finds by its own rules, but without asking the metadata service for a region, and asking it for
    /// credentials only briefly: off AWS that question hangs.
    async fn ambient(&self, target: &AwsTarget) -> SdkConfig {
        let provider = ProviderConfig::without_region().with_http_client(self.inner.http.clone());
        let region = region(target, &provider).await;
        let provider = provider.with_region(Some(region.clone().unwrap_or(Region::from_static(GLOBAL))));
        let credentials = match &target.profile {
            // A profile the operator named wins over keys that lie in the environment.
            Some(name) => {
                let profile = ProfileFileCredentialsProvider::builder().profile_name(name);
                SharedCredentialsProvider::new(profile.configure(&provider).build())
            }
            None => {
                let metadata = aws_config::imds::Client::builder()
                    .configure(&provider)
                    .connect_timeout(METADATA)
                    .read_timeout(METADATA)
                    .max_attempts(1)
                    .build();
                let chain = DefaultCredentialsChain::builder()
                    .configure(provider.clone())
                    .imds_client(metadata)
                    .region(region.clone().unwrap_or(Region::from_static(GLOBAL)))
                    .build();
                SharedCredentialsProvider::new(chain.await)
            }
        };
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.inner.http.clone())
            .credentials_provider(credentials)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts())
            .region(Fixed(region));
        if let Some(name) = &target.profile {
            loader = loader.profile_name(name);
        }
        if let Some(endpoint) = &target.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        loader.load().await
    }
}

/// A region already found, or that there is none.
#[derive(Debug)]
struct Fixed(Option<Region>);

impl ProvideRegion for Fixed {
    fn region(&self) -> aws_config::meta::region::future::ProvideRegion<'_> {
        aws_config::meta::region::future::ProvideRegion::ready(self.0.clone())
    }
}

async fn region(target: &AwsTarget, provider: &ProviderConfig) -> Option<Region> {
    if let Some(region) = &target.region {
        return Some(Region::new(region.clone()));
    }
    let mut profile = ProfileFileRegionProvider::builder().configure(provider);
    if let Some(name) = &target.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .region()
        .await
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ONE_TRY)
        .operation_timeout(ALL_TRIES)
        .build()
}

/// A region becomes part of a host name, so nothing else may be in it.
fn checked_region(name: &str) -> Result<Region, Report> {
    let sound = !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if sound {
        Ok(Region::new(name.to_owned()))
    } else {
        Err(Report::refused("E-AWS-010", format!("Unknown region {name:?}."))
            .hint("a region is written like ap-southeast-2"))
    }
}

fn no_region() -> Report {
    let message = "Region not set. Set a region via the -r,--region flag or the AWS_REGION environment variable.";
    Report::refused("E-AWS-001", message)
        .hint("tried the option, the context, AWS_REGION, AWS_DEFAULT_REGION and the profile")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::text::Secret;

    fn context(region: Option<&str>) -> Context {
        let mut context = Context::empty("test");
        context.aws = AwsTarget {
            region: region.map(str::to_owned),
            endpoint: Some("http://127.0.0.1:9".into()),
            keys: Some(("AKIA".into(), Secret::new("s3cret"))),
            ..AwsTarget::default()
        };
        context
    }

    #[tokio::test]
    async fn a_missing_or_impossible_region_is_refused_before_any_request() {
        let clients = Clients::new();
        let report = clients.ec2(&context(None), None).await.unwrap_err();
        assert!(report.message.starts_with("Region not set."));
        for bad in ["", "eu-west-1.evil.example/", "a\u{1b}[2J"] {
            assert_eq!(
                clients.ec2(&context(None), Some(bad)).await.unwrap_err().code,
                "E-AWS-010"
            );
        }
        assert!(clients.ec2(&context(Some("eu-west-1")), None).await.is_ok());
        assert!(
            clients.route53(&context(None)).await.is_ok(),
            "Route 53 needs no region"
        );
    }

    #[tokio::test]
    async fn a_closed_context_never_falls_back_to_the_callers_account() {
        let mut closed = context(None);
        closed.closed = true;
        closed.aws.keys = None;
        assert_eq!(Clients::new().route53(&closed).await.err().unwrap().code, "E-AWS-009");
    }

    #[test]
    fn one_budget_an_account_whatever_the_region() {
        let clients = Clients::new();
        let one = clients.account(&context(None).aws);
        assert!(Arc::ptr_eq(&one, &clients.account(&context(Some("eu-west-1")).aws)));
        let other = AwsTarget {
            keys: Some(("AKIB".into(), Secret::new("x"))),
            ..context(None).aws
        };
        assert!(!Arc::ptr_eq(&one, &clients.account(&other)));
    }
}
