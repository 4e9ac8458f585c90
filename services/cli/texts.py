"""What `--help` says of each command: what it does, an example, its exit codes."""

ADJUDEX = """Adjudicate claims on pooled DeFi cover, and prove every decision.

`up` runs a space in one directory: it takes inputs as lines of JSON and says what becomes of each. `log` shows,
exports and verifies what was decided.

\b
Examples:
  adjudex demo
  adjudex up --until-idle inputs.jsonl
  adjudex log show cover/c-1
  adjudex log verify

\b
Exit codes of every command:
  0  all is well
  1  something was found, or the operation was refused: the output says what
  2  wrong usage
"""

DEMO = """Tell a story, from incident reports to payouts.

All services run on an embedded log, on a virtual clock; the same inputs give the same log every time.

With --kafka the same story goes through topics of a new space on that cluster, and a process for each service. Its
rulebook is in a hurry: a day takes seconds, and windows of days last as many seconds. Whoever acts has read what they
act on. In the end the processes are stopped, what the topics hold is verified, and its events are compared with those
of the embedded log, instants, positions and hashes aside. Topics are left as they are; --data keeps space.json, the
export, and what the services said.

\b
Examples:
  adjudex demo
  adjudex demo --kafka 127.0.0.1:9092 --data demo

Exit codes: 0 the log verifies, and on Kafka has the same events; 1 it does not, or a service failed; 2 wrong usage.
"""

SIMULATE = """Run scenario files on a virtual clock and check what they expect.

A scenario is one TOML file: what is given, a timeline of public inputs, and what must come of them. All services run in
memory, and the same file gives the same log every time; --data keeps it, to look into. Printed is a timeline, and of
each expectation that is not met what was expected and what is. docs/scenarios.md explains the format.

\b
Examples:
  adjudex simulate tests/scenarios/filed_too_early.toml
  adjudex simulate --json tests/scenarios/*.toml
  adjudex simulate mine.toml --data mine && adjudex explain harbor.1/1 --data mine

Exit codes: 0 every expectation was met; 1 one was not, or a service stopped; 2 a file is wrong, or wrong usage.
"""

UP = """Run a space until SIGINT or SIGTERM.

All services run in this process, on the wall's clock. Each input is one line of JSON. It is answered on standard
output when it is durable, or with what is wrong with it; then follows what became of it, as soon as that is decided.
The space is created when there is none.

\b
A line:
  {"stream": "claim.filings", "type": "claim.file.v1", "id": "f-1", "as": "gateway", "content": {...}}
\b
  stream     one of the public streams
  type       what the content is
  content    an object; or instead raw, the value's bytes as a string
  id         unique for its sender, which may send it again; made when it is missing
  source     whence it comes, as the sender says
  as         the principal that vouches, by its private key in DIR/keys (see `adjudex key new`)
  key        the record's key, instead of the one its content has
  partition  where it goes, instead of where its key belongs
\b
Examples:
  adjudex up --until-idle inputs.jsonl
  producer | adjudex up --json | consumer

Exit codes: 0 all was taken in; 1 a line was not stored, a partition stopped, or the directory is in use; 2 wrong
usage.
"""

KEY_NEW = """Make an Ed25519 key pair for a principal.

The private key goes to DIR/keys, readable by you only. The public key is printed, and the input line by which
governance registers it.

\b
Examples:
  adjudex key new bot-1 --stream incident.reports
  adjudex key new gateway --account '*' --json | jq -c .register | adjudex up --until-idle

Exit codes: 0 made; 1 that principal has a key, or can have none; 2 wrong usage.
"""

KEY_LIST = """List the key pairs in DIR/keys.

\b
Example:
  adjudex key list

Exit codes: 0 listed; 1 a key cannot be read; 2 wrong usage.
"""

LOG_SHOW = """Show the timeline of an aggregate, of an input and all that it began, or of a position.

It may be read while `up` runs.

\b
Examples:
  adjudex log show cover/c-1           what happened to a cover and its claims
  adjudex log show filing-1            what an input led to, in all services
  adjudex log show claims.events/0/12  one record, its cause, and what else that caused

Exit codes: 0 shown; 1 nothing is called that; 2 wrong usage.
"""

