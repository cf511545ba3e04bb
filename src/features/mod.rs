//! The subjects of the product, one folder each, with the rooms that it needs of these: client, model (slim rows), feed,
//! verbs (one file a verb), panel. They meet each other through `model`, and through the two clients of ARCHITECTURE.md.

pub mod aws;
pub mod bundles;
pub mod dns;
pub mod ec2;
pub mod kubernetes;
pub mod records;
pub mod route53;
pub mod sandbox;
pub mod session;
pub mod traffic;

use std::sync::Arc;

use crate::core::clock::Clock;
use crate::engine::ports::Journal;
use crate::exec::Helper;
use crate::feed::Hub;
use crate::ui::panel::Panel;
use crate::verb::{BundleInfo, Completer, Verb};

/// What every feature is given: the shared feeds, the clock, the library of bundles, what is kept. Clients are each
/// feature's own, opened lazily.
#[derive(Clone)]
pub struct Shared {
    /// Shared feeds.
    pub hub: Hub,
    /// The clock.
    pub clock: Clock,
    /// Installed bundles.
    pub library: Arc<bundles::Library>,
    /// Where changes are kept, for offering their numbers; none: nothing is offered.
    pub journal: Option<Arc<dyn Journal>>,
}

impl Shared {
    /// Without installed bundles: what one feature alone needs.
    pub fn alone(hub: Hub, clock: Clock) -> Shared {
        Shared {
            hub,
            clock,
            library: Arc::new(bundles::Library::empty()),
            journal: None,
        }
    }
}

/// The commands a feature brings.
#[derive(Default)]
pub struct Feature {
    /// Its bundles' pages; a bundle without one is only listed.
    pub bundles: Vec<BundleInfo>,
    /// Its verbs.
    pub verbs: Vec<Verb>,
}

/// All features with the clients that they share. Its panels and its commands are made apart: the console's first frame
/// shows panels, and needs no command.
pub struct Features {
    shared: Shared,
    kubernetes: Arc<kubernetes::client::Clients>,
    aws: aws::client::Clients,
    /// Completes what a record or a question may lead to.
    hosts: Arc<dyn Completer>,
    records: route53::Service,
}

impl Features {
    /// Opens no connection.
    pub fn new(shared: Shared) -> Self {
        let library = shared.library.clone();
        let variables: kubernetes::client::Variables = Arc::new(move |room| {
            let library = library.clone();
            Box::pin(async move { library.variables(kubernetes::BUNDLE, room.as_deref()).await })
        });
        let kubernetes = kubernetes::client::Clients::configured(variables);
        let aws = aws::client::Clients::default();
        let hosts = kubernetes::hosts::completer(&kubernetes);
        let records = route53::Service::new(&shared, aws.clone(), hosts.clone());
        Features {
            shared,
            kubernetes,
            aws,
            hosts,
            records,
        }
    }

    /// Their panels, in the order they are offered.
    pub fn panels(&self) -> Vec<Box<dyn Panel>> {
        let mut panels = kubernetes::panels(&self.shared, &self.kubernetes);
        panels.push(traffic::panel(&self.shared));
        panels.push(route53::panel(&self.records));
        panels.push(ec2::panel(&self.shared, &self.aws));
        panels
    }

    /// Their commands.
    pub fn commands(&self) -> Vec<Feature> {
        let shared = &self.shared;
        vec![
            session::feature(&shared.clock, shared.journal.clone()),
            records::feature(&Helper::this_program()),
            bundles::feature(&shared.library),
            kubernetes::feature(shared, &self.kubernetes),
            traffic::feature(
                shared,
                self.open_pods(),
                self.open_logs(),
                kubernetes::hosts::urls(&self.kubernetes),
            ),
            route53::feature(&self.records),
            ec2::feature(shared, &self.aws),
            dns::feature(vec![self.records.names(), self.hosts.clone()]),
            sandbox::feature(),
        ]
    }

    fn open_pods(&self) -> traffic::join::OpenPods {
        let (hub, cluster) = (self.shared.hub.clone(), self.kubernetes.clone());
        Arc::new(move |context| {
            let (hub, cluster, context) = (hub.clone(), cluster.clone(), context.clone());
            Box::pin(async move {
                let named = cluster.names_a_cluster(&context).await;
                named.then(|| kubernetes::feed::rows(&hub, &cluster, &context))
            })
        })
    }

    fn open_logs(&self) -> traffic::verbs::logs::OpenLogs {
        let cluster = self.kubernetes.clone();
        Arc::new(move |call, wanted| {
            let cluster = cluster.clone();
            Box::pin(async move {
                let opened = kubernetes::pod_lines::open(&cluster, &call, wanted).await?;
                Ok((opened.title, opened.lines))
            })
        })
    }
}
