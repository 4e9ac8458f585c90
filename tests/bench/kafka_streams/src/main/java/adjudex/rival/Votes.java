package adjudex.rival;

import adjudex.rival.Events.NextStep;
import adjudex.rival.Events.Refused;
import adjudex.rival.Events.VoteCounted;
import adjudex.rival.Facts.Ballot;
import adjudex.rival.Inputs.CastVote;
import adjudex.rival.Inputs.Content;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;

/** Votes in open rounds: the rules of services/adjudication/ballot/voting.py. */
final class Votes extends Decider<Votes.Case> {
    static final String VOTES = "votes";
    static final Map<String, Map<String, Class<? extends Content>>> ACCEPTED =
            Map.of("assessor.votes", Map.of("vote.cast.v1", CastVote.class));

    private final MessageDigest sha256 = digest("SHA-256");
    private KeyValueStore<String, Vote> votes;

    record Vote(String choice, BigInteger stakeMinor, boolean reasoned, String groundsSha256) {
        BigInteger of(String other, Ballot ballot) {
            return choice.equals(other) ? weight(ballot, stakeMinor) : BigInteger.ZERO;
        }
    }

    record Case(long sequence, BigInteger acceptMinor, BigInteger denyMinor, long heads) implements State<Case> {
        @Override
        public Case at(long next) {
            return new Case(next, acceptMinor, denyMinor, heads);
        }
    }

    Votes(String prefix, Facts facts) {
        super("adjudication", prefix, facts, ACCEPTED, new Case(0, BigInteger.ZERO, BigInteger.ZERO, 0));
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        super.init(context);
        votes = context.getStateStore(VOTES);
    }

    @Override
    protected Decision<Case> decide(Case state, Content input, long at) {
        CastVote content = (CastVote) input;
        Ballot ballot = facts.ballots().get(content.caseId());
        if (ballot == null) {
            return Decision.refused(Refused.unknown(
                    "vote.case-unknown",
                    "case " + content.caseId(),
                    "a vote in a case that was opened, incident/<product>/<n> or claim/<cover>/<n>"));
        }
        BigInteger stake = facts.stakes().getOrDefault(content.assessor(), BigInteger.ZERO);
        Refused refused = refuse(ballot, content, stake);
        if (refused != null) {
            return Decision.refused(refused);
        }
        String key = content.key() + " " + content.assessor();
        Vote earlier = votes.get(key);
        Vote cast = new Vote(content.choice(), stake, !content.rationale().isBlank(), grounds(content));
        if (earlier != null && (!ballot.replaces() || earlier.equals(cast))) {
            return Decision.refused(new Refused(
                    "vote.already-voted",
                    content.assessor() + " voted " + earlier.choice() + " with "
                            + weight(ballot, earlier.stakeMinor()) + " base units in round " + ballot.round(),
                    ballot.replaces()
                            ? "a vote that differs from the one that stands, in choice, clause, rationale or stake"
                            : "one vote per assessor and round; the first one stands"));
        }
        votes.put(key, cast);
        return counted(state, ballot, content, cast, earlier, at);
    }

    private static Refused refuse(Ballot ballot, CastVote content, BigInteger stake) {
        String reason = ballot.excluded().get(content.assessor());
        if (reason != null) {
            return new Refused(
                    "vote.excluded",
                    content.assessor() + " " + reason,
                    "a vote in round " + ballot.round() + " of an assessor who is not party to the case");
        }
        if (stake.signum() == 0) {
            return new Refused(
                    "vote.not-an-assessor",
                    content.assessor() + " has a stake of 0 base units that counts in round " + ballot.round(),
                    "a vote of an assessor who had a stake above 0 when the round opened");
        }
        if (ballot.clauseRequired() && content.clause().isBlank()) {
            return new Refused(
                    "vote.clause-missing",
                    "the vote names no clause",
                    "a vote that names the wording clause it rests on, in 1 to 200 characters");
        }
        return null;
    }

    private static Decision<Case> counted(
            Case state, Ballot ballot, CastVote content, Vote cast, Vote earlier, long at) {
        Case after = new Case(
                state.sequence(),
                sum(state.acceptMinor(), ballot, cast, earlier, "accept"),
                sum(state.denyMinor(), ballot, cast, earlier, "deny"),
                state.heads() + (earlier == null ? 1 : 0));
        Instant now = Instant.ofEpochMilli(at);
        VoteCounted event = new VoteCounted(
                ballot.round(),
                content.assessor(),
                content.choice(),
                content.clause(),
                content.rationale(),
                cast.stakeMinor(),
                weight(ballot, cast.stakeMinor()),
                earlier != null,
                after.acceptMinor(),
                after.denyMinor(),
                new NextStep("ballot closes", now.isAfter(ballot.closesAt()) ? now : ballot.closesAt()));
        return new Decision<>("vote.counted.v1", event, after);
    }

    private static BigInteger sum(BigInteger before, Ballot ballot, Vote cast, Vote earlier, String choice) {
        BigInteger sum = before.add(cast.of(choice, ballot));
        return earlier == null ? sum : sum.subtract(earlier.of(choice, ballot));
    }

    private static BigInteger weight(Ballot ballot, BigInteger stake) {
        return ballot.capMinor() == null ? stake : stake.min(ballot.capMinor());
    }

    private String grounds(CastVote content) {
        String text = content.clause().length() + ":" + content.clause() + content.rationale();
        return HexFormat.of().formatHex(sha256.digest(utf8(text)));
    }
}