LOG_EXPORT = """Export logs, inputs and everything else that a verifier needs, as of this moment.

It may be taken while `up` runs; inputs that are not decided yet will be among what `log verify` finds.

\b
Examples:
  adjudex log export --to space.jsonl
  adjudex log export | gzip > space.jsonl.gz

Exit codes: 0 exported; 1 FILE exists or cannot be written; 2 wrong usage.
"""

LOG_VERIFY = """Verify an export, or the data directory when no FILE is named: believe nothing, decide everything again.

Every chain, sequence and fate is checked, and every input and deadline decided again and compared byte for byte.
Of a flood of findings the first fifty are shown. Where nothing is found, the last line names the state of all logs:
equal hashes, equal logs.

\b
Examples:
  adjudex log verify space.jsonl
  adjudex log export | gzip | adjudex log verify -
  adjudex log verify --data /var/lib/adjudex

Exit codes: 0 nothing found; 1 findings, each with where and what; 2 wrong usage.
"""

LOG_COPY = """Copy a space into another store, record by record, and compare the two.

From an embedded log into new topics on Kafka, from Kafka into an embedded log, or into another embedded log. Records
keep keys, values, headers, order, offsets and times, so `log verify` says of the copy what it says of the original.
From Kafka to Kafka it is refused: transactions leave gaps among offsets that new topics cannot have.

Stop services and senders first; a copy of what changes meanwhile is refused.

\b
Examples:
  adjudex log copy --from local --to production --kafka kafka-1:9092
  adjudex log copy --from production --to backup --kafka kafka-1:9092

Exit codes: 0 copied, and equal; 1 it differs, or cannot be copied; 2 wrong usage.
"""

WHOIS = """Say of any id what it is, its state in a line, and where it stands.

Ids of claims, covers, payouts, cases, incidents, pools, products, assessors, rulebooks, principals, groups, accounts
and inputs.
One id can name several things: harbor/1 may be a claim and an incident. With its kind before it, it names one.

\b
Examples:
  adjudex whois harbor.1/1
  adjudex whois incident/vault/1
  adjudex whois filing-1

Exit codes: 0 found; 1 nothing is called that; 2 wrong usage.
"""

EXPLAIN = """Say why an amount, a refusal or a ruling is what it is.

Each event that led there, in order, with the rule, what went in and what came out of each step; from the logs alone.

\b
Examples:
  adjudex explain harbor.1/1         why a claim is paid what it is paid
  adjudex explain harbor.1/1/1       why a payout has its amount
  adjudex explain filing-1           why an input was refused

Exit codes: 0 explained; 1 nothing is called that; 2 wrong usage.
"""

RULEBOOK_LINT = """Check rulebook files: every problem with its path, the value, and what would be accepted.

Notes name what is allowed, but rarely meant; they are no faults.

\b
Example:
  adjudex rulebook lint mine.toml

Exit codes: 0 each is a rulebook; 1 one is not; 2 wrong usage.
"""

RULEBOOK_SHOW = """Show every value of a rulebook by its path, and the hash that covers pin.

\b
Examples:
  adjudex rulebook show house
  adjudex rulebook show mine.toml --json

Exit codes: 0 shown; 1 there is none of that name, or the file is no rulebook; 2 wrong usage.
"""

RULEBOOK_DIFF = """Say what differs from one rulebook to another, besides the version: path: before → after.

\b
Example:
  adjudex rulebook diff house mine.toml

Exit codes: 0 nothing differs; 1 something does, or one is no rulebook; 2 wrong usage.
"""

ASIDE_LIST = """List every input that was set aside, with its cause.

\b
Example:
  adjudex set-aside list

Exit codes: 0 listed; 1 there is no space; 2 wrong usage.
"""

ASIDE_SHOW = """Show an input that was set aside, with its original bytes.

\b
Example:
  adjudex set-aside show claim.filings/0/12

Exit codes: 0 shown; 1 nothing there was set aside; 2 wrong usage.
"""

ASIDE_GO_PAST = """Go past an input that stops a partition.

That is an event which names you, and the input stays where it is. It cannot be done while `up` runs. On Kafka it
claims the partition, which takes it from the running service for a moment; that one claims it again by itself, and
goes on behind the input. It needs the rights of that service.

\b
Example:
  adjudex set-aside pass claims.inbox/0/40 --operator ada --reason "ticket 17: wrong amount"

Exit codes: 0 passed; 1 nothing is stopped there, or `up` runs; 2 wrong usage.
"""

