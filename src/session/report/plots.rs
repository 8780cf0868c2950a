//! The plots of the page, as SVG that takes its colors from the page, so that they are readable on
//! a light and on a dark ground.
//!
//! plotters writes colors as numbers. Each [`PlotInk`] is a number of its own, and is replaced by the
//! variable of the style sheet that has its name.

mod axes;
mod bars;
mod time;

use std::error::Error;

pub(super) use self::bars::{copies, degrees, delays, detections, hops};
pub(super) use self::time::{coverage, timeline};

use plotters::prelude::*;

use self::axes::Axis;

/// Width and height of a plot that stands beside another, in pixels: readable on a telephone, too.
const HALF: (u32, u32) = (460, 250);
/// The width of one that has the page for itself.
const WHOLE: u32 = 940;
/// The size of the letters in pixels, as plotters counts: a quarter more than in the picture.
const LETTERS: u32 = 15;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn Error>>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// An axis, and what stands along it.
struct AxisSide<'a> {
    axis: Axis,
    /// What is measured, with its unit, if that does not go without saying.
    what: &'a str,
    text: &'a dyn Fn(f64) -> String,
    /// Pixels beside the plot.
    room: u32,
    has_grid: bool,
}

/// What a color means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlotInk {
    Text,
    Grid,
    Measured,
    Predicted,
    Bad,
    Done,
    Quiet,
}

impl PlotInk {
    const ALL: [Self; 7] =
        [Self::Text, Self::Grid, Self::Measured, Self::Predicted, Self::Bad, Self::Done, Self::Quiet];

    /// Its variable in the style sheet.
    pub(super) const fn variable(self) -> &'static str {
        match self {
            Self::Text => "var(--ink)",
            Self::Grid => "var(--grid)",
            Self::Measured => "var(--measured)",
            Self::Predicted => "var(--predicted)",
            Self::Bad => "var(--bad)",
            Self::Done => "var(--done)",
            Self::Quiet => "var(--quiet)",
        }
    }

    const fn color(self) -> RGBColor {
        RGBColor(1, 1, self as u8)
    }

    fn solid(self) -> ShapeStyle {
        self.color().filled()
    }

    /// As it is written in an attribute.
    fn written(self) -> String {
        let RGBColor(red, green, blue) = self.color();
        format!("\"#{red:02X}{green:02X}{blue:02X}\"")
    }
}

/// A plot with this text for those who do not see it. `None` if it cannot be drawn.
fn plot(size: (u32, u32), about: &str, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Option<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root).and_then(|()| Ok(root.present()?)).ok()?;
    }
    for ink in PlotInk::ALL {
        svg = svg.replace(&ink.written(), &format!("\"{}\"", ink.variable()));
    }
    let about = about.replace('"', "'");
    Some(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{about}\" "), 1))
}

/// Draws the axes, and returns the chart to draw in.
fn framed<'a, 'b>(root: &'a Area<'b>, x: AxisSide<'_>, y: AxisSide<'_>) -> Result<Chart<'a, 'b>, Box<dyn Error>> {
    let mut builder = ChartBuilder::on(root);
    builder.x_label_area_size(x.room).y_label_area_size(y.room).margin(10).margin_right(26);
    let mut chart = builder.build_cartesian_2d(x.axis, y.axis)?;
    let (x_text, y_text) = (|value: &f64| (x.text)(*value), |value: &f64| (y.text)(*value));
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(PlotInk::Grid.color())
        .axis_style(PlotInk::Grid.color())
        .label_style(letters())
        .axis_desc_style(letters())
        .x_desc(x.what)
        .y_desc(y.what)
        .x_label_formatter(&x_text)
        .y_label_formatter(&y_text);
    if !x.has_grid {
        mesh.disable_x_mesh();
    }
    if !y.has_grid {
        mesh.disable_y_mesh();
    }
    mesh.draw()?;
    Ok(chart)
}

fn rectangle(from: (f64, f64), to: (f64, f64), ink: PlotInk) -> Rectangle<(f64, f64)> {
    Rectangle::new([from, to], ink.solid())
}

fn letters() -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&PlotInk::Text.color())
}

#[expect(clippy::cast_precision_loss, reason = "a place in a plot")]
const fn place(count: u64) -> f64 {
    count as f64
}
