//! What the program prints: help, errors and output without a screen.

/// The transcripts in `tests/cmd`: what is typed, what is printed, and the exit code.
/// `TRYCMD=overwrite cargo test --test cli` writes them anew.
#[test]
fn the_program_answers_as_the_transcripts_say() {
    trycmd::TestCases::new()
        .env("COLUMNS", "100")
        .env("XDG_CONFIG_HOME", "/no/such/place")
        .env("XDG_STATE_HOME", "/no/such/place")
        .case("tests/cmd/*.md");
}
