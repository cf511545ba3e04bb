//! Scaling outside a rolling step: the number of replicas was changed, perhaps in the middle of a rollout or while it
//! is paused. Several active replica sets share the difference in proportion to their sizes.

use super::Pass;
use super::model::{DESIRED_REPLICAS, MAX_REPLICAS};

impl Pass {
    /// Distributes `spec.replicas` over the replica sets without starting or advancing a rollout.
    pub(super) fn scale(&mut self, new: Option<usize>) {
        let wanted = self.deployment.replicas;
        let active: Vec<usize> = (0..self.sets.len())
            .filter(|index| self.sets[*index].replicas > 0)
            .collect();
        let single = match active.as_slice() {
            [] => new.or_else(|| self.sets.len().checked_sub(1)),
            [only] => Some(*only),
            _ => None,
        };
        if let Some(index) = single {
            self.resize(index, wanted);
            return;
        }
        if new.is_some_and(|index| self.is_saturated(index)) {
            for index in self.old_sets(new) {
                self.resize(index, 0);
            }
            return;
        }
        if !self.deployment.recreate {
            self.scale_proportionally(active);
        }
    }

    fn is_saturated(&self, index: usize) -> bool {
        let (set, wanted) = (&self.sets[index], self.deployment.replicas);
        set.replicas == wanted && set.number(DESIRED_REPLICAS) == Some(wanted) && set.available == wanted
    }

    fn scale_proportionally(&mut self, mut active: Vec<usize>) {
        let total: i64 = active.iter().map(|index| self.sets[*index].replicas).sum();
        let allowed = if self.deployment.replicas > 0 {
            self.deployment.max_total()
        } else {
            0
        };
        let to_add = allowed - total;
        // Largest first; equal sizes: the newer one grows first, the older one shrinks first.
        active.sort_by_key(|index| {
            let age = i64::try_from(*index).unwrap_or(0);
            (-self.sets[*index].replicas, if to_add > 0 { -age } else { age })
        });
        let mut added = 0;
        let mut sizes = Vec::new();
        for index in &active {
            let share = self.share(*index, to_add, added);
            added += share;
            sizes.push(self.sets[*index].replicas + share);
        }
        // What rounding left over goes to the largest.
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (index, size) in active.into_iter().zip(sizes) {
            if !self.resize(index, size) {
                self.annotate_size(index);
            }
        }
    }

    /// How many of the replicas to add (or remove, negative) fall to one replica set.
    fn share(&self, index: usize, to_add: i64, added: i64) -> i64 {
        let set = &self.sets[index];
        let left = to_add - added;
        if set.replicas == 0 || left == 0 {
            return 0;
        }
        let fraction = if self.deployment.replicas == 0 {
            -set.replicas
        } else {
            let before = set
                .number(MAX_REPLICAS)
                .filter(|max| *max > 0)
                .unwrap_or_else(|| self.deployment.status_int("replicas"));
            if before == 0 {
                return 0;
            }
            (2 * set.replicas * self.deployment.max_total() + before) / (2 * before) - set.replicas
        };
        if to_add > 0 {
            fraction.min(left)
        } else {
            fraction.max(left)
        }
    }

    /// A replica set that keeps its size still learns the new totals, or the next pass would scale again.
    fn annotate_size(&mut self, index: usize) {
        let (wanted, max) = (
            self.deployment.replicas.to_string(),
            self.deployment.max_total().to_string(),
        );
        let set = &mut self.sets[index];
        let changed = set.annotate(DESIRED_REPLICAS, &wanted);
        if set.annotate(MAX_REPLICAS, &max) || changed {
            self.update(index);
        }
    }
}
