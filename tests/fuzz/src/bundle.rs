//! The part of the product's bundles that reads text.

#[path = "../../../src/bundle/manifest/mod.rs"]
pub mod manifest;
