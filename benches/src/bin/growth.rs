//! `cargo run --release --bin growth`: how the time grows with the body and with the number of secrets. Writes
//! `growth.svg` in the book, and prints the figures and how parsing compares with hashing.

use std::{error::Error, hint::black_box, path::Path};

use pierre_webhook_benches::{
    measure::{Case, measure},
    sample::{Sample, verifier},
};
use pierre_webhook_core::Event;
use plotters::prelude::*;

const KIB: [usize; 8] = [8, 64, 128, 256, 384, 512, 768, 1024];
const ROUNDS: usize = 31;

const LINES: [&str; 5] = [
    "signature, 1 secret",
    "signature, 2 secrets",
    "signature, 4 secrets",
    "JSON, one long text",
    "JSON, many short members",
];

/// For each line, the microseconds at each size.
type Curves = Vec<(&'static str, Vec<(f64, f64)>)>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut curves: Curves = LINES.map(|name| (name, Vec::new())).into();
    println!("{:>9}{}", "KiB", LINES.map(|name| format!("{name:>26}")).concat());
    for kib in KIB {
        let times = times(kib << 10);
        print!("{kib:>9}");
        for ((_, curve), time) in curves.iter_mut().zip(times) {
            print!("{time:>26.1}");
            curve.push((kib as f64, time));
        }
        println!();
    }
    println!(
        "\nmicroseconds per KiB between the smallest and the largest, and the largest deviation from that line"
    );
    for (name, curve) in &curves {
        let (slope, deviation) = straightness(curve);
        println!("{name:<26}{slope:>10.3}{:>10.1} %", deviation * 100.0);
    }
    for text in &LINES[3..] {
        let slope = |name: &str| {
            let (_, curve) = curves.iter().find(|(other, _)| *other == name).expect("a line");
            straightness(curve).0
        };
        let share = slope(text) / slope(LINES[0]);
        println!("{text}: parsing takes {share:.2} times as long as hashing, at any size");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/growth.svg");
    draw(&curves, &path)?;
    println!("\nwrote book/src/growth.svg");
    Ok(())
}

fn times(size: usize) -> Vec<f64> {
    let sample = Sample::of(size);
    let dense = dense_json(size);
    let [one, two, four] = [1, 2, 4].map(verifier);
    let mut cases = [
        Case::new(LINES[0], || one.verify_signature(black_box(&sample.signature), &sample.body)),
        Case::new(LINES[1], || two.verify_signature(black_box(&sample.signature), &sample.body)),
        Case::new(LINES[2], || four.verify_signature(black_box(&sample.signature), &sample.body)),
        Case::new(LINES[3], || Event::from_json("ping", black_box(&sample.body).clone())),
        Case::new(LINES[4], || Event::from_json("ping", black_box(&dense).clone())),
    ];
    measure(&mut cases, ROUNDS).into_iter().map(|figure| figure.nanoseconds / 1000.0).collect()
}

/// Returns a JSON object with many short members.
fn dense_json(size: usize) -> bytes::Bytes {
    let member = r#""ref":"refs/heads/main","n":12,"#;
    let mut json = format!("{{{}", member.repeat(size / member.len()));
    json.pop();
    json.push('}');
    json.into()
}

/// Returns the slope from the first point to the last, and the largest deviation from that line, relative to the last
/// point.
fn straightness(curve: &[(f64, f64)]) -> (f64, f64) {
    let (first, last) = (curve[0], curve[curve.len() - 1]);
    let slope = (last.1 - first.1) / (last.0 - first.0);
    let deviation = curve
        .iter()
        .map(|(size, time)| (time - (first.1 + slope * (size - first.0))).abs() / last.1)
        .fold(0.0, f64::max);
    (slope, deviation)
}

fn draw(curves: &Curves, path: &Path) -> Result<(), Box<dyn Error>> {
    const COLORS: [RGBColor; 5] = [BLUE, CYAN, GREEN, RED, MAGENTA];

    let highest =
        curves.iter().flat_map(|(_, curve)| curve).map(|point| point.1).fold(0.0, f64::max);
    let area = SVGBackend::new(path, (860, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .caption("What a body costs", ("sans-serif", 20))
        .build_cartesian_2d(0.0..1024.0, 0.0..highest * 1.05)?;
    chart.configure_mesh().x_desc("KiB").y_desc("microseconds").draw()?;
    for ((name, curve), color) in curves.iter().zip(COLORS) {
        chart
            .draw_series(LineSeries::new(curve.iter().copied(), color.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
