//! The hosted zones: state shared by the API and the DNS server. Every answer is computed for the present moment, so
//! no task has to run for a change to become INSYNC.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::super::delay::Delay;
use super::super::fault::Fault;
use super::batch::{self, Change};
use super::name::DnsName;
use super::record::RecordSet;
use super::zone::Zone;
use crate::sandbox::clock::Clock;
use crate::sandbox::random::Random;

/// From PENDING to INSYNC, before the clock's speed. Outside it takes up to a minute.
const PROPAGATION: Duration = Duration::from_secs(6);
/// Changes of one zone that may be PENDING; the next is refused with `PriorRequestNotComplete`.
const MAX_PENDING: usize = 100;
/// Changes that GetChange remembers; the oldest are forgotten.
const MAX_CHANGES: usize = 1_000;
const MAX_ZONES: usize = 500;
const MAX_SETS: usize = 10_000;

/// The hosted zones. A clone shares the state.
#[derive(Clone)]
pub struct Zones {
    state: Arc<Mutex<State>>,
    clock: Clock,
}

/// What DNS knows of one name.
#[derive(Clone, Debug)]
pub struct Published {
    /// The zone's id.
    pub zone_id: String,
    /// The zone's name.
    pub apex: DnsName,
    /// The sets of the name, or those of the wildcard that covers it.
    pub sets: Vec<Arc<RecordSet>>,
    /// Whether the name exists; when it does not, the answer is NXDOMAIN.
    pub exists: bool,
    /// The NS set of the delegation that the name lies at or below.
    pub delegation: Option<Arc<RecordSet>>,
    /// The zone's SOA, for negative answers.
    pub soa: Option<Arc<RecordSet>>,
}

/// A change as GetChange shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangeInfo {
    pub id: String,
    pub submitted: Timestamp,
    pub delay: Delay,
    pub in_sync: bool,
}

struct State {
    zones: Vec<Zone>,
    changes: VecDeque<ChangeInfo>,
    random: Random,
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zones").finish_non_exhaustive()
    }
}

impl Zones {
    /// The zones at the start: `Z37AJ8CHRUEZC6`, `spawnhub.com.`, with NS and SOA.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let apex = DnsName::from_labels([&b"spawnhub"[..], b"com"].into_iter());
        let zone = Zone::new(
            "Z37AJ8CHRUEZC6".into(),
            apex,
            "sandbox".into(),
            Some("the sandbox's zone".into()),
        );
        let state = State {
            zones: vec![zone],
            changes: VecDeque::new(),
            random: Random::new(seed).fork("route53"),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
        }
    }

    /// What DNS knows of a name right now; `None` when no zone holds it.
    pub fn published(&self, name: &DnsName) -> Option<Published> {
        let state = self.state();
        let holders = state.zones.iter().filter(|zone| name.is_within(&zone.apex));
        holders
            .max_by_key(|zone| zone.apex.labels().count())
            .map(|zone| zone.published(name))
    }

    /// Runs `read` on the zones, sorted by id as ListHostedZones lists them.
    pub(super) fn read<T>(&self, read: impl FnOnce(&[Zone]) -> T) -> T {
        read(&self.state().zones)
    }

    /// Runs `read` on one zone.
    pub(super) fn with<T>(&self, id: &str, read: impl FnOnce(&Zone) -> T) -> Result<T, Fault> {
        let state = self.state();
        state
            .zones
            .iter()
            .find(|zone| zone.id == id)
            .map(read)
            .ok_or_else(|| no_zone(id))
    }

    /// Applies a batch, all of it or none of it.
    pub(super) fn change(&self, id: &str, changes: Vec<Change>) -> Result<ChangeInfo, Fault> {
        let mut state = self.state();
        let zone = state
            .zones
            .iter_mut()
            .find(|zone| zone.id == id)
            .ok_or_else(|| no_zone(id))?;
        if zone.pending() >= MAX_PENDING {
            return Err(Fault::bad(
                "PriorRequestNotComplete",
                "The request was rejected because Route 53 was still processing a prior request.",
            ));
        }
        let delta = batch::plan(&zone.id, &zone.apex, &zone.sets, &changes)?;
        if zone.sets.len() + delta.len() > MAX_SETS {
            return Err(Fault::bad(
                "InvalidChangeBatch",
                format!("[Number of records limit of {MAX_SETS} per hosted zone exceeded.]"),
            ));
        }
        let delay = Delay::begin(PROPAGATION);
        zone.apply(delta, delay);
        Ok(state.submit(self.clock.now(), delay))
    }

    /// A new public zone; the same caller reference gives the error that outside gives.
    pub(super) fn create(
        &self,
        apex: DnsName,
        reference: String,
        comment: Option<String>,
    ) -> Result<(String, ChangeInfo), Fault> {
        let mut state = self.state();
        if state.zones.iter().any(|zone| zone.reference == reference) {
            return Err(Fault::new(
                http::StatusCode::CONFLICT,
                "HostedZoneAlreadyExists",
                "A hosted zone has already been created with the specified caller reference.",
            ));
        }
        if state.zones.len() >= MAX_ZONES {
            return Err(Fault::bad(
                "TooManyHostedZones",
                format!("Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER={MAX_ZONES}."),
            ));
        }
        let id = format!("Z{}", state.id());
        state.zones.push(Zone::new(id.clone(), apex, reference, comment));
        state.zones.sort_by(|a, b| a.id.cmp(&b.id));
        let delay = Delay::begin(PROPAGATION);
        Ok((id, state.submit(self.clock.now(), delay)))
    }

    /// Deletes a zone that has nothing but its NS and SOA.
    pub(super) fn delete(&self, id: &str) -> Result<ChangeInfo, Fault> {
        let mut state = self.state();
        let at = state
            .zones
            .iter()
            .position(|zone| zone.id == id)
            .ok_or_else(|| no_zone(id))?;
        if state.zones[at].sets.len() > 2 {
            return Err(Fault::bad(
                "HostedZoneNotEmpty",
                "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
            ));
        }
        state.zones.remove(at);
        let delay = Delay::begin(PROPAGATION);
        Ok(state.submit(self.clock.now(), delay))
    }

    /// A change by its id, with or without `/change/`.
    pub(super) fn get_change(&self, id: &str) -> Result<ChangeInfo, Fault> {
        let state = self.state();
        state
            .changes
            .iter()
            .find(|change| change.id == id)
            .cloned()
            .ok_or_else(|| Fault::not_found("NoSuchChange", format!("A change with the ID '{id}' does not exist.")))
    }

    /// The state as of now. A poisoned lock is taken over: every write below is complete before anything can fail.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for zone in &mut state.zones {
            zone.settle(&self.clock);
        }
        for change in &mut state.changes {
            change.in_sync |= change.delay.is_over(&self.clock);
        }
        state
    }
}

impl State {
    fn id(&mut self) -> String {
        const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        (0..13)
            .filter_map(|_| self.random.choose(LETTERS).map(|letter| char::from(*letter)))
            .collect()
    }

    fn submit(&mut self, submitted: Timestamp, delay: Delay) -> ChangeInfo {
        let info = ChangeInfo {
            id: format!("C{}", self.id()),
            submitted,
            delay,
            in_sync: false,
        };
        if self.changes.len() >= MAX_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(info.clone());
        info
    }
}

fn no_zone(id: &str) -> Fault {
    let shown: String = id.chars().take(60).collect();
    Fault::not_found("NoSuchHostedZone", format!("No hosted zone found with ID: {shown}"))
}
