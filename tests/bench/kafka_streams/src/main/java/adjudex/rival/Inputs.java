package adjudex.rival;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;

/** The inputs, as docs/wire.md has them; a constructor that throws is a schema refusal. */
final class Inputs {
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
    private static final String CHAIN = "[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}";
    private static final String NUMBER = "[1-9][0-9]{0,8}";
    private static final Pattern NAMES = Pattern.compile(NAME);
    private static final Pattern ACCOUNTS =
            Pattern.compile(CHAIN + ":(?:0x[0-9a-f]{40}|[1-9A-HJ-NP-Za-km-z][-.%a-zA-Z0-9]{0,127})");
    private static final Pattern ASSETS = Pattern.compile(CHAIN + "/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}");
    private static final Pattern NUMBERED = Pattern.compile(NAME + "/" + NUMBER);
    private static final Pattern CASES = Pattern.compile("(?:incident|claim)/" + NAME + "/" + NUMBER);
    private static final Pattern RULEBOOKS = Pattern.compile(NAME + "@" + NUMBER);
    private static final Pattern DIGESTS = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern MEDIA_TYPES = Pattern.compile("[\\w.+-]+/[\\w.+-]+");
    private static final int DOCUMENTS_MAX = 64;

    private Inputs() {}

    /** What an input says. */
    sealed interface Content {
        /** The aggregate it is about. */
        String key();
    }

    record RegisterCover(
            String cover,
            String product,
            String holder,
            BigInteger amountMinor,
            String asset,
            Instant startsAt,
            Instant expiresAt,
            String rulebook)
            implements Content {
        RegisterCover {
            matches("cover", NAMES, cover);
            matches("product", NAMES, product);
            matches("holder", ACCOUNTS, holder);
            positive(amountMinor);
            matches("asset", ASSETS, asset);
            required("starts_at", startsAt);
            required("expires_at", expiresAt);
            matches("rulebook", RULEBOOKS, rulebook);
        }

        @Override
        public String key() {
            return "cover/" + cover;
        }
    }

    record Evidence(String sha256, String mediaType, long sizeBytes, String description) {
        Evidence {
            matches("sha256", DIGESTS, sha256);
            matches("media_type", MEDIA_TYPES, mediaType);
            required("description", description);
            holds("size_bytes", sizeBytes >= 0 && sizeBytes <= 1L << 40);
            holds("description", !description.isEmpty() && description.length() <= 4000);
        }
    }

    record FileClaim(String cover, String claimant, String incident, BigInteger amountMinor, List<Evidence> evidence)
            implements Content {
        FileClaim {
            matches("cover", NAMES, cover);
            matches("claimant", ACCOUNTS, claimant);
            matches("incident", NUMBERED, incident);
            positive(amountMinor);
            evidence = evidence == null ? List.of() : evidence;
            holds("evidence", evidence.size() <= DOCUMENTS_MAX);
        }

        @Override
        public String key() {
            return "cover/" + cover;
        }
    }

    record CastVote(
            @JsonProperty("case") String caseId, String assessor, String choice, String clause, String rationale)
            implements Content {
        CastVote {
            matches("case", CASES, caseId);
            matches("assessor", ACCOUNTS, assessor);
            holds("choice", "accept".equals(choice) || "deny".equals(choice));
            clause = clause == null ? "" : clause;
            rationale = rationale == null ? "" : rationale;
            holds("clause", clause.length() <= 200);
            holds("rationale", rationale.length() <= 4000);
        }

        @Override
        public String key() {
            return "case/" + caseId;
        }
    }

    private static void matches(String field, Pattern pattern, String text) {
        holds(field, text != null && pattern.matcher(text).matches());
    }

    private static void positive(BigInteger amount) {
        holds("amount_minor", amount != null && amount.signum() > 0);
    }

    private static void required(String field, Object value) {
        holds(field, value != null);
    }

    private static void holds(String field, boolean condition) {
        if (!condition) {
            throw new IllegalArgumentException(field);
        }
    }
}
