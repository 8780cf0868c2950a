//! What holds for any line that is typed after `:`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::session;
use crate::model::Model;
use crate::ui::command_line::{complete, parse};

fn line() -> impl Strategy<Value = String> {
    let known = [
        "kill",
        "hang",
        "say",
        "why",
        "cut",
        "heal",
        "lab",
        "pane",
        "sort",
        "columns",
        "export",
        "seed",
        "filter",
        "p1",
        "p3",
        "s1",
        "p99",
        "127.0.0.1:4000",
        "0",
        "-1",
        "99999999999999999999",
        " ",
        " ",
        "  ",
        "\t",
        "\u{1b}[2J",
        "\u{3000}",
        "漢字",
        "!",
    ];
    let piece = prop_oneof![8 => select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn model() -> Model {
    let mut model = Model::new();
    for event in session() {
        model.apply(&event);
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_line_is_a_command_or_a_reason_why_not(line in line()) {
        let model = model();
        if let Err(why) = parse(&line, &model, &model) {
            prop_assert!(!why.is_empty() && !why.contains('\n'), "{:?}", why);
        }
    }

    #[test]
    fn what_completes_a_line_begins_with_it(line in line()) {
        for whole in complete(&line, &model()) {
            prop_assert!(whole.starts_with(&line), "{:?} of {:?}", whole, line);
        }
    }
}
