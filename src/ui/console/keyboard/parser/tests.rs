#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// The events of bytes that come in pieces, and what a while of nothing makes of the rest.
fn read(pieces: &[&[u8]]) -> Vec<Event> {
    let (mut parser, mut events) = (Parser::default(), VecDeque::new());
    pieces.iter().for_each(|piece| parser.take(piece, &mut events));
    parser.give_up(&mut events);
    events.into()
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

fn plain(code: KeyCode) -> Event {
    key(code, KeyModifiers::NONE)
}

const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

/// Keys as terminals send them.
fn keys() -> Vec<(&'static [u8], Event)> {
    vec![
        (b"a", plain(KeyCode::Char('a'))),
        (b"A", key(KeyCode::Char('A'), SHIFT)),
        ("世".as_bytes(), plain(KeyCode::Char('世'))),
        ("👍".as_bytes(), plain(KeyCode::Char('👍'))),
        (b"\r", plain(KeyCode::Enter)),
        (b"\n", key(KeyCode::Char('j'), CONTROL)),
        (b"\t", plain(KeyCode::Tab)),
        (b"\x7f", plain(KeyCode::Backspace)),
        (b"\0", key(KeyCode::Char(' '), CONTROL)),
        (b"\x03", key(KeyCode::Char('c'), CONTROL)),
        (b"\x1f", key(KeyCode::Char('7'), CONTROL)),
        (b"\x1bx", key(KeyCode::Char('x'), ALT)),
        (b"\x1b\r", key(KeyCode::Enter, ALT)),
        (b"\x1b\x7f", key(KeyCode::Backspace, ALT)),
        ("\u{1b}é".as_bytes(), key(KeyCode::Char('é'), ALT)),
        (b"\x1b]", key(KeyCode::Char(']'), ALT)),
        (b"\x1b[A", plain(KeyCode::Up)),
        (b"\x1bOB", plain(KeyCode::Down)),
        (b"\x1b[1;5C", key(KeyCode::Right, CONTROL)),
        (b"\x1b[1;4D", key(KeyCode::Left, ALT | SHIFT)),
        (b"\x1b[H", plain(KeyCode::Home)),
        (b"\x1b[4~", plain(KeyCode::End)),
        (b"\x1b[Z", key(KeyCode::BackTab, SHIFT)),
        (b"\x1b[3~", plain(KeyCode::Delete)),
        (b"\x1b[3;3~", key(KeyCode::Delete, ALT)),
        (b"\x1b[5~", plain(KeyCode::PageUp)),
        (b"\x1bOP", plain(KeyCode::F(1))),
        (b"\x1b[[A", plain(KeyCode::F(1))),
        (b"\x1b[15~", plain(KeyCode::F(5))),
        (b"\x1b[24;2~", key(KeyCode::F(12), SHIFT)),
        (b"\x1b[13;2u", key(KeyCode::Enter, SHIFT)),
        (b"\x1b[120;7u", key(KeyCode::Char('x'), CONTROL | ALT)),
    ]
}

#[test]
fn keys_are_read_as_terminals_send_them() {
    for (bytes, event) in keys() {
        assert_eq!(read(&[bytes]), [event], "{bytes:?}");
    }
    assert_eq!(read(&[b"\x1b"]), [plain(KeyCode::Esc)]);
    assert_eq!(read(&[b"\x1b["]), [key(KeyCode::Char('['), ALT)]);
    assert_eq!(read(&[b"\x1bO"]), [key(KeyCode::Char('O'), ALT)]);
    assert_eq!(read(&[b"\x1b\x1b"]), [plain(KeyCode::Esc), plain(KeyCode::Esc)]);
    assert_eq!(read(&[b"\x1b\x1b[A"]), [plain(KeyCode::Esc), plain(KeyCode::Up)]);
    let [Event::Key(released)] = read(&[b"\x1b[97;1:3u"])[..] else {
        unreachable!()
    };
    assert_eq!(released.kind, KeyEventKind::Release);
}

#[test]
fn the_mouse_is_read_in_both_ways_to_tell_it() {
    let event = |bytes: &[u8]| match read(&[bytes])[..] {
        [Event::Mouse(event)] => event,
        ref other => unreachable!("{other:?}"),
    };
    let left = MouseButton::Left;
    for (bytes, kind) in [
        (&b"\x1b[<0;12;300M"[..], MouseEventKind::Down(left)),
        (b"\x1b[<0;12;300m", MouseEventKind::Up(left)),
        (b"\x1b[<32;12;300M", MouseEventKind::Drag(left)),
        (b"\x1b[<64;12;300M", MouseEventKind::ScrollUp),
        (b"\x1b[<65;12;300M", MouseEventKind::ScrollDown),
    ] {
        let event = event(bytes);
        assert_eq!((event.kind, event.column, event.row), (kind, 11, 299), "{bytes:?}");
    }
    let event = event(b"\x1b[M\x20\x2c\xff");
    assert_eq!(
        (event.kind, event.column, event.row),
        (MouseEventKind::Down(left), 11, 222)
    );
    assert_eq!(read(&[b"\x1b[<0;0;0Mx"]), [plain(KeyCode::Char('x'))], "no such place");
}

#[test]
fn what_is_no_key_is_not_typed_and_hides_nothing_behind_it() {
    let x = plain(KeyCode::Char('x'));
    for bytes in [
        &b"\x1b[?62;22cx"[..],
        b"\x1b[12;40Rx",
        b"\x1b[Ix",
        b"\x1b[999~x",
        b"\x1b[99999999999999999999999ux",
        b"\xffx",
        b"\xe4\xb8x",
        b"\x1bOzx",
        b"\x1b[<1;2Mx",
    ] {
        assert_eq!(read(&[bytes]), std::slice::from_ref(&x), "{bytes:?}");
    }
    assert_eq!(read(&[b"\x1b[1;\x1b[A"]), [plain(KeyCode::Up)], "another one begins");
    let endless = [b"\x1b[".to_vec(), b"1".repeat(62)].concat();
    assert_eq!(read(&[&endless, b"x"]), [x]);
}

#[test]
fn a_paste_is_one_text_and_an_endless_one_keeps_its_beginning() {
    let pasted = |text: &str| Event::Paste(text.to_owned());
    assert_eq!(
        read(&[b"\x1b[200~rm x\r\x1b[A\x1b[201~y"]),
        [pasted("rm x\r\u{1b}[A"), plain(KeyCode::Char('y'))]
    );
    assert_eq!(read(&[b"\x1b[200~never ends\r"]), []);
    let long = "x".repeat(LONGEST_PASTE + 100);
    let events = read(&[b"\x1b[200~", long.as_bytes(), b"\x1b[201~"]);
    assert!(events == [pasted(&long[..LONGEST_PASTE])], "{} events", events.len());
}

proptest! {
    /// A line far away delivers in pieces: but for the one place where they wait, it makes no difference which.
    #[test]
    fn pieces_are_read_as_the_whole(
        picked in proptest::collection::vec(0usize..40, 0..12), cuts in proptest::collection::vec(0usize..200, 0..8)
    ) {
        let mut keys = keys();
        keys.push((b"\x1b[200~a\rb\x1b[201~", Event::Paste("a\rb".to_owned())));
        let picked: Vec<_> = picked.into_iter().filter_map(|at| keys.get(at).cloned()).collect();
        let bytes: Vec<u8> = picked.iter().flat_map(|(bytes, _)| bytes.to_vec()).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let wanted: Vec<Event> = picked.into_iter().map(|(_, event)| event).collect();
        prop_assert_eq!(read(&pieces), wanted);
    }

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&[&bytes]);
    }
}
