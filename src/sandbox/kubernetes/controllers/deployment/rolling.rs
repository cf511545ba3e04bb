//! One step of a rolling update: grow the new replica set within the surge, shrink the old ones within what may be
//! unavailable. Not for changed numbers of replicas (see `scale`).

use super::Pass;

impl Pass {
    /// Brings the new replica set nearer to its size; true when it was changed.
    pub(super) fn reconcile_new(&mut self, new: Option<usize>) -> bool {
        let Some(index) = new else { return false };
        let wanted = self.deployment.replicas;
        let current = self.sets[index].replicas;
        let size = if current > wanted {
            wanted
        } else {
            let total: i64 = self.sets.iter().map(|set| set.replicas).sum();
            let room = (self.deployment.max_total() - total).max(0);
            current + room.min(wanted - current)
        };
        self.resize(index, size)
    }

    /// Shrinks old replica sets: first what is not healthy, then what the available pods allow; true when something was changed.
    pub(super) fn reconcile_old(&mut self, new: Option<usize>) -> bool {
        let old = self.old_sets(new);
        if old.iter().all(|index| self.sets[*index].replicas == 0) {
            return false;
        }
        let min_available = self.deployment.replicas - self.deployment.max_unavailable;
        let total: i64 = self.sets.iter().map(|set| set.replicas).sum();
        let new_unavailable = new.map_or(0, |index| self.sets[index].replicas - self.sets[index].available);
        let max_down = total - min_available - new_unavailable;
        if max_down <= 0 {
            return false;
        }
        let unhealthy = self.remove_unhealthy(&old, max_down);
        let healthy = self.shrink_healthy(&old, min_available);
        unhealthy || healthy
    }

    fn remove_unhealthy(&mut self, old: &[usize], max_down: i64) -> bool {
        let mut removed = 0;
        for index in old {
            let set = &self.sets[*index];
            // A status that is older than the spec may count more available pods than wanted ones: nothing to remove then.
            let surplus = (set.replicas - set.available).min(max_down - removed);
            if surplus > 0 {
                let size = set.replicas - surplus;
                removed += surplus;
                self.resize(*index, size);
            }
        }
        removed > 0
    }

    fn shrink_healthy(&mut self, old: &[usize], min_available: i64) -> bool {
        let available: i64 = self.sets.iter().map(|set| set.available).sum();
        let mut left = available - min_available;
        let mut changed = false;
        for index in old {
            if left <= 0 {
                break;
            }
            let size = self.sets[*index].replicas;
            let down = size.min(left);
            if down > 0 {
                left -= down;
                changed |= self.resize(*index, size - down);
            }
        }
        changed
    }
}
