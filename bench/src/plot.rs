//! A picture of growth: how many times worse each figure is than at the smallest size.

use crate::figures::{self, Column};
use anyhow::anyhow;
use plotters::prelude::*;
use std::path::Path;

/// The size of the picture in pixels.
const PICTURE: (u32, u32) = (960, 600);
/// The figures that are drawn, and how the picture names them. The others follow one of these.
const DRAWN: [(&str, &str, RGBColor); 8] = [
    ("building the projection, s", "building the projection", RGBColor(31, 119, 180)),
    ("building, most memory of pbm in MB", "memory of pbm", RGBColor(255, 127, 14)),
    ("memory of Redis in MB", "memory of Redis", RGBColor(148, 103, 189)),
    ("pages of the address book, p99 in ms", "page of the address book, p99", RGBColor(44, 160, 44)),
    ("pages of the list of users, p99 in ms", "page of the list of users, p99", RGBColor(23, 190, 207)),
    ("suggestions, p50 in ms", "suggestion, p50", RGBColor(214, 39, 40)),
    ("304, p99 in ms", "unchanged page (304), p99", RGBColor(140, 86, 75)),
    ("a change behind pbm until it is shown, p50 in ms", "change behind pbm, p50", RGBColor(127, 127, 127)),
];

/// Writes the picture as SVG, with logarithmic axes: a figure in proportion to the number of users is a diagonal, a figure
/// that does not depend on it a horizontal line.
///
/// # Errors
/// Fewer than two sizes were measured, or the file cannot be written.
pub(crate) fn write(path: &Path, columns: &[Column]) -> anyhow::Result<()> {
    let lines: Vec<_> = DRAWN
        .iter()
        .map(|(figure, name, colour)| (*name, *colour, figures::growth_by_size(figure, columns)))
        .filter(|(_, _, points)| points.len() > 1)
        .collect();
    let sizes = || lines.iter().flat_map(|(_, _, points)| points).map(|(users, _)| *users);
    let (Some(smallest), Some(largest)) = (sizes().min_by(f64::total_cmp), sizes().max_by(f64::total_cmp))
    else {
        return Err(anyhow!("a picture of growth needs two sizes: --sizes 10000,100000"));
    };
    let highest = lines.iter().flat_map(|(_, _, points)| points).map(|(_, growth)| *growth);
    let highest = highest.fold(largest / smallest, f64::max) * 1.2;
    let area = SVGBackend::new(path, PICTURE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .caption("Times worse than at the smallest size, by the number of users", ("sans-serif", 20))
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d((smallest..largest).log_scale(), (0.5..highest).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("users")
        .y_desc("times worse")
        .x_label_formatter(&|users| format!("{users:.0}"))
        .y_label_formatter(&|growth| format!("{growth:.1}"))
        .light_line_style(WHITE)
        .draw()?;
    let proportional = [(smallest, 1.0), (largest, largest / smallest)];
    chart
        .draw_series(DashedLineSeries::new(proportional, 6, 6, BLACK.mix(0.4).stroke_width(1)))?
        .label("in proportion to the users")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLACK.mix(0.4)));
    for (name, colour, points) in lines {
        let style = colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(points, style).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figure;

    fn column(users: usize, seconds: f64) -> Column {
        Column { users, figures: vec![Figure::cost(DRAWN[0].0, seconds)] }
    }

    #[test]
    fn a_picture_names_its_figures_and_needs_two_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growth.svg");
        assert!(write(&path, &[column(1000, 1.0)]).is_err());
        write(&path, &[column(1000, 1.0), column(10_000, 8.0)]).unwrap();
        let svg = std::fs::read_to_string(path).unwrap();
        assert!(svg.starts_with("<svg ") && svg.contains("building the projection"), "{svg}");
        assert!(!svg.contains("memory of Redis"), "{svg}");
    }
}
