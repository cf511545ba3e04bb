//! The AWS endpoint of the sandbox: EC2, Route 53, S3 and STS on one port, dispatched by the signature's service name.
//! Signatures are really checked, so a wrong key fails as it would outside. Not for the clients' side of AWS.

mod delay;
pub mod ec2;
mod encoding;
mod fault;
pub mod route53;
mod s3;
mod server;
mod sigv4;
mod sts;
mod xml;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::ec2::InstanceSeed;
use self::route53::Zones;
use super::clock::Clock;

/// What the account looks like at the start.
#[derive(Clone)]
pub struct AwsConfig {
    /// The one access key that is accepted.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The region in which the instances and the bucket lie.
    pub region: String,
    /// The instances; [`ec2::default_world`] gives the cluster's four and two others.
    pub instances: Vec<InstanceSeed>,
    /// Time of day for stamps and signatures; its speed shortens state transitions and propagation.
    pub clock: Clock,
    /// Repeats generated ids.
    pub seed: u64,
}

/// The endpoint, before it runs.
pub struct AwsServer;

/// The running endpoint; it ends, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct AwsHandle {
    /// Where it listens: a port on 127.0.0.1, plain HTTP.
    pub addr: SocketAddr,
    /// The hosted zones, shared with the DNS server.
    pub zones: Zones,
    task: JoinHandle<()>,
}

impl AwsServer {
    /// Binds a free port on 127.0.0.1 and serves until the handle is dropped. Fails only when no port can be bound.
    pub async fn start(config: AwsConfig) -> io::Result<AwsHandle> {
        Self::serve(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, config)
    }

    /// Serves on a port that is bound already. Fails only when the port's number can't be read.
    pub fn serve(listener: TcpListener, config: AwsConfig) -> io::Result<AwsHandle> {
        let addr = listener.local_addr()?;
        let account = Arc::new(server::Account::new(config));
        let zones = account.zones();
        let task = tokio::spawn(server::serve(listener, account));
        Ok(AwsHandle { addr, zones, task })
    }
}

impl Drop for AwsHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}
