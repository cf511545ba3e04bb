//! Themes and keymaps that take the place of those before, and what was wrong in their files.

use super::{App, Dress};
use crate::core::report::{Place, Report};
use crate::ui::panel::{Theme, Tone};

impl App {
    /// What a new keymap changes besides keys; what it names that is not here is told.
    pub(super) fn take_keymap(&mut self) {
        self.input.use_vi(self.keymap.has_vi());
        // Folded blocks name the keys that open them.
        self.chat.forget_looks();
        let known: Vec<_> = self
            .panels
            .iter()
            .map(|panel| (panel.id(), panel.all_actions()))
            .collect();
        let wrong = self.keymap.check_panels(&known);
        self.remark(&wrong);
    }

    /// Files of the operator's have changed: what can be read of them counts from now on.
    pub(super) fn dress(&mut self, dress: Dress) {
        let mut taken = Vec::new();
        // One that was read while another was chosen is not worn any more.
        let worn = |theme: &Theme| !self.theme_chosen || theme.name == self.theme.name;
        if let Some(theme) = dress.theme.filter(worn) {
            taken.push(format!("theme {}", theme.name));
            self.wear(theme);
        }
        if let Some(keymap) = dress.keymap {
            taken.push("keymap".to_owned());
            self.keymap = keymap;
            self.take_keymap();
        }
        if !taken.is_empty() {
            self.tell(&format!("read again: {}", taken.join(", ")), Tone::Ok);
        }
        self.remark(&dress.remarks);
    }

    /// Another theme until the console is left, whatever becomes of the file of the one before: its own is watched now.
    pub(super) fn choose_theme(&mut self, theme: Theme, remarks: &[Report]) {
        let told = format!("theme {} is worn", theme.name);
        self.theme_chosen = true;
        self.wear(theme);
        self.tell(&told, Tone::Ok);
        self.remark(remarks);
    }

    pub(super) fn wear(&mut self, theme: Theme) {
        self.theme = theme;
        self.chat.forget_looks();
    }

    /// Tells what is wrong in a file of the operator's.
    pub(in crate::ui::console) fn remark(&mut self, remarks: &[Report]) {
        for remark in remarks {
            let line = remark.place.as_ref().map(Place::line);
            let told = match line {
                Some(line) => format!("line {line}: {}", remark.told()),
                None => remark.told().to_string(),
            };
            self.tell(&told, Tone::Warn);
        }
    }
}
