package adjudex.rival;

import adjudex.rival.Events.Duplicate;
import adjudex.rival.Events.Refused;
import adjudex.rival.Events.SetAside;
import adjudex.rival.Inputs.Content;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.databind.DatabindException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;

/** Decides one input after the other, as our kernel does: read, find repeats, decide, write one event. */
abstract class Decider<S extends Decider.State<S>> implements Processor<byte[], byte[], byte[], byte[]> {
    static final String MEMORY = "memory";
    static final String STATES = "states";
    private static final long DUPLICATE_WINDOW = 7L * 86_400_000;
    private static final byte[] NAMESPACE = HexFormat.of().parseHex("6a7f2f0e6f0f5b1e9d7e1f6f3f0a7c11");
    private static final byte[] SPECVERSION = utf8("1.0");
    private static final byte[] CONTENT_TYPE = utf8("application/json");

    /** The state of an aggregate, with the number of its events. */
    interface State<S> {
        long sequence();

        S at(long sequence);
    }

    /** One event and the state after it; `after` is null when the event changes nothing. */
    record Decision<S>(String type, Object event, S after) {
        static <S> Decision<S> refused(Refused refused) {
            return new Decision<>("refused.v1", refused, null);
        }
    }

    private record Envelope(String id, String source, String type) {}

    private static final class UnreadableException extends Exception {
        private static final long serialVersionUID = 1;
        private final String cause;

        UnreadableException(String cause, String reason) {
            super(reason);
            this.cause = cause;
        }
    }

    protected final Facts facts;
    private final String prefix;
    private final Map<String, Map<String, Class<? extends Content>>> accepted;
    private final byte[] source;
    private final String service;
    private final S initial;
    private final MessageDigest sha1 = digest("SHA-1");
    private final MessageDigest sha256 = digest("SHA-256");
    private final Map<String, Long> lastAt = new HashMap<>();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<String, byte[]> memory;
    private KeyValueStore<String, S> states;
    private int partition;

    /**
     * `accepted` says which types each stream takes, by the name of its topic without the prefix; `initial` is the
     * state of an aggregate that does not exist.
     */
    Decider(
            String service,
            String prefix,
            Facts facts,
            Map<String, Map<String, Class<? extends Content>>> accepted,
            S initial) {
        this.service = service;
        this.prefix = prefix;
        this.facts = facts;
        this.accepted = accepted;
        this.initial = initial;
        source = utf8("/" + facts.space() + "/" + service);
    }

