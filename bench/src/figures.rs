//! The second table: figures that depend on how many people there are, a column for each size.

/// Width of the column of names.
const NAME: usize = 58;
/// The number of users that the targets are for.
const MEANT_FOR: usize = 100_000;
/// How many times slower the large size may be, where that is a target.
const MOST_GROWTH: f64 = 1.5;

/// What a figure is held against.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Nothing: for information.
    None,
    /// As much, or more.
    AtLeast(f64),
    /// As much, or less.
    AtMost(f64),
}

/// A figure that was found at one size.
#[derive(Clone)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    goal: Goal,
    holds_size: bool,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, goal: Goal) -> Self {
        Self { name: name.into(), value, goal, holds_size: false }
    }

    /// The same, which may not get much worse with the size.
    pub(crate) fn at_any_size(self) -> Self {
        Self { holds_size: true, ..self }
    }
}

/// All figures of one size.
pub(crate) struct Column {
    pub(crate) users: usize,
    pub(crate) figures: Vec<Figure>,
}

/// Prints the table, and in words which targets are met.
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

/// What stands side by side in a line.
fn cells(name: &str, values: Vec<String>, growth: &str, goal: &str) -> String {
    let values: Vec<_> = values.into_iter().map(|value| format!("{value:>9}")).collect();
    format!("{name:<NAME$} {} {growth:>7} {goal:>10}", values.join(" "))
}

/// A line of the table: one figure at every size.
struct Line<'a> {
    name: &'a str,
    /// By size; `None` where it was not found.
    values: Vec<(usize, Option<&'a Figure>)>,
}

impl<'a> Line<'a> {
    fn of(name: &'a str, columns: &'a [Column]) -> Self {
        let find = |column: &'a Column| column.figures.iter().find(|figure| figure.name == name);
        Self { name, values: columns.iter().map(|column| (column.users, find(column))).collect() }
    }

    /// The figure that the targets are for: at 100,000 users, or at the largest size below.
    fn meant(&self) -> Option<&'a Figure> {
        let within = self.values.iter().filter(|(users, _)| *users <= MEANT_FOR);
        within.max_by_key(|(users, _)| *users).or(self.values.first())?.1
    }

    /// How many times worse it is than at the smallest size.
    fn growth(&self) -> Option<f64> {
        let smallest = self.values.iter().min_by_key(|(users, _)| *users)?.1?;
        let meant = self.meant()?;
        let (small, large) = (smallest.value, meant.value);
        let is_other = !std::ptr::eq(smallest, meant) && small > 0.0 && large > 0.0;
        is_other.then_some(match meant.goal {
            Goal::AtLeast(_) => small / large,
            Goal::None | Goal::AtMost(_) => large / small,
        })
    }

    fn text(&self) -> String {
        let value = |figure: Option<&Figure>| figure.map_or("-".to_owned(), |figure| number(figure.value));
        let values = self.values.iter().map(|(_, found)| value(*found)).collect();
        let growth = self.growth().map_or("-".to_owned(), |growth| format!("{growth:.2}"));
        let goal = self.meant().map_or(String::new(), |figure| figure.goal.text());
        cells(self.name, values, &growth, &goal)
    }

    /// Whether its targets are met, and the sentences that say so.
    fn verdicts(&self) -> Vec<(bool, String)> {
        let Some(meant) = self.meant() else { return Vec::new() };
        let (name, value) = (self.name, number(meant.value));
        let of_value = meant
            .goal
            .is_met(meant.value)
            .map(|met| (met, format!("{}  {name}: {value}, target {}", word(met), meant.goal.text())));
        let of_growth = self.growth().filter(|_| meant.holds_size).map(|growth| {
            let met = growth <= MOST_GROWTH;
            (met, format!("{}  {name}: {growth:.2} times worse, target <= {MOST_GROWTH:.2}", word(met)))
        });
        of_value.into_iter().chain(of_growth).collect()
    }
}

impl Goal {
    /// `None` where there is none.
    fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::None => None,
            Self::AtLeast(least) => Some(value >= least),
            Self::AtMost(most) => Some(value <= most),
        }
    }

    fn text(self) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::AtLeast(least) => format!(">= {least}"),
            Self::AtMost(most) => format!("<= {most}"),
        }
    }
}

fn word(met: bool) -> &'static str {
    if met { "met   " } else { "MISSED" }
}

/// With as many digits as say something.
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
            Figure::new("rate", rate, Goal::AtLeast(100.0)).at_any_size(),
            Figure::new("time", time, Goal::AtMost(5.0)),
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
    fn one_size_has_no_growth() {
        let columns = [column(10_000, 50.0, 1.0)];
        let line = Line::of("rate", &columns);
        assert_eq!((line.growth(), line.verdicts().len()), (None, 1));
        assert!(!line.verdicts()[0].0);
    }
}
