package adjudex.rival;

import adjudex.rival.Events.ClaimFiled;
import adjudex.rival.Events.CoverRegistered;
import adjudex.rival.Events.NextStep;
import adjudex.rival.Events.Refused;
import adjudex.rival.Facts.Incident;
import adjudex.rival.Facts.Product;
import adjudex.rival.Facts.Rulebook;
import adjudex.rival.Inputs.Content;
import adjudex.rival.Inputs.Evidence;
import adjudex.rival.Inputs.FileClaim;
import adjudex.rival.Inputs.RegisterCover;
import java.math.BigInteger;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Covers and their claims: the rules of services/claims/registration.py and intake.py, in their order. */
final class Claims extends Decider<Claims.Cover> {
    static final Map<String, Map<String, Class<? extends Content>>> ACCEPTED = Map.of(
            "cover.registrations", Map.of("cover.register.v1", RegisterCover.class),
            "claim.filings", Map.of("claim.file.v1", FileClaim.class));

    private static final Pattern RESERVED = Pattern.compile(".+\\.[0-9]+");
    private static final Cover UNREGISTERED =
            new Cover(0, null, BigInteger.ZERO, BigInteger.ZERO, Map.of(), null, Map.of());

    record Terms(
            String product,
            String holder,
            BigInteger amountMinor,
            String asset,
            long startsAt,
            long expiresAt,
            String rulebook) {}

    record Claim(
            String incident, String claimant, BigInteger amountMinor, String status, List<String> evidence, long ruledBy) {}

    record Cover(
            long sequence,
            Terms terms,
            BigInteger paidMinor,
            BigInteger owedMinor,
            Map<String, Claim> claims,
            String open,
            Map<String, String> settled)
            implements State<Cover> {
        @Override
        public Cover at(long next) {
            return new Cover(next, terms, paidMinor, owedMinor, claims, open, settled);
        }
    }

    Claims(String prefix, Facts facts) {
        super("claims", prefix, facts, ACCEPTED, UNREGISTERED);
    }

    @Override
    protected Decision<Cover> decide(Cover cover, Content content, long at) {
        if (content instanceof RegisterCover register) {
            Refused refused = refuse(cover, register);
            return refused == null ? registered(cover, register) : Decision.refused(refused);
        }
        FileClaim filing = (FileClaim) content;
        Refused refused = refuse(cover, filing, at);
        return refused == null ? filed(cover, filing, at) : Decision.refused(refused);
    }

    private Refused refuse(Cover cover, RegisterCover content) {
        if (cover.terms() != null) {
            return new Refused(
                    "cover.already-registered",
                    "cover " + content.cover() + ", registered for " + cover.terms().holder() + " with "
                            + cover.terms().rulebook(),
                    "the id of a cover that is not registered; a registered cover is never changed");
        }
        if (RESERVED.matcher(content.cover()).matches()) {
            return new Refused(
                    "cover.id-reserved",
                    "cover " + content.cover(),
                    "an id that does not end in a dot and digits: so end those of covers that pools sell");
        }
        if (!content.startsAt().isBefore(content.expiresAt())) {
            return new Refused(
                    "cover.period-empty",
                    "from " + spelled(content.startsAt()) + " to " + spelled(content.expiresAt()),
                    "an expiry after " + spelled(content.startsAt()));
        }
        Product product = facts.products().get(content.product());
        if (product == null) {
            return Refused.unknown(
                    "cover.product-unknown",
                    "product " + content.product(),
                    "a product that governance has listed");
        }
        if (product.pool() != null) {
            return new Refused(
                    "cover.sold-by-pool",
                    "product " + content.product(),
                    "a product without a pool; ask for this cover on cover.requests, of pool " + product.pool());
        }
        if (!content.asset().equals(product.asset())) {
            return new Refused(
                    "cover.other-asset",
                    "asset " + content.asset(),
                    product.asset() + ", the asset of product " + content.product());
        }
        if (!facts.rulebooks().containsKey(content.rulebook())) {
            return Refused.unknown(
                    "cover.rulebook-unknown",
                    "rulebook " + content.rulebook(),
                    "a published version; new cover of " + content.product() + " gets " + product.rulebook());
        }
        return null;
    }

