//! How many colours a terminal shows, and the nearest one it has for one it has not. Not for finding out which terminal
//! it is: the composition root reads the environment.

use ratatui::style::Color;

/// How many colours there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Any.
    True,
    /// The 256 of xterm: sixteen, a cube of 6×6×6, greys.
    Indexed,
    /// The terminal's own sixteen.
    Sixteen,
}

/// The steps of the cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The eight colours and their bright forms as xterm shows them.
const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
    (Color::Black, (0, 0, 0)),
];

impl Depth {
    /// The depth that these variables tell of: `COLORTERM` (`truecolor`, `24bit`), then `TERM`.
    pub fn of(colorterm: Option<&str>, term: Option<&str>) -> Self {
        match (colorterm, term) {
            (Some("truecolor" | "24bit"), _) => Depth::True,
            (_, Some(term)) if term.contains("direct") => Depth::True,
            (_, Some(term)) if term.contains("256color") => Depth::Indexed,
            _ => Depth::Sixteen,
        }
    }

    /// The nearest colour it has.
    pub fn nearest(self, color: Color) -> Color {
        let Color::Rgb(red, green, blue) = color else {
            return color;
        };
        match self {
            Depth::True => color,
            Depth::Indexed => Color::Indexed(indexed(red, green, blue)),
            Depth::Sixteen => SIXTEEN
                .iter()
                .min_by_key(|(_, known)| distance((red, green, blue), *known))
                .map_or(Color::Reset, |(named, _)| *named),
        }
    }
}

fn indexed(red: u8, green: u8, blue: u8) -> u8 {
    let step = |value: u8| {
        let steps = CUBE.iter().zip(0u8..);
        steps.min_by_key(|(step, _)| step.abs_diff(value)).unwrap_or((&0, 0))
    };
    let (r, g, b) = (step(red), step(green), step(blue));
    // Greys lie closer together on their own ramp: 8, 18 … 238 from 232 on.
    let level = (u16::from(red) + u16::from(green) + u16::from(blue)) / 3;
    let shade = u8::try_from(level.saturating_sub(3) / 10).unwrap_or(23).min(23);
    let grey = 8 + 10 * shade;
    let cube = distance((red, green, blue), (*r.0, *g.0, *b.0));
    if distance((red, green, blue), (grey, grey, grey)) < cube {
        232 + shade
    } else {
        16 + 36 * r.1 + 6 * g.1 + b.1
    }
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    square(a.0, b.0) + square(a.1, b.1) + square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_the_depth() {
        assert_eq!(Depth::of(Some("truecolor"), Some("xterm")), Depth::True);
        assert_eq!(Depth::of(None, Some("screen-256color")), Depth::Indexed);
        assert_eq!(Depth::of(Some(""), Some("linux")), Depth::Sixteen);
        assert_eq!(Depth::of(None, None), Depth::Sixteen);
    }

    #[test]
    fn the_nearest_colour_is_near() {
        let rgb = Color::Rgb;
        assert_eq!(Depth::Indexed.nearest(rgb(0, 0, 0)), Color::Indexed(16));
        assert_eq!(Depth::Indexed.nearest(rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(Depth::Indexed.nearest(rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(Depth::Indexed.nearest(rgb(95, 175, 255)), Color::Indexed(75));
        assert_eq!(Depth::Sixteen.nearest(rgb(250, 10, 10)), Color::LightRed);
        assert_eq!(Depth::Sixteen.nearest(rgb(10, 250, 10)), Color::LightGreen);
        assert_eq!(Depth::Sixteen.nearest(rgb(10, 250, 250)), Color::LightCyan);
        assert_eq!(Depth::Sixteen.nearest(Color::Green), Color::Green);
        assert_eq!(Depth::True.nearest(rgb(1, 2, 3)), rgb(1, 2, 3));
    }
}
