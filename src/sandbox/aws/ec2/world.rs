//! The instances: what each is, how it starts, and how its state moves on. No XML here.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::delay::Delay;
use crate::sandbox::clock::Clock;
use crate::sandbox::cluster::{CLUSTER, MACHINES, Role};
use crate::sandbox::random::Random;

/// A terminated instance stays visible for about an hour, before the clock's speed.
const VISIBLE: Duration = Duration::from_secs(3_600);

/// What is known of an instance before the world starts; ids are made from the seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceSeed {
    /// The address inside the VPC; the private DNS name follows from it.
    pub private_ip: Ipv4Addr,
    /// The address outside.
    pub public_ip: Option<Ipv4Addr>,
    /// The availability zone, such as `ap-southeast-2a`.
    pub zone: String,
    /// Such as `t2.medium`.
    pub instance_type: String,
    /// The name of the one security group.
    pub group: String,
    /// The name of the instance profile's role, if it has one.
    pub profile: Option<String>,
    /// Tags, `Name` among them.
    pub tags: BTreeMap<String, String>,
}

/// The cluster's four instances as kops makes them, a bastion and a Postgres host.
pub fn default_world() -> Vec<InstanceSeed> {
    let mut world: Vec<InstanceSeed> = MACHINES
        .iter()
        .map(|machine| {
            let (role, kind, name, group) = match machine.role {
                Role::ControlPlane => (
                    "master",
                    "m3.medium",
                    format!("master-{}.masters.{CLUSTER}", machine.zone),
                    format!("masters.{CLUSTER}"),
                ),
                Role::Worker => (
                    "node",
                    "t2.medium",
                    format!("nodes.{CLUSTER}"),
                    format!("nodes.{CLUSTER}"),
                ),
            };
            InstanceSeed {
                private_ip: machine.private_ip,
                public_ip: machine.public_ip,
                zone: machine.zone.to_owned(),
                instance_type: kind.to_owned(),
                profile: Some(group.clone()),
                tags: tags(&[
                    ("KubernetesCluster", CLUSTER),
                    ("Name", &name),
                    (
                        "aws:autoscaling:groupName",
                        if role == "master" { &name } else { &group },
                    ),
                    (&format!("k8s.io/role/{role}"), "1"),
                ]),
                group,
            }
        })
        .collect();
    world.push(InstanceSeed {
        private_ip: Ipv4Addr::new(172, 20, 4, 10),
        public_ip: Some(Ipv4Addr::new(203, 0, 113, 10)),
        zone: "ap-southeast-2a".into(),
        instance_type: "t2.micro".into(),
        group: "bastion".into(),
        profile: None,
        tags: tags(&[
            ("Name", "bastion.spawnhub.com"),
            ("env", "shared"),
            ("team", "platform"),
        ]),
    });
    world.push(InstanceSeed {
        private_ip: Ipv4Addr::new(172, 20, 64, 32),
        public_ip: Some(Ipv4Addr::new(203, 0, 113, 32)),
        zone: "ap-southeast-2b".into(),
        instance_type: "r4.large".into(),
        group: "postgres".into(),
        profile: Some("postgres-backup".into()),
        tags: tags(&[("Name", "cog-postgres"), ("env", "staging"), ("role", "postgres")]),
    });
    world
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// An instance's state, with the codes of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl State {
    pub fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// One instance.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub id: String,
    pub reservation: String,
    pub volume: String,
    pub interface: String,
    pub subnet: String,
    pub vpc: String,
    pub group_id: String,
    pub image: &'static str,
    pub key_name: &'static str,
    pub launched: Timestamp,
    pub state: State,
    /// The next state and the wait until it is reached; for a terminated one the wait until it is forgotten.
    pub next: Option<(State, Delay)>,
    /// Whether it gets a public address when it starts.
    pub public: bool,
    pub seed: InstanceSeed,
}

impl Instance {
    /// The region: the zone without its letter.
    pub fn region(&self) -> &str {
        self.seed.zone.trim_end_matches(|c: char| c.is_ascii_lowercase())
    }

    pub fn private_dns(&self) -> String {
        let spelled = self.seed.private_ip.to_string().replace('.', "-");
        format!("ip-{spelled}.{}.compute.internal", self.region())
    }

    pub fn public_dns(&self) -> Option<String> {
        let spelled = self.seed.public_ip?.to_string().replace('.', "-");
        Some(format!("ec2-{spelled}.{}.compute.amazonaws.com", self.region()))
    }
}

/// All instances.
pub(super) struct World {
    pub instances: Vec<Instance>,
    random: Random,
}

