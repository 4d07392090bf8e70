//! The second table: figures that depend on the number of users, one column for each size.

/// Width of the column of names.
const NAME: usize = 48;
/// The number of users that the targets apply to, unless the figure says otherwise.
const MEANT_FOR: usize = 100_000;
/// The number of users for figures that must also be good for a very large tenant.
const VERY_LARGE: usize = 500_000;
/// The allowed slowdown of the large size, for figures with that target.
const MOST_GROWTH: f64 = 1.5;

/// A figure at one size.
#[derive(Clone)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    /// The target is a minimum for a rate and a maximum for a cost.
    is_rate: bool,
    target: Option<f64>,
    holds_size: bool,
    /// The number of users that the target applies to.
    meant_for: usize,
}

impl Figure {
    /// A figure that is better when it is larger.
    pub(crate) fn rate(name: impl Into<String>, value: f64) -> Self {
        let name = name.into();
        Self { name, value, is_rate: true, target: None, holds_size: false, meant_for: MEANT_FOR }
    }

    /// A figure that is better when it is smaller.
    pub(crate) fn cost(name: impl Into<String>, value: f64) -> Self {
        Self { is_rate: false, ..Self::rate(name, value) }
    }

    /// Adds a target.
    pub(crate) fn target(self, target: f64) -> Self {
        Self { target: Some(target), ..self }
    }

    /// Adds the requirement that the figure does not get much worse with the size.
    pub(crate) fn at_any_size(self) -> Self {
        Self { holds_size: true, ..self }
    }

    /// Makes the targets apply to 500,000 users, if that many are measured.
    pub(crate) fn for_very_large(self) -> Self {
        Self { meant_for: VERY_LARGE, ..self }
    }

    /// How many times worse the figure is than another.
    fn growth_since(&self, other: &Self) -> Option<f64> {
        let (better, worse) =
            if self.is_rate { (self.value, other.value) } else { (other.value, self.value) };
        (better > 0.0).then_some(worse / better)
    }

    fn is_met(&self) -> Option<bool> {
        self.target.map(|target| if self.is_rate { self.value >= target } else { self.value <= target })
    }

    fn target_text(&self) -> String {
        let sign = if self.is_rate { ">=" } else { "<=" };
        self.target.map_or("-".to_owned(), |target| format!("{sign} {target}"))
    }
}

/// All figures of one size.
pub(crate) struct Column {
    pub(crate) users: usize,
    pub(crate) figures: Vec<Figure>,
}

/// Prints the table and whether each target is met.
pub(crate) fn print(columns: &[Column]) {
    let Some(first) = columns.first() else { return };
    let sizes = columns.iter().map(|column| column.users.to_string()).collect();
    println!("{}", cells("figure, by the number of users", sizes, "growth", "target"));
    let mut verdicts = Vec::new();
    for figure in &first.figures {
        let line = Line::of(&figure.name, columns);
        println!("{}", line.text());
        verdicts.extend(line.verdicts());
    }
    println!();
    for (_, sentence) in &verdicts {
        println!("{sentence}");
    }
    let met = verdicts.iter().filter(|(met, _)| *met).count();
    println!("\n{met} of {} targets are met.", verdicts.len());
}

/// How many times worse a figure is at each size than at the smallest one: pairs of size and growth, ascending. Sizes at
/// which it was not measured are left out.
pub(crate) fn growth_by_size(name: &str, columns: &[Column]) -> Vec<(f64, f64)> {
    let mut values = Line::of(name, columns).values;
    values.sort_by_key(|(users, _)| *users);
    let mut measured = values.into_iter().filter_map(|(users, figure)| Some((users, figure?)));
    let Some((users, smallest)) = measured.next() else { return Vec::new() };
    let size = |users: usize| u32::try_from(users).map_or(f64::INFINITY, f64::from);
    let others = measured.filter_map(|(users, figure)| Some((size(users), figure.growth_since(smallest)?)));
    std::iter::once((size(users), 1.0)).chain(others).collect()
}

/// The cells of a line.
fn cells(name: &str, values: Vec<String>, growth: &str, target: &str) -> String {
    let values: Vec<_> = values.into_iter().map(|value| format!("{value:>9}")).collect();
    format!("{name:<NAME$} {} {growth:>7} {target:>10}", values.join(" "))
}

/// A line of the table: one figure at every size.
struct Line<'a> {
    name: &'a str,
    /// By size; `None` if it was not measured.
    values: Vec<(usize, Option<&'a Figure>)>,
}

