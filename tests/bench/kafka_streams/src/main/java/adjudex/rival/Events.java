package adjudex.rival;

import java.math.BigInteger;
import java.time.Instant;
import java.util.List;

/** The events, with the fields that ours have. */
final class Events {
    private Events() {}

    record NextStep(String step, Instant dueAt) {}

    record Refused(String rule, String value, String accepted, Instant notBefore, boolean unknown) {
        Refused(String rule, String value, String accepted) {
            this(rule, value, accepted, null, false);
        }

        /** Refuses what may be accepted later, when something exists. */
        static Refused unknown(String rule, String value, String accepted) {
            return new Refused(rule, value, accepted, null, true);
        }
    }

    record SetAside(String position, String cause, String reason, int sizeBytes, String passedBy) {}

    record Duplicate(String position, String of) {}

    record CoverRegistered(
            String cover,
            String product,
            String holder,
            BigInteger amountMinor,
            String asset,
            Instant startsAt,
            Instant expiresAt,
            String rulebook,
            String pool,
            BigInteger premiumMinor,
            Instant claimableUntil,
            NextStep next) {}

    record ClaimFiled(
            String claim,
            String cover,
            String incident,
            String claimant,
            BigInteger amountMinor,
            String rulebook,
            List<Inputs.Evidence> evidence,
            String product,
            String pool,
            NextStep next) {}

    record VoteCounted(
            int round,
            String assessor,
            String choice,
            String clause,
            String rationale,
            BigInteger stakeMinor,
            BigInteger weightMinor,
            boolean replaces,
            BigInteger acceptMinor,
            BigInteger denyMinor,
            NextStep next) {}
}
