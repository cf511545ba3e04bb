//! What a console is made of whose panels a test fills: nothing is configured, bound, pinned or remembered. Not for what
//! runs lines.

use std::sync::Arc;

use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::ui::console::app::Parts;
use cogdeck::ui::console::arrangement::Arrangement;
use cogdeck::ui::console::keymap::Keymap;
use cogdeck::ui::panel::{Panel, Theme};
use cogdeck::verb::catalogue::Catalogue;

/// With these panels in this context.
pub fn parts(panels: Vec<Box<dyn Panel>>, theme: Theme, clock: &Clock, context: &Arc<Context>) -> Parts {
    Parts {
        panels,
        keymap: Keymap::preset(Keymap::STANDARD).expect("the keymap"),
        theme,
        clock: clock.clone(),
        user: "operator".into(),
        context: context.clone(),
        contexts: Vec::new(),
        catalogue: Arc::new(Catalogue::new([])),
        can_start_sandbox: false,
        read_only: false,
        arrangement: Arrangement::default(),
        pinned: Vec::new(),
        pins: Arc::new(|pinned| panic!("nothing is pinned here, but {pinned:?} is")),
    }
}
