//! The `gossipctl` binary.

fn main() -> std::process::ExitCode {
    gossipctl::cli::main()
}