impl<'a> Line<'a> {
    fn of(name: &'a str, columns: &'a [Column]) -> Self {
        let find = |column: &'a Column| column.figures.iter().find(|figure| figure.name == name);
        Self { name, values: columns.iter().map(|column| (column.users, find(column))).collect() }
    }

    /// The figure that the targets apply to: at the number of users that it is meant for, or at the largest smaller one.
    fn meant(&self) -> Option<&'a Figure> {
        let meant_for = self.values.iter().find_map(|(_, figure)| *figure)?.meant_for;
        let within = self.values.iter().filter(|(users, _)| *users <= meant_for);
        within.max_by_key(|(users, _)| *users).or(self.values.first())?.1
    }

    /// How many times worse the figure is than at the smallest size.
    fn growth(&self) -> Option<f64> {
        let smallest = self.values.iter().min_by_key(|(users, _)| *users)?.1?;
        let meant = self.meant()?;
        if std::ptr::eq(smallest, meant) { None } else { meant.growth_since(smallest) }
    }

    fn text(&self) -> String {
        let value = |figure: Option<&Figure>| figure.map_or("-".to_owned(), |figure| number(figure.value));
        let values = self.values.iter().map(|(_, found)| value(*found)).collect();
        let growth = self.growth().map_or("-".to_owned(), |growth| format!("{growth:.2}"));
        let target = self.meant().map_or(String::new(), Figure::target_text);
        cells(self.name, values, &growth, &target)
    }

    /// For each target, whether it is met and a sentence about it.
    fn verdicts(&self) -> Vec<(bool, String)> {
        let Some(meant) = self.meant() else { return Vec::new() };
        let (name, value) = (self.name, number(meant.value));
        let target = meant.target_text();
        let of_value =
            meant.is_met().map(|met| (met, format!("{}  {name}: {value}, target {target}", word(met))));
        let of_growth = self.growth().filter(|_| meant.holds_size).map(|growth| {
            let met = growth <= MOST_GROWTH;
            (met, format!("{}  {name}: {growth:.2} times worse, target <= {MOST_GROWTH:.2}", word(met)))
        });
        of_value.into_iter().chain(of_growth).collect()
    }
}

fn word(met: bool) -> &'static str {
    if met { "met   " } else { "MISSED" }
}

/// With the significant digits only.
fn number(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else if value >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(users: usize, rate: f64, time: f64) -> Column {
        let figures = vec![
            Figure::rate("rate", rate).target(100.0).at_any_size(),
            Figure::cost("time", time).target(5.0),
        ];
        Column { users, figures }
    }

    #[test]
    fn targets_are_for_100000_whatever_else_there_is() {
        let columns = [column(10_000, 500.0, 1.0), column(100_000, 200.0, 4.0), column(500_000, 1.0, 90.0)];
        let line = Line::of("rate", &columns);
        assert_eq!(line.growth(), Some(2.5));
        let met: Vec<bool> = line.verdicts().into_iter().map(|(met, _)| met).collect();
        assert_eq!(met, [true, false]);
        let line = Line::of("time", &columns);
        assert_eq!((line.growth(), line.verdicts().len()), (Some(4.0), 1));
        assert!(line.text().ends_with("4.00       <= 5"), "{}", line.text());
    }

    #[test]
    fn some_targets_are_for_500000() {
        let figure = |value| vec![Figure::cost("memory", value).target(0.8).for_very_large()];
        let columns = [(10_000, 3.0), (500_000, 0.7), (1_000_000, 0.9)];
        let columns = columns.map(|(users, value)| Column { users, figures: figure(value) });
        assert!(Line::of("memory", &columns).verdicts()[0].0);
    }

    #[test]
    fn growth_is_by_size_and_since_the_smallest() {
        let columns = [column(100_000, 200.0, 4.0), column(10_000, 500.0, 1.0), column(500_000, 1.0, 90.0)];
        let by_size = growth_by_size("time", &columns);
        assert_eq!(by_size, [(10_000.0, 1.0), (100_000.0, 4.0), (500_000.0, 90.0)]);
        assert_eq!(growth_by_size("rate", &columns)[1], (100_000.0, 2.5));
        assert!(growth_by_size("else", &columns).is_empty());
    }

    #[test]
    fn one_size_has_no_growth() {
        let columns = [column(10_000, 50.0, 1.0)];
        let line = Line::of("rate", &columns);
        assert_eq!((line.growth(), line.verdicts().len()), (None, 1));
        assert!(!line.verdicts()[0].0);
    }
}