impl World {
    pub fn new(seeds: Vec<InstanceSeed>, now: Timestamp, seed: u64) -> Self {
        let mut random = Random::new(seed).fork("ec2");
        let mut id = |prefix: &str| format!("{prefix}-0{:016x}", random.next_u64());
        let vpc = id("vpc");
        let mut subnets: BTreeMap<String, String> = BTreeMap::new();
        let mut groups: BTreeMap<String, String> = BTreeMap::new();
        let mut instances = Vec::new();
        for (days, seed) in seeds.into_iter().enumerate() {
            let age =
                SignedDuration::from_hours(24 * 12) - SignedDuration::from_mins(i64::try_from(days).unwrap_or(0) * 7);
            instances.push(Instance {
                id: id("i"),
                reservation: id("r"),
                volume: id("vol"),
                interface: id("eni"),
                subnet: subnets.entry(seed.zone.clone()).or_insert_with(|| id("subnet")).clone(),
                group_id: groups.entry(seed.group.clone()).or_insert_with(|| id("sg")).clone(),
                vpc: vpc.clone(),
                image: "ami-0a58ac7b1f4bd7a1d",
                key_name: "kubernetes.staging.spawnhub.com",
                launched: now.checked_sub(age).unwrap_or(now),
                state: State::Running,
                next: None,
                public: seed.public_ip.is_some(),
                seed,
            });
        }
        Self { instances, random }
    }

    /// Moves every instance to the state that it has reached by now.
    pub fn settle(&mut self, clock: &Clock) {
        self.instances.retain(|instance| {
            !(instance.state == State::Terminated && instance.next.is_none_or(|(_, delay)| delay.is_over(clock)))
        });
        for at in 0..self.instances.len() {
            let due = self.instances[at].next.filter(|(_, delay)| delay.is_over(clock));
            let Some((state, _)) = due else { continue };
            let address = match state {
                State::Running if self.instances[at].public => {
                    self.instances[at].seed.public_ip.or_else(|| self.free_address())
                }
                _ => None,
            };
            let instance = &mut self.instances[at];
            instance.state = state;
            instance.next = None;
            instance.seed.public_ip = match state {
                State::Running => address,
                State::Stopped | State::Terminated => None,
                _ => instance.seed.public_ip,
            };
            if state == State::Terminated {
                instance.next = Some((State::Terminated, Delay::begin(VISIBLE)));
            }
        }
    }

    /// The instances of a region.
    pub fn region<'a>(&'a self, region: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.instances
            .iter()
            .filter(move |instance| instance.region() == region)
    }

    /// A public address that nobody has; `None` when all of 203.0.113.0/24 are taken.
    fn free_address(&mut self) -> Option<Ipv4Addr> {
        let taken: Vec<Ipv4Addr> = self
            .instances
            .iter()
            .filter_map(|instance| instance.seed.public_ip)
            .collect();
        let free: Vec<Ipv4Addr> = (1..=254)
            .map(|last| Ipv4Addr::new(203, 0, 113, last))
            .filter(|address| !taken.contains(address))
            .collect();
        self.random.choose(&free).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    #[test]
    fn a_seed_repeats_the_ids_and_names_are_the_nodes() {
        let a = World::new(default_world(), now(), 7);
        let b = World::new(default_world(), now(), 7);
        let c = World::new(default_world(), now(), 8);
        assert_eq!(a.instances[0].id, b.instances[0].id);
        assert_ne!(a.instances[0].id, c.instances[0].id);
        for (instance, machine) in a.instances.iter().zip(MACHINES) {
            assert_eq!(instance.private_dns(), machine.name);
        }
        assert_eq!(a.region("ap-southeast-2").count(), 6);
        assert_eq!(a.region("us-east-1").count(), 0);
    }

    #[test]
    fn a_started_instance_gets_a_free_address_and_a_terminated_one_goes_away() {
        let over = Delay::begin(Duration::ZERO);
        let mut world = World::new(default_world(), now(), 1);
        world.instances[4].seed.public_ip = None;
        world.instances[4].next = Some((State::Running, over));
        world.instances[5].next = Some((State::Terminated, over));
        let clock = Clock::new(1.0);
        world.settle(&clock);
        let address = world.instances[4].seed.public_ip;
        let holders = world
            .instances
            .iter()
            .filter(|i| address.is_some() && i.seed.public_ip == address);
        assert_eq!(holders.count(), 1);
        assert_eq!(world.instances[5].state, State::Terminated);
        world.settle(&clock);
        assert_eq!(world.instances.len(), 6, "still visible");
        world.instances[5].next = Some((State::Terminated, over));
        world.settle(&clock);
        assert_eq!(world.instances.len(), 5);
    }
}
