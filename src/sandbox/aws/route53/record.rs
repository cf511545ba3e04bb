//! A resource record set: plain data.

use std::fmt;
use std::str::FromStr;

use super::name::DnsName;

macro_rules! record_types {
    ($($name:ident),*) => {
        /// The record types of the API, in the order in which it lists them under one name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(clippy::upper_case_acronyms)]
        pub enum RecordType {
            $(#[doc = concat!("The `", stringify!($name), "` record.")] $name),*
        }

        impl RecordType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The type's name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

record_types!(
    A, AAAA, CAA, CNAME, DS, HTTPS, MX, NAPTR, NS, PTR, SOA, SPF, SRV, SSHFP, SVCB, TLSA, TXT
);

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RecordType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|kind| kind.name() == text).ok_or(())
    }
}

/// What an alias points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The target's zone: a load balancer's canonical zone, or this zone itself.
    pub zone_id: String,
    /// The target's name.
    pub name: DnsName,
    /// Required by the API; without health checks every target is healthy.
    pub evaluate_target_health: bool,
}

/// One set: either values with a TTL, or an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// The owner.
    pub name: DnsName,
    /// The type; an alias answers with its target's records of this type.
    pub kind: RecordType,
    /// Tells sets of one name and type apart (weighted routing).
    pub identifier: Option<String>,
    /// The share among the sets of one name and type, 0 to 255.
    pub weight: Option<u8>,
    /// Seconds; `None` for an alias.
    pub ttl: Option<u32>,
    /// The values as they were sent; empty for an alias.
    pub values: Vec<String>,
    /// The alias, if it is one.
    pub alias: Option<Alias>,
}

/// What a zone files a set under; its order is that of ListResourceRecordSets.
pub(super) type Key = (DnsName, RecordType, Option<String>);

impl RecordSet {
    pub(super) fn key(&self) -> Key {
        (self.name.clone(), self.kind, self.identifier.clone())
    }
}
