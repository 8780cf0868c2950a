//! The order of node names.

/// A sort key for names: `p2` before `p10`, peers before seeds, and addresses last.
pub fn name_order(name: &str) -> impl Ord + use<> {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u64 = name[letters.len()..].parse().unwrap_or(0);
    (name.contains(':'), letters.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_in_which_people_count() {
        let mut names = ["10.0.0.7:3002", "s10", ":3000", "p10", "s2", ":950", "p2", "p1"];
        names.sort_by_key(|name| name_order(name));
        assert_eq!(names, ["p1", "p2", "p10", "s2", "s10", "10.0.0.7:3002", ":950", ":3000"]);
    }
}
