//! What `why` takes.

use clap::{Args, ValueEnum};

use super::WithArgs;
use crate::model::moment::WrittenMoment;

/// `why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// What it is about: a node (p7, s1), a message (p3#12), why a node has a message or not (p7 p3#12), a link
    /// (p1 p3), or the network: 'views' (who knows whom), 'views p3' (whom p3 knows), 'load' (who sends how many
    /// copies, and who holds others together), 'waits' (how long copies take over each link, and where queues were
    /// full), 'times' (how long it took to find deaths, to heal and to spread messages, beside theory)
    #[arg(value_name = "SUBJECT", num_args = 1..=2, required = true)]
    pub(crate) subject: Vec<String>,
    /// As it was at this moment: a time of day of the session (03:12, 03:12:07.250, with a date in front if need be),
    /// or counted from its beginning (+90s) or its end (-10s) [default: the end, before the nodes left]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<WrittenMoment>,
    /// Prove it: run what was done again in virtual time without the cause, and say whether the answer holds; if not,
    /// the exit code is 1
    #[arg(long, conflicts_with = "node")]
    pub(crate) prove: bool,
    #[command(flatten)]
    pub(crate) with: WithArgs,
    #[command(flatten)]
    pub(crate) vantage: VantageArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = WhyFormat::Text)]
    pub(crate) format: WhyFormat,
}

/// As whom a recorded session is read.
#[derive(Debug, Args)]
pub(crate) struct VantageArgs {
    /// Read only what this node's own process would have recorded, as in a session of one terminal: of the others it
    /// knows what they said to it. A name or an address
    #[arg(long = "as", value_name = "NODE")]
    pub(crate) node: Option<String>,
}

/// How an answer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhyFormat {
    /// The answer and a line for each piece of evidence, for people
    Text,
    /// One JSON object
    Json,
}
