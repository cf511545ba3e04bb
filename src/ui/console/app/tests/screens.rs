//! Whole screens at their sizes.

use super::*;

#[test]
fn help_is_made_from_the_keymap_and_the_panel() {
    let mut desk = Desk::new();
    desk.keys("?");
    assert!(desk.shows(120, 60, "search the history"));
    desk.keys("<esc>x?");
    assert_eq!(desk.app.input.text(), "x?", "typed when something is typed");
    desk.keys("<alt-2>?");
    assert!(desk.shows(120, 60, "scale"));
}

#[test]
fn a_frame_is_due_only_when_something_moved() {
    let mut desk = Desk::new();
    desk.screen(120, 40);
    assert!(!desk.app.is_dirty());
    desk.versions[2].fetch_add(1, Ordering::Relaxed);
    assert!(desk.app.is_dirty());
    desk.screen(120, 40);
    assert!(!desk.app.is_dirty());
    desk.keys("x");
    assert!(desk.app.is_dirty());
}

#[test]
fn the_screens_at_the_three_sizes() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get deploy");
    desk.item(block, json!({"name": "inspector", "ready": "1/1"}));
    desk.end(block, 0);
    desk.clock.advance(Duration::from_secs(2));
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let screen = desk.screen(width, height);
        let text = screen.join("\n");
        assert!(screen[0].starts_with(" sandbox │ default │ rw"), "{text}");
        assert!(screen[0].ends_with("✓ k8s live 2s"), "{text}");
        assert!(screen[usize::from(height) - 1].contains("? help"), "{text}");
        assert!(text.contains("2 deployments 3"), "{text}");
        assert_eq!(
            text.matches("✓ 1/1").count(),
            if width < 100 { 0 } else { 15 },
            "{text}"
        );
        assert_eq!(screen.iter().any(|row| row.contains('╭')), height >= 30);
    }
}

#[test]
fn forty_by_twelve_is_usable() {
    let mut desk = Desk::new();
    let block = desk.start("echo hi");
    desk.item(block, json!({"line": "hi", "source": "x"}));
    desk.end(block, 0);
    let screen = desk.screen(40, 12).join("\n");
    assert!(
        screen.contains("❯ echo hi") && screen.contains("\n   hi") || screen.contains("  hi"),
        "{screen}"
    );
    assert!(desk.shows(40, 12, " 1 chat  2 depl  3 roll  4 traf  5  6"), "{screen}");
    desk.keys("<alt-2>");
    assert!(desk.shows(40, 12, "inspector"));
    assert!(desk.shows(40, 12, " 1 chat  2 deployments 3  3  4  5  6"), "{screen}");
    for (width, height) in [(1, 1), (10, 3), (20, 5), (21, 6), (39, 8), (300, 80)] {
        desk.screen(width, height);
        desk.keys("?");
        desk.screen(width, height);
        desk.keys("<esc><alt-3>");
        desk.screen(width, height);
        desk.keys("i<ctrl- >");
        desk.screen(width, height);
        desk.keys("<esc>");
    }
}

#[test]
fn the_selected_row_is_reversed_with_and_without_colour() {
    let presets = Theme::PRESETS.iter().map(|name| Theme::preset(name).unwrap());
    for theme in presets.flat_map(|theme| [theme.clone(), theme.without_color()]) {
        let mut desk = Desk::new();
        desk.app.theme = theme;
        desk.keys("<alt-2>j");
        let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
        draw(&mut desk.app, buffer.area, &mut buffer);
        let reversed: String = buffer
            .content()
            .iter()
            .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED))
            .map(|cell| cell.symbol())
            .collect();
        assert!(reversed.starts_with("web; rm -rf"), "{reversed}");
    }
}

#[test]
fn production_and_read_only_are_said_in_words() {
    let mut context = Context::empty("eu\u{1b}[31m-1");
    (context.production, context.read_only) = (true, true);
    context.aws.region = Some("x".into());
    let mut desk = Desk::with(context, &["deployments"]);
    let top = desk.screen(120, 40)[0].clone();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
    draw(&mut desk.app, buffer.area, &mut buffer);
    let prompt = buffer.content().iter().rfind(|cell| cell.symbol() == "❯").unwrap();
    assert!(
        prompt.modifier.contains(ratatui::style::Modifier::REVERSED),
        "the prompt warns too"
    );
    assert!(top.contains("PROD eu␛[31m-1") && top.contains("! read-only"), "{top}");
}

#[test]
fn help_scrolls_to_its_last_line_and_no_further() {
    let mut desk = Desk::new();
    desk.keys("?");
    let first = desk.screen(80, 12).join("\n");
    desk.keys("G");
    let last = desk.screen(80, 12).join("\n");
    assert_ne!(first, last);
    desk.keys("jjjj");
    assert_eq!(desk.screen(80, 12).join("\n"), last);
    desk.keys("k");
    assert_ne!(desk.screen(80, 12).join("\n"), last, "no press has to be taken back");
    assert!(desk.shows(80, 12, "help: Down Up scroll"));
    desk.app.keymap = Keymap::parse("[panel]\n'up' = 'none'\n'down' = 'none'").unwrap().0;
    assert!(desk.shows(80, 12, "help: j k scroll"), "the title follows the keymap");
}
