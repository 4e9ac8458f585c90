package adjudex.rival;

import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/**
 * What our services learn from their siblings; here it stands in a file, so that a rival spends nothing on it.
 *
 * <p>Spans are milliseconds; `closesIn` is how long the procedure of a claim takes.
 */
record Facts(
        String space,
        int partitions,
        Map<String, Product> products,
        Map<String, Rulebook> rulebooks,
        Map<String, Incident> incidents,
        Map<String, BigInteger> stakes,
        Map<String, Ballot> ballots) {

    /** A listed product; `pool` sells its cover, or it is null. */
    record Product(String asset, String rulebook, String pool) {}

    record Rulebook(
            long waitingPeriod,
            long notBefore,
            long grace,
            boolean expiryInclusive,
            boolean graceInclusive,
            int evidenceMax,
            long procedure) {}

    record Incident(String product, Instant occurredAt, String status) {}

    /** An open round; `excluded` says who may not vote in it, and why. */
    record Ballot(
            int round,
            Instant closesAt,
            BigInteger capMinor,
            boolean replaces,
            boolean clauseRequired,
            Map<String, String> excluded) {}

    static Facts read(String path) throws java.io.IOException {
        return Json.MAPPER.readValue(Files.readAllBytes(Path.of(path)), Facts.class);
    }
}
