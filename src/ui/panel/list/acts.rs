//! What an action on rows of several contexts wants done, as one: what can only be done once is done once. Not for what
//! may be done: the console refuses changes in several contexts.

use crate::core::text::SafeText;
use crate::ui::panel::Effect;

/// Adds what the rows of one more context want done: copies become one, a panel turns to the first subject only.
pub(super) fn join(all: &mut Vec<Effect>, next: Effect) {
    let turns = |effect: &Effect| matches!(effect, Effect::Show { .. } | Effect::Hold { .. });
    match &next {
        Effect::Copy(text) => {
            let copied = all.iter_mut().find_map(|effect| match effect {
                Effect::Copy(copied) => Some(copied),
                _ => None,
            });
            match copied {
                Some(copied) => *copied = SafeText::new(&format!("{copied}\n{text}")),
                None => all.push(next),
            }
        }
        Effect::Toast(_) if all.contains(&next) => {}
        turn if turns(turn) && all.iter().any(turns) => {}
        _ => all.push(next),
    }
}
