//! The pods of some replica sets, kept up with what changes: a pass over all pods in every frame is one over thousands. Not
//! for which replica sets are looked at.

use std::collections::BTreeSet;

use crate::features::kubernetes::model::PodRow;
use crate::feed::RowTable;

/// What is known of them.
#[derive(Debug, Default)]
pub struct OwnPods {
    /// The unique ids of the replica sets.
    sets: BTreeSet<String>,
    /// The changes of the pods that were looked at.
    seen: u64,
    /// The keys of their pods.
    keys: BTreeSet<String>,
}

impl OwnPods {
    /// The pods of these replica sets, by key. `pods` is always the same table.
    pub fn find<'a>(&mut self, sets: &BTreeSet<&str>, pods: &'a RowTable<PodRow>) -> Vec<&'a PodRow> {
        let is_own = |pod: &PodRow| sets.contains(&*pod.owner_uid);
        let same = self.sets.iter().map(String::as_str).eq(sets.iter().copied());
        match pods.changed_since(self.seen).filter(|_| same) {
            Some(changed) => {
                for key in changed {
                    if pods.get(key).is_some_and(is_own) {
                        self.keys.insert(key.to_owned());
                    } else {
                        self.keys.remove(key);
                    }
                }
            }
            None => {
                let own = pods.iter().filter(|(_, pod)| is_own(pod));
                self.keys = own.map(|(key, _)| key.to_owned()).collect();
                self.sets = sets.iter().map(|set| (*set).to_owned()).collect();
            }
        }
        self.seen = pods.changes();
        self.keys.iter().filter_map(|key| pods.get(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Change {
        Put(u8, u8),
        Remove(u8),
        Relist(Vec<(u8, u8)>),
    }

    fn put(table: &mut RowTable<PodRow>, pod: u8, set: u8) {
        let row = PodRow {
            name: format!("pod-{pod}"),
            owner_uid: set.to_string().into(),
            ..PodRow::default()
        };
        table.upsert(format!("default/pod-{pod}"), row);
    }

    fn changes() -> impl Strategy<Value = Change> {
        prop_oneof![
            8 => (0_u8..40, 0_u8..4).prop_map(|(pod, set)| Change::Put(pod, set)),
            2 => (0_u8..40).prop_map(Change::Remove),
            1 => proptest::collection::vec((0_u8..40, 0_u8..4), 0..40).prop_map(Change::Relist),
        ]
    }

    proptest! {
        #[test]
        fn they_are_what_a_pass_over_all_of_them_finds(
            frames in proptest::collection::vec((proptest::collection::vec(changes(), 0..30), 0_u8..3), 1..30)
        ) {
            let (mut table, mut own) = (RowTable::default(), OwnPods::default());
            for (changes, wanted) in frames {
                for change in changes {
                    match change {
                        Change::Put(pod, set) => put(&mut table, pod, set),
                        Change::Remove(pod) => drop(table.remove(&format!("default/pod-{pod}"))),
                        Change::Relist(rows) => {
                            table.begin_list();
                            rows.into_iter().for_each(|(pod, set)| put(&mut table, pod, set));
                            table.end_list();
                        }
                    }
                }
                let sets = [wanted.to_string(), "3".to_owned()];
                let sets: BTreeSet<&str> = sets.iter().map(String::as_str).collect();
                let all = table.iter().map(|(_, pod)| pod);
                let expected: Vec<&PodRow> = all.filter(|pod| sets.contains(&*pod.owner_uid)).collect();
                prop_assert_eq!(own.find(&sets, &table), expected);
            }
        }
    }
}
