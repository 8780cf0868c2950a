//! What the help says in prose: what the program is for, and examples of each command.

pub(super) const LONG_ABOUT: &str = "\
A network console for gossip protocols: start seeds and peers, watch gossip spread, break things, and see \
which nodes notice.

Without a command it opens the start screen.";

pub(super) const EXAMPLES: &str = "\
Examples:
  gossipctl lab                   a whole network in this process, on free ports
  gossipctl lab --peers 20        the same with 20 peers
  gossipctl seed                  the next seed of config.txt
  gossipctl peer                  a peer on the next free port from 3000
  gossipctl peer --headless       no screen, log lines on stdout
  gossipctl sessions              what was recorded
  gossipctl export last -o s.csv  the latest session as a table
  gossipctl diagram last p3#12    how that message went from node to node
  gossipctl why last p7           why p7 is dead

Exit codes: 0 done, 1 failure, 2 wrong usage, 130 or 143 ended by a second SIGINT or SIGTERM.";

pub(super) const LAB_EXAMPLES: &str = "\
Examples:
  gossipctl lab
  gossipctl lab --seeds 3 --peers 20 --pace assignment
  gossipctl lab --gossip-interval 200ms --liveness-interval 1s
  gossipctl lab --headless --duration 60s --format json > events.jsonl
  gossipctl lab --script assets/scenarios/death.txt
  gossipctl lab --script assets/scenarios/death.txt --headless --virtual --rng-seed 7

With --script and --headless, the exit code is 1 when an expectation fails.";

pub(super) const SEED_EXAMPLES: &str = "\
Examples:
  gossipctl seed                          the first address of config.txt that is free
  gossipctl seed --listen 5001            127.0.0.1:5001
  gossipctl seed --dead-policy trust      believe every dead report
  gossipctl seed --wire classic           serve Python peers";

pub(super) const PEER_EXAMPLES: &str = "\
Examples:
  gossipctl peer                          the next free port from 3000
  gossipctl peer --listen 3000            127.0.0.1:3000
  gossipctl peer --listen 0.0.0.0:3000 --allow 192.168.1.0/24
                                          open to the machines of that network
  gossipctl peer --messages 10            generate ten messages, then only forward
  gossipctl peer --wire classic           join a network of Python nodes";

pub(super) const SESSIONS_EXAMPLES: &str = "\
Examples:
  gossipctl sessions
  gossipctl sessions --format json
  gossipctl sessions --delete 2026-11-22T03-13-02-4711
  gossipctl sessions --delete all";

pub(super) const EXPORT_EXAMPLES: &str = "\
Examples:
  gossipctl export last
  gossipctl export last -o session.csv
  gossipctl export 2026-11-22T03 --format json | jq .event
  gossipctl export ./session.jsonl --format text
  gossipctl export last -o session.perfetto              open it in ui.perfetto.dev
  gossipctl export last --at 03:12 -o overlay.graphml    open it in yEd";

pub(super) const DIFF_EXAMPLES: &str = "\
Examples:
  gossipctl diff last 03:11 03:13
  gossipctl diff last +60s +90s            counted from the beginning
  gossipctl diff last 03:11 03:13 --format json | jq '.differences[].text'";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  gossipctl report last -o report.html
  gossipctl report 2026-11-22T03 -o night.html --force
  gossipctl report ./session.jsonl > report.html
  gossipctl report seed.jsonl --with peer-1.jsonl --with peer-2.jsonl -o report.html";

pub(super) const REPLAY_EXAMPLES: &str = "\
Examples:
  gossipctl replay last
  gossipctl replay 2026-11-22T03-13-02-4711
  gossipctl replay last --at 03:12 --speed 4x
  gossipctl replay ./session.jsonl
  gossipctl replay last --as p3           what p3 alone has seen of it
  gossipctl replay seed.jsonl --with peer-1.jsonl --with peer-2.jsonl
                                          three processes of one network as one";

pub(super) const WATCH_EXAMPLES: &str = "\
Examples:
  gossipctl watch                         the network of all terminals in which a seed or a peer runs
  gossipctl watch 2                       the second of several networks
  gossipctl watch 127.0.0.1:3000          the network of this node
  gossipctl watch --ssh max@192.168.1.5   the sessions of that machine, too
  gossipctl watch --headless --format json | jq .event";

pub(super) const WHY_EXAMPLES: &str = "\
Examples:
  gossipctl why last p7                   why p7 is dead, or what it does
  gossipctl why last p7 p3#12             why p7 has that message or not
  gossipctl why last p3#12                who has it, and by which path it came
  gossipctl why last p1 p3 --at 03:12     the link between the two as it was then
  gossipctl why last s1                   which nodes are wrongly on its list, or not on it
  gossipctl why last views                who knows whom, and where views differ
  gossipctl why last views p3             whom p3 knows, since when, from whom, and is it true
  gossipctl why last load                 who sends how many copies, and who holds others together
  gossipctl why last waits                how long copies take over each link, and where queues were full
  gossipctl why last times                how long it took to find deaths, to heal, to spread messages
  gossipctl why last p7 --as p3           what p3 alone could have said about p7
  gossipctl why last p7 --prove           and whether that holds: run again without the cause
  gossipctl why last p7 --format json | jq '.verdict, .certain'

The exit code is 1 when there is no such node or message in the session, or when --prove finds that
the answer does not hold.";

pub(super) const DIAGRAM_EXAMPLES: &str = "\
Examples:
  gossipctl diagram last p3#12 -o wave.svg      a message on its way
  gossipctl diagram last p3                     the death of p3, or what p3 did last
  gossipctl diagram last p3 --at 03:12          the same around a moment
  gossipctl diagram last p1 p3 --at +90s        what went between two nodes
  gossipctl diagram last --at 03:12:07 --window 2s --nodes p1,p4,s1
  gossipctl diagram last p3#12 | less -S        as text";

pub(super) const RERUN_EXAMPLES: &str = "\
Examples:
  gossipctl rerun last --set 'max-dial 3'
  gossipctl rerun last --without 'cut p7 p8'
  gossipctl rerun last --without '5s cut p7 p8' --set 'gossip-interval 1s' --format json
  gossipctl rerun assets/scenarios/death.txt --set 'liveness-misses 5' --rng-seed 7
  gossipctl rerun last

The last one changes nothing: it shows how near virtual time comes to what was recorded.";

pub(super) const PROVE_EXAMPLES: &str = "\
Examples:
  gossipctl prove assets/scenarios/partition.txt
  gossipctl prove last --format json | jq '.scenarios[].answers[]'
  gossipctl prove --random 1000 --rng-seed 1
  gossipctl prove --random 1000 --shrink

The exit code is 1 if an answer is false.";
