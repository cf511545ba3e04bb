//! The cluster behind its API server: store, controllers, kubelets and network, started together. Not for HTTP.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::churn;
use super::controllers::Controllers;
use super::controllers::recorder::Recorder;
use super::kubelet::Kubelets;
use super::network::Network;
use super::store::{Store, StoreError};
use super::world::{self, Load};
use crate::sandbox::clock::Clock;
use crate::sandbox::cloud::LoadBalancers;

/// How the cluster shall be.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClusterConfig {
    /// Repeats names, addresses and random choices.
    pub seed: u64,
    /// What it contains beside its own objects.
    pub load: Load,
    /// Pod status changes a second.
    pub events: usize,
    /// Deleted pods die at once instead of draining.
    pub drain_race: bool,
}

/// The running cluster. Its tasks end when it is dropped.
pub struct ControlPlane {
    /// The objects.
    pub store: Store,
    /// Who serves which address.
    pub network: Network,
    /// The kubelets, which also have the containers' output.
    pub kubelets: Kubelets,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl ControlPlane {
    /// Fills the store and starts what acts on it.
    ///
    /// # Errors
    /// `TooLarge` when the load does not fit the address plan.
    pub fn start(clock: &Clock, config: ClusterConfig, balancers: LoadBalancers) -> Result<Self, StoreError> {
        let store = Store::new(clock.clone(), config.seed);
        world::fill(&store, clock, config.seed, config.load)?;
        let network = Network::new(clock.clone(), config.seed);
        let recorder = Recorder::new(store.clone(), clock.clone());
        let kubelets = Kubelets::new(
            store.clone(),
            clock.clone(),
            network.clone(),
            recorder.clone(),
            config.seed,
            config.drain_race,
        );
        let controllers = Controllers::new(
            store.clone(),
            clock.clone(),
            network.clone(),
            balancers,
            recorder,
            config.seed,
        );
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(controllers.run(stop.clone()));
        tasks.spawn(kubelets.clone().run(stop.clone()));
        if config.events > 0 {
            tasks.spawn(churn::run(store.clone(), config.events, config.seed, stop.clone()));
        }
        tasks.close();
        Ok(Self {
            store,
            network,
            kubelets,
            stop,
            tasks,
        })
    }

    /// Gives pods the certificate authority of the API server, once it is known.
    pub fn publish_authority(&self, ca_pem: &str) {
        for object in self.store.list("configmaps", None) {
            if super::objects::name(&object) == "kube-root-ca.crt" {
                let _ = self.store.modify(
                    "configmaps",
                    super::objects::namespace(&object),
                    "kube-root-ca.crt",
                    |c| {
                        c["data"]["ca.crt"] = ca_pem.into();
                    },
                );
            }
        }
    }

    /// Stops everything and waits until it has ended.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