    /** Decides one input. */
    protected abstract Decision<S> decide(S state, Content content, long at);

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        memory = context.getStateStore(MEMORY);
        states = context.getStateStore(STATES);
        partition = context.taskId().partition();
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        RecordMetadata place = context.recordMetadata().orElseThrow();
        long at = lastAt.merge(place.topic(), record.timestamp(), Math::max);
        String position = place.topic() + "/" + place.partition() + "/" + place.offset();
        String home = "partition/" + partition;
        Envelope envelope = null;
        try {
            String stream = place.topic().substring(prefix.length());
            envelope = envelope(record.headers());
            Content content = content(stream, envelope.type(), record.value());
            String key = content.key();
            if (Utils.toPositive(Utils.murmur2(utf8(key))) % facts.partitions() != partition) {
                throw new UnreadableException("misplaced", key);
            }
            String unique = stream + "\n" + key + "\n" + envelope.source() + "\n" + envelope.id();
            byte[] remembered = remembered(place.offset(), at, envelope.type(), record.value());
            byte[] known = memory.get(unique);
            if (known != null && at - ByteBuffer.wrap(known).getLong(8) <= DUPLICATE_WINDOW) {
                decideRepeat(home, envelope, at, position, known, remembered);
                return;
            }
            S state = states.get(key);
            Decision<S> decision = decide(state == null ? initial : state, content, at);
            if (decision.event() instanceof Refused refused) {
                home = state == null ? home : key;
                if (!refused.unknown()) {
                    memory.put(unique, remembered);
                }
            } else {
                home = key;
                memory.put(unique, remembered);
            }
            emit(home, envelope, at, decision);
        } catch (UnreadableException error) {
            int size = record.value() == null ? 0 : record.value().length;
            SetAside event = new SetAside(position, error.cause, error.getMessage(), size, null);
            emit(home, envelope, at, new Decision<>("input.set-aside.v1", event, null));
        } catch (DatabindException error) {
            Refused refused = new Refused("schema", error.getOriginalMessage(), "what docs/wire.md says");
            emit(home, envelope, at, Decision.refused(refused));
        }
    }

    private void decideRepeat(
            String home, Envelope envelope, long at, String position, byte[] known, byte[] repeat) {
        String of = Long.toString(ByteBuffer.wrap(known).getLong());
        boolean same = Arrays.equals(known, 16, known.length, repeat, 16, repeat.length);
        Decision<S> decision = same
                ? new Decision<>("input.duplicate.v1", new Duplicate(position, of), null)
                : Decision.refused(new Refused(
                        "input.id-reused",
                        "id " + envelope.id() + " with other content than " + of,
                        "the same content again, or a new id"));
        emit(home, envelope, at, decision);
    }

    private void emit(String key, Envelope cause, long at, Decision<S> decision) {
        S state = decision.after();
        if (state == null) {
            state = states.get(key);
        }
        state = state == null ? initial : state;
        state = state.at(state.sequence() + 1);
        states.put(key, state);
        String sequence = Long.toString(state.sequence());
        Headers headers = new RecordHeaders();
        if (cause != null) {
            headers.add("ce_causationid", utf8(cause.id()));
        }
        headers.add("ce_id", utf8(stableId(key, sequence)));
        if (cause != null) {
            headers.add("ce_sender", utf8(cause.source()));
        }
        headers.add("ce_sequence", utf8(sequence))
                .add("ce_source", source)
                .add("ce_specversion", SPECVERSION)
                .add("ce_time", utf8(Json.spelled(at)))
                .add("ce_type", utf8(decision.type()))
                .add("content-type", CONTENT_TYPE);
        context.forward(new Record<>(utf8(key), Json.written(decision.event()), at, headers));
    }

    private static Envelope envelope(Headers headers) throws UnreadableException {
        if (!"1.0".equals(text(headers, "ce_specversion"))) {
            throw new UnreadableException("specversion", "header ce_specversion must be 1.0");
        }
        return new Envelope(text(headers, "ce_id"), text(headers, "ce_source"), text(headers, "ce_type"));
    }

    private static String text(Headers headers, String name) throws UnreadableException {
        Header header = headers.lastHeader(name);
        if (header == null || header.value() == null || header.value().length == 0) {
            throw new UnreadableException("header-missing", "header " + name + " is missing");
        }
        return new String(header.value(), StandardCharsets.UTF_8);
    }

    private Content content(String stream, String type, byte[] value) throws UnreadableException, DatabindException {
        Class<? extends Content> model = accepted.get(stream).get(type);
        if (model == null) {
            throw new UnreadableException("unknown-type", "type " + type);
        }
        if (value == null) {
            throw new UnreadableException("no-value", "the record has no value; a JSON object is accepted");
        }
        try {
            return Json.MAPPER.readValue(value, model);
        } catch (DatabindException error) {
            throw error;
        } catch (JsonParseException error) {
            throw new UnreadableException("not-json", error.getOriginalMessage());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** What the memory keeps of an input: offset, time, digest of type and value. */
    private byte[] remembered(long offset, long at, String type, byte[] value) {
        sha256.update(utf8(type));
        sha256.update((byte) '\n');
        byte[] content = sha256.digest(value);
        return ByteBuffer.allocate(16 + content.length).putLong(offset).putLong(at).put(content).array();
    }

    /** The uuid5 of the JSON array of space, service, key and sequence. */
    private String stableId(String key, String sequence) {
        sha1.update(NAMESPACE);
        String name = "[\"" + facts.space() + "\",\"" + service + "\",\"" + key + "\"," + sequence + "]";
        ByteBuffer hash = ByteBuffer.wrap(sha1.digest(utf8(name)));
        long high = hash.getLong() & ~0xF000L | 0x5000L;
        long low = hash.getLong() & ~(3L << 62) | 1L << 63;
        return new UUID(high, low).toString();
    }

    protected static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    protected static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }
}
