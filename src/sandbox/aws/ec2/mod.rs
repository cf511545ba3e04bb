//! EC2, the query protocol of version 2016-11-15: instances, tags, regions and zones. Not for networks, volumes or
//! launching: an instance exists from the start or not at all.

mod change;
mod describe;
mod filter;
mod params;
mod places;
mod render;
mod tags;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use self::params::Params;
use self::world::World;
use super::fault::Fault;
use super::server::{Call, Reply, xml};
use super::xml::Xml;
use crate::sandbox::clock::Clock;

pub(super) use self::places::is_region;
pub use self::world::{InstanceSeed, default_world};

/// The namespace of EC2 documents.
const XMLNS: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The service's state.
pub(super) struct Ec2 {
    world: Mutex<World>,
    clock: Clock,
}

impl Ec2 {
    pub fn new(instances: Vec<InstanceSeed>, clock: Clock, seed: u64) -> Self {
        Self {
            world: Mutex::new(World::new(instances, clock.now(), seed)),
            clock,
        }
    }

    /// Answers a verified request.
    pub fn answer(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let params = Params::parse(call)?;
        let action = params.get("Action").unwrap_or_default();
        let mut world = self.world();
        world.settle(&self.clock);
        if params.flag("DryRun")? {
            return Err(Fault::new(
                StatusCode::PRECONDITION_FAILED,
                "DryRunOperation",
                "Request would have succeeded, but DryRun flag is set.",
            ));
        }
        let body = match action {
            "DescribeInstances" => describe::instances(&world, &params, call)?,
            "DescribeTags" => tags::describe(&world, &params, call)?,
            "CreateTags" => tags::create(&mut world, &params, call)?,
            "DeleteTags" => tags::delete(&mut world, &params, call)?,
            "DescribeRegions" => places::regions(&params, call)?,
            "DescribeAvailabilityZones" => places::zones(&params, call)?,
            "StartInstances" | "StopInstances" | "TerminateInstances" | "RebootInstances" => {
                change::answer(&mut world, action, &params, call, &self.clock)?
            }
            other => {
                let shown: String = other.chars().take(60).collect();
                let message = format!("The action {shown} is not valid for this web service.");
                return Err(Fault::bad("InvalidAction", message));
            }
        };
        Ok(xml(StatusCode::OK, body))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The document of an answer: its root is the action's name and `Response`.
fn document(action: &str, call: &Call<'_>, body: impl FnOnce(&mut Xml)) -> String {
    Xml::document(&format!("{action}Response"), XMLNS, |x| {
        x.text("requestId", call.request_id);
        body(x);
    })
}