    private Decision<Cover> registered(Cover cover, RegisterCover content) {
        Rulebook rules = facts.rulebooks().get(content.rulebook());
        long startsAt = content.startsAt().toEpochMilli();
        long expiresAt = content.expiresAt().toEpochMilli();
        Instant claimableUntil = Instant.ofEpochMilli(expiresAt + rules.grace());
        NextStep next = new NextStep(
                "the holder may claim for confirmed incidents from " + Json.spelled(startsAt + rules.waitingPeriod())
                        + " " + until(expiresAt, rules.expiryInclusive()) + ", until the grace ends",
                claimableUntil);
        CoverRegistered event = new CoverRegistered(
                content.cover(),
                content.product(),
                content.holder(),
                content.amountMinor(),
                content.asset(),
                content.startsAt(),
                content.expiresAt(),
                content.rulebook(),
                null,
                BigInteger.ZERO,
                claimableUntil,
                next);
        Terms terms = new Terms(
                content.product(),
                content.holder(),
                content.amountMinor(),
                content.asset(),
                startsAt,
                expiresAt,
                content.rulebook());
        Cover after = new Cover(
                cover.sequence(), terms, cover.paidMinor(), cover.owedMinor(), cover.claims(), null, cover.settled());
        return new Decision<>("cover.registered.v1", event, after);
    }

    private Refused refuse(Cover cover, FileClaim content, long at) {
        Terms terms = cover.terms();
        if (terms == null) {
            return Refused.unknown("claim.cover-unknown", "cover " + content.cover(), "a registered cover");
        }
        if (!content.claimant().equals(terms.holder())) {
            return new Refused(
                    "claim.not-holder",
                    "claimant " + content.claimant(),
                    terms.holder() + ", who holds cover " + content.cover());
        }
        Incident incident = facts.incidents().get(content.incident());
        if (incident == null) {
            return Refused.unknown(
                    "claim.incident-unknown",
                    "incident " + content.incident() + ", never reported or not decided yet",
                    "an incident that is confirmed");
        }
        Rulebook rules = facts.rulebooks().get(terms.rulebook());
        Refused refused = refuseIncident(content, incident, terms, rules);
        refused = refused == null ? refuseTime(at, incident, terms, rules) : refused;
        refused = refused == null ? refuseSecond(cover, content) : refused;
        refused = refused == null ? refuseAmount(cover, terms, content) : refused;
        return refused == null ? refuseDocuments(content, rules) : refused;
    }

    private static Refused refuseIncident(FileClaim content, Incident incident, Terms terms, Rulebook rules) {
        if (!incident.status().equals("confirmed")) {
            return new Refused(
                    "claim.incident-not-confirmed",
                    "incident " + content.incident() + ", " + incident.status(),
                    "an incident that is confirmed");
        }
        if (!incident.product().equals(terms.product())) {
            return new Refused(
                    "claim.other-product",
                    "an incident of product " + incident.product(),
                    "an incident of product " + terms.product());
        }
        long occurredAt = incident.occurredAt().toEpochMilli();
        String value = "incident " + content.incident() + " of ";
        if (occurredAt < terms.startsAt() + rules.waitingPeriod()) {
            return new Refused(
                    "claim.before-waiting-period",
                    value + Json.spelled(occurredAt),
                    "an incident from " + Json.spelled(terms.startsAt() + rules.waitingPeriod())
                            + ", when the waiting period is over");
        }
        if (isOver(occurredAt, terms.expiresAt(), rules.expiryInclusive())) {
            return new Refused(
                    "claim.after-expiry",
                    value + Json.spelled(occurredAt),
                    "an incident " + until(terms.expiresAt(), rules.expiryInclusive()) + ", when the cover expires");
        }
        return null;
    }