ASIDE_REDRIVE = """Send a dead letter again as a new input, repaired or as it was, and show its fate.

What could not be read used up no id: the new input has the old one unless --id says otherwise. As it was, it has the
proof it had, and is decided now if a bug stood in its way. Repaired, it is not what its sender signed: --as names who
vouches for it instead, by a key in DIR/keys; streams that one known principal writes alone need nobody.

On an embedded log it cannot be done while `up` runs; the services decide it at once.

\b
Examples:
  adjudex set-aside redrive claim.filings/0/12
  adjudex set-aside redrive claim.filings/0/12 --value mended.json --as gateway

Exit codes: 0 decided; 1 it was not, or it cannot be sent; 2 wrong usage.
"""

REROUTE = """Send a service's messages from its log to a receiver that was added later.

A release that adds a service adds what others send it, but what they had decided before was never sent. This sends it:
the same messages with the same ids, in the order of the log, and only those that are not in the receiver's inbox. Done
twice, or at the same time as the service itself sends one, nothing is decided twice.

Do it before the sending service runs with the new release: what it sends then is newer than what is sent here.

\b
Examples:
  adjudex reroute governance --to pools --dry-run
  adjudex reroute governance --to pools --kafka kafka-1:9092

Exit codes: 0 sent; 1 SERVICE never sends RECEIVER anything, or `up` runs; 2 wrong usage.
"""

DOCTOR = """Examine this machine and the data directory, or the cluster that its space is on.

Each line is ok, warn or fail, and says what to do unless all is well. It only reads, and may be run while services do.

\b
Example:
  adjudex doctor

Exit codes: 0 all is well, or warnings only; 1 something fails; 2 wrong usage.
"""

TOPICS_PLAN = """Say what `topics apply` would do on the cluster, and do nothing.

\b
Each topic is one of
  create   it is missing
  mark     it lacks markers, the first record of each partition
  differs  a setting is not as it must be
  ok       it is as it must be
  unknown  it has the space's prefix, but nothing of this release uses it
  refused  it cannot be used: the line says why
\b
Examples:
  adjudex topics plan --kafka kafka-1:9092 --space main
  adjudex topics plan --acls --producer bot-1=incident.reports --reader explorer

Exit codes: 0 nothing stands in the way; 1 something does, or the cluster does not answer; 2 wrong usage.
"""

TOPICS_APPLY = """Bring the cluster to what the space needs: topics, settings, markers and, with --acls, rights.

The first time it also writes DIR/space.json, which says which space is meant: copy that file to every machine that
runs a service of it. It may be run again at any time, does what is missing, and deletes nothing.

\b
Examples:
  adjudex topics apply --kafka kafka-1:9092 --space main --partitions 12 --root-key HEX
  adjudex topics apply --acls --producer bot-1=incident.reports,claim.filings --auditor ada

Exit codes: 0 everything is as it must be; 1 it is not, or the cluster does not answer; 2 wrong usage.
"""

RUN = """\
Run one service of a space on Kafka, until SIGINT or SIGTERM.

SERVICE is one of governance, assessors, incidents, claims, adjudication, pools, payouts (which decide), relay (which
publishes what was decided for outsiders), views (which keeps the read model) and portal (which serves it: query API
and console). Run each at least once; processes of one service share its partitions out among them, and when one dies
another goes on where it stopped. It stops in order within 5 seconds.

views and portal share a database, which --database or ADJUDEX_DATABASE names: sqlite+aiosqlite:///PATH, or
postgresql+asyncpg://USER:PASSWORD@HOST/NAME. It can be deleted at any time: views makes it again from the logs.

DIR/space.json says which space it is: `adjudex topics apply` writes it. Snapshots are kept in DIR/snapshots; they are
a cache.

\b
  adjudex run claims --kafka 127.0.0.1:9092
  adjudex run claims --kafka 127.0.0.1:9092 --instance claims-0 --web 127.0.0.1:7001

\b
  /live      200 while the process turns
  /ready     200 when its partitions are recovered and decide; else 503, and what it waits for
             (portal: 200 when there is a read model)
  /metrics   for Prometheus

Exit codes: 0 after a stop in order, 1 when a missing right or a bug ends it, 70 when stopping took too long.
"""
