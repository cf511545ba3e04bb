//! When a frame is due, and what it may leave as it was painted last. Not for how one is drawn.

use super::App;

impl App {
    /// Whether a frame is due: something was handled, or a visible panel has moved.
    pub fn is_dirty(&self) -> bool {
        self.dirty
            || !self
                .panels
                .iter()
                .map(|panel| panel.version())
                .eq(self.drawn.iter().copied())
    }

    /// A frame begins.
    pub(in crate::ui::console) fn begin_frame(&mut self) {
        self.drawing = self.panels.iter().map(|panel| panel.version()).collect();
    }

    /// Something happened that may change what the panels show.
    pub(super) fn touch(&mut self) {
        self.dirty = true;
        self.epoch += 1;
    }

    /// A second passed: ages move, toasts go, and what became of the sources is told.
    pub fn tick(&mut self) {
        self.toasts.expire(self.clock.now());
        self.tell_alerts();
        self.close_in_time();
        self.touch();
    }

    /// Whether the next frame shows rows as they were painted last, though they have changed: their own frame comes soon.
    pub fn let_rows_wait(&mut self, wait: bool) {
        self.painted.rows_wait = wait;
    }

    /// The frame was drawn.
    pub fn drawn(&mut self) {
        self.dirty = false;
        if !self.painted.rows_wait {
            std::mem::swap(&mut self.drawn, &mut self.drawing);
        }
    }
}
