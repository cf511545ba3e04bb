//! What every AWS feature shares: credentials, region, endpoint, the request budget of an account, and how failures
//! read. Not for operations: each service's own feature has those.

pub mod client;
mod failure;
mod identity;
mod limiter;
