//! What is done with the rollout that is shown: going down to a pod, actions of the deployment, pinning.

use super::super::{COPY, DESCRIBE, EDIT, LOGS, SHELL, YAML, common, in_namespace, objects, shell, target};
use super::{Held, RolloutPanel};
use crate::core::text::SafeText;
use crate::lang::Stage;
use crate::ui::panel::{Action, Effect, Panel};

const HISTORY: Action = Action::new("history", 'H', "history");
const UNDO: Action = Action::new("undo", 'u', "undo rollout");
const HOLD: Action = Action::new("hold", 'p', "pin, or let go");

/// What can be done with a rollout and its pods.
pub(super) const ACTIONS: [Action; 9] = [DESCRIBE, LOGS, HISTORY, UNDO, HOLD, SHELL, YAML, EDIT, COPY];
/// Of a rollout that fails: the way back first, so that the hints have room for it.
pub(super) const FAILING: [Action; 9] = [UNDO, DESCRIBE, LOGS, HISTORY, HOLD, SHELL, YAML, EDIT, COPY];

/// What a key answers while there is no deployment.
pub(super) const NOTHING: &str = "there is no rollout here to do that with";

impl RolloutPanel {
    /// Enter: goes down to the pod's containers, or shows the selected rollout alone.
    pub(super) fn open_selected(&mut self) -> Vec<Effect> {
        if let Some(one) = self.one() {
            let pod = one.view.pods.get(self.selection.index());
            let below = pod.map(|pod| Effect::Show {
                panel: objects::ID,
                subject: target("Pod", &one.view.namespace, &pod.name).into(),
            });
            return below.into_iter().map(|effect| self.within(effect)).collect();
        }
        let Some(one) = self.seen.all.get(self.selection.index()) else {
            return vec![Effect::Toast(NOTHING.into())];
        };
        self.held = Some(Held {
            name: one.label.clone(),
            opened: true,
        });
        self.moved += 1;
        Vec::new()
    }

    pub(super) fn act_if_allowed(&mut self, action: &str) -> Vec<Effect> {
        match self.denied(action) {
            Some(denied) => vec![Effect::Toast(denied)],
            None => {
                let effects = self.act(action).into_iter();
                effects.map(|effect| self.within(effect)).collect()
            }
        }
    }

    /// What is wanted of what is shown, in its context.
    pub(super) fn within(&self, effect: Effect) -> Effect {
        match (&self.scope, &self.context) {
            (Some(scope), Some(context)) => {
                let of = self.one().or_else(|| self.seen.all.get(self.selection.index()));
                let effect = match of.filter(|_| context.kubernetes.everywhere) {
                    Some(one) => in_namespace(effect, &one.view.namespace),
                    None => effect,
                };
                effect.within(scope, context)
            }
            _ => effect,
        }
    }

    pub(super) fn act(&mut self, action: &str) -> Vec<Effect> {
        let at = self.selection.index();
        let Some(one) = self.one().or_else(|| self.seen.all.get(at)) else {
            return vec![Effect::Toast(NOTHING.into())];
        };
        let view = &one.view;
        let pod = self.pods().get(at);
        let on_deployment = |verb: &str| Effect::Run(Stage::new(verb).arg("deploy").arg(&view.name).into());
        match (action, pod) {
            ("history", _) => vec![on_deployment("kubectl:rollout-history")],
            ("undo", _) => vec![on_deployment("kubectl:rollout-undo")],
            ("hold", _) => {
                let name = one.label.clone();
                vec![Effect::Toast(self.hold_or_let_go(&name))]
            }
            ("shell", Some(pod)) => shell(&[pod.name.as_str()], None),
            (other, Some(pod)) => common(other, "po", &[pod.name.as_str()]),
            (other, None) => common(other, "deploy", &[view.name.as_str()]),
        }
    }

    /// Stays on this deployment, or lets go of it when it is pinned already; what was done.
    pub(super) fn hold_or_let_go(&mut self, name: &str) -> SafeText {
        self.moved += 1;
        let known = self.held.take();
        if known.is_some_and(|held| held.name == name && !held.opened) {
            return "the rollout panel follows the last change again".into();
        }
        self.held = Some(Held {
            name: name.to_owned(),
            opened: false,
        });
        SafeText::line(&format!("the rollout panel stays on {name}"))
    }
}
