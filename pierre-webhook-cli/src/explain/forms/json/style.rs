//! The ways in which common libraries write JSON.

/// A way to write JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explain::forms) struct Style {
    pub(super) layout: Layout,
    pub(super) order: Order,
    pub(super) escapes: Escapes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// JavaScript and Go.
    Compact,
    /// Python.
    Spaced,
    Indented(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    AsGiven,
    /// By name.
    Sorted,
    /// The documented order of the fields, then all others.
    Documented,
}

/// Which characters are escaped although JSON doesn't require it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escapes {
    /// `\/`: PHP.
    pub(super) slash: bool,
    /// `\u00e9` for everything but ASCII: Python and PHP.
    pub(super) ascii: bool,
    /// `\u003c` for `<`, `>` and `&`: Go.
    pub(super) html: bool,
}

impl Style {
    /// Returns every style, the likelier ones first.
    pub(in crate::explain::forms) fn all() -> impl Iterator<Item = Self> {
        const LAYOUTS: [Layout; 5] = [
            Layout::Compact,
            Layout::Spaced,
            Layout::Indented("  "),
            Layout::Indented("    "),
            Layout::Indented("\t"),
        ];
        let escapes = (0..8_u8).map(|bits| Escapes {
            slash: bits & 1 > 0,
            ascii: bits & 2 > 0,
            html: bits & 4 > 0,
        });
        escapes.flat_map(|escapes| {
            [Order::AsGiven, Order::Documented, Order::Sorted].into_iter().flat_map(move |order| {
                LAYOUTS.into_iter().map(move |layout| Self { layout, order, escapes })
            })
        })
    }

    pub(in crate::explain::forms) fn description(self) -> String {
        let mut description = match self.layout {
            Layout::Compact => "written compactly".to_owned(),
            Layout::Spaced => "written with a space after , and :".to_owned(),
            Layout::Indented("\t") => "indented with tabs".to_owned(),
            Layout::Indented(indent) => format!("indented with {} spaces", indent.len()),
        };
        description.push_str(match self.order {
            Order::AsGiven => "",
            Order::Sorted => ", members sorted",
            Order::Documented => ", members in the documented order",
        });
        for (is_escaped, more) in [
            (self.escapes.slash, r", / as \/"),
            (self.escapes.ascii, r", non-ASCII as \u escapes"),
            (self.escapes.html, r", < > & as \u003c \u003e \u0026"),
        ] {
            description.push_str(if is_escaped { more } else { "" });
        }
        description
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_style_has_its_own_description() {
        let mut descriptions: Vec<_> = Style::all().map(Style::description).collect();
        assert_eq!(descriptions.len(), 120);
        descriptions.sort();
        descriptions.dedup();
        assert_eq!(descriptions.len(), 120);
    }
}