    private static Refused refuseTime(long at, Incident incident, Terms terms, Rulebook rules) {
        long begin = incident.occurredAt().toEpochMilli() + rules.notBefore();
        if (at < begin) {
            return new Refused(
                    "claim.too-early",
                    "a filing of " + Json.spelled(at),
                    "a filing from " + Json.spelled(begin),
                    Instant.ofEpochMilli(begin),
                    false);
        }
        long end = terms.expiresAt() + rules.grace();
        if (isOver(at, end, rules.graceInclusive())) {
            return new Refused(
                    "claim.grace-ended",
                    "a filing of " + Json.spelled(at),
                    "a filing " + until(end, rules.graceInclusive()) + ", when the grace after expiry ends");
        }
        return null;
    }

    private static Refused refuseSecond(Cover cover, FileClaim content) {
        if (cover.open() != null) {
            return new Refused(
                    "claim.already-open",
                    "a claim while " + cover.open() + " is open",
                    "a claim once " + cover.open() + " is ruled on or withdrawn");
        }
        String settled = cover.settled().get(content.incident());
        if (settled != null) {
            return new Refused(
                    "claim.incident-already-paid",
                    "incident " + content.incident() + ", for which claim " + settled + " is "
                            + cover.claims().get(settled).status(),
                    "another incident: a cover pays for an incident once");
        }
        return null;
    }

    private static Refused refuseAmount(Cover cover, Terms terms, FileClaim content) {
        BigInteger remaining = terms.amountMinor().subtract(cover.paidMinor()).subtract(cover.owedMinor());
        if (content.amountMinor().compareTo(remaining) <= 0) {
            return null;
        }
        return new Refused(
                "claim.amount-above-remaining",
                content.amountMinor() + " claimed",
                "at most " + remaining + ": of " + terms.amountMinor() + ", " + cover.paidMinor() + " is paid and "
                        + cover.owedMinor() + " approved");
    }

    private static Refused refuseDocuments(FileClaim content, Rulebook rules) {
        int count = content.evidence().size();
        if (count > rules.evidenceMax()) {
            return new Refused(
                    "claim.too-much-evidence",
                    count + " documents, " + count + " in all",
                    "at most " + rules.evidenceMax() + ", " + rules.evidenceMax() + " in all");
        }
        Set<String> seen = new HashSet<>();
        for (Evidence document : content.evidence()) {
            if (!seen.add(document.sha256())) {
                return new Refused(
                        "claim.evidence-repeated", "document " + document.sha256() + " again", "each document once");
            }
        }
        return null;
    }

    private Decision<Cover> filed(Cover cover, FileClaim content, long at) {
        String claim = content.cover() + "/" + (cover.claims().size() + 1);
        long ruledBy = at + facts.rulebooks().get(cover.terms().rulebook()).procedure();
        NextStep next = new NextStep(
                "the ruling of case claim/" + claim + ", at the latest unless an outage or a halt delays the end of a stage",
                Instant.ofEpochMilli(ruledBy));
        ClaimFiled event = new ClaimFiled(
                claim,
                content.cover(),
                content.incident(),
                content.claimant(),
                content.amountMinor(),
                cover.terms().rulebook(),
                content.evidence(),
                cover.terms().product(),
                null,
                next);
        List<String> documents = content.evidence().stream().map(Evidence::sha256).toList();
        Map<String, Claim> claims = new TreeMap<>(cover.claims());
        claims.put(
                claim,
                new Claim(content.incident(), content.claimant(), content.amountMinor(), "filed", documents, ruledBy));
        Cover after = new Cover(
                cover.sequence(), cover.terms(), cover.paidMinor(), cover.owedMinor(), claims, claim, cover.settled());
        return new Decision<>("claim.filed.v1", event, after);
    }

    private static boolean isOver(long instant, long end, boolean inclusive) {
        return inclusive ? instant > end : instant >= end;
    }

    private static String until(long end, boolean inclusive) {
        return (inclusive ? "until " : "before ") + Json.spelled(end);
    }

    private static String spelled(Instant instant) {
        return Json.spelled(instant.toEpochMilli());
    }
}
