//! The product's readers of text, compiled from its sources without the rest of it, and what is expected of them.
#![allow(
    dead_code,
    unused_imports,
    reason = "modules of the product, of which only the readers are used"
)]

#[path = "../../../src/access/mod.rs"]
pub mod access;
pub mod bundle;
#[path = "../../../src/core/mod.rs"]
pub mod core;
#[path = "../../../src/engine/mod.rs"]
pub mod engine;
#[path = "../../../src/feed/mod.rs"]
pub mod feed;
#[path = "../../../src/lang/mod.rs"]
pub mod lang;
#[path = "../../../src/render/mod.rs"]
pub mod render;
#[path = "../../../src/verb/mod.rs"]
pub mod verb;

pub mod targets;
