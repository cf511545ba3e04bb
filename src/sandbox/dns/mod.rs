//! The DNS server of the sandbox: answers from the hosted zones and the load balancers' names, never recurses.
//! A record set is served once its Route 53 change is INSYNC, not before. Not for resolving anything outside.

mod answer;
mod names;
mod server;

pub use self::names::{LoadBalancers, Names};
pub use self::server::{DnsHandle, DnsServer};
