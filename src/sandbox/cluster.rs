//! The machines of the built-in cluster, known to the EC2 side and the Kubernetes side alike: one table, so that an
//! instance's private DNS name is the node's name. Not for anything that changes while the world runs.

use std::net::Ipv4Addr;

/// The cluster's name, as kops writes it into the `KubernetesCluster` tag.
pub const CLUSTER: &str = "staging.spawnhub.com";
/// The region that the world lies in.
pub const REGION: &str = "ap-southeast-2";

/// What a machine does in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the API server and takes no workloads.
    ControlPlane,
    /// Runs pods.
    Worker,
}

/// One machine of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The private DNS name: the node's name in Kubernetes and `privateDnsName` in EC2.
    pub name: &'static str,
    /// The address inside the VPC.
    pub private_ip: Ipv4Addr,
    /// The address outside, if the machine has one.
    pub public_ip: Option<Ipv4Addr>,
    /// The availability zone.
    pub zone: &'static str,
    /// What it does.
    pub role: Role,
}

/// The cluster's machines: one control plane and three workers, of which one has no public address.
pub const MACHINES: [Machine; 4] = [
    Machine {
        name: "ip-172-20-36-15.ap-southeast-2.compute.internal",
        private_ip: Ipv4Addr::new(172, 20, 36, 15),
        public_ip: Some(Ipv4Addr::new(203, 0, 113, 15)),
        zone: "ap-southeast-2a",
        role: Role::ControlPlane,
    },
    Machine {
        name: "ip-172-20-44-121.ap-southeast-2.compute.internal",
        private_ip: Ipv4Addr::new(172, 20, 44, 121),
        public_ip: Some(Ipv4Addr::new(203, 0, 113, 121)),
        zone: "ap-southeast-2a",
        role: Role::Worker,
    },
    Machine {
        name: "ip-172-20-77-209.ap-southeast-2.compute.internal",
        private_ip: Ipv4Addr::new(172, 20, 77, 209),
        public_ip: Some(Ipv4Addr::new(203, 0, 113, 209)),
        zone: "ap-southeast-2b",
        role: Role::Worker,
    },
    Machine {
        name: "ip-172-20-108-33.ap-southeast-2.compute.internal",
        private_ip: Ipv4Addr::new(172, 20, 108, 33),
        public_ip: None,
        zone: "ap-southeast-2c",
        role: Role::Worker,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_spell_the_private_addresses() {
        for machine in MACHINES {
            let spelled = machine.private_ip.to_string().replace('.', "-");
            assert_eq!(machine.name, format!("ip-{spelled}.{REGION}.compute.internal"));
            assert!(machine.zone.starts_with(REGION));
        }
    }
}
