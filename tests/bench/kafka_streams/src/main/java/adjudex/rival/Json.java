package adjudex.rival;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** JSON as Adjudex has it: names with underscores, amounts as strings of digits, instants as RFC 3339. */
final class Json {
    static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .addModule(module())
            .build();

    private static final DateTimeFormatter INSTANT =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final int DIGITS_MAX = 78;
    private static final int REMEMBERED_MAX = 4096;
    private static final Map<Long, String> SPELLED = new ConcurrentHashMap<>();
    private static final Map<String, Instant> READ = new ConcurrentHashMap<>();

    private Json() {}

    /** Spells an instant with three decimals; the latest ones are remembered, as ours are. */
    static String spelled(long instant) {
        if (SPELLED.size() > REMEMBERED_MAX) {
            SPELLED.clear();
        }
        return SPELLED.computeIfAbsent(instant, number -> INSTANT.format(Instant.ofEpochMilli(number)));
    }

    static byte[] written(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** What a state store keeps. */
    static <T> Serde<T> serde(Class<T> type) {
        ObjectReader reader = MAPPER.readerFor(type);
        ObjectWriter writer = MAPPER.writerFor(type);
        return Serdes.serdeFrom(
                (topic, value) -> {
                    try {
                        return value == null ? null : writer.writeValueAsBytes(value);
                    } catch (JsonProcessingException error) {
                        throw new UncheckedIOException(error);
                    }
                },
                (topic, bytes) -> {
                    try {
                        return bytes == null ? null : reader.readValue(bytes);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                });
    }

    private static SimpleModule module() {
        return new SimpleModule()
                .addSerializer(BigInteger.class, ToStringSerializer.instance)
                .addDeserializer(BigInteger.class, new AmountReader())
                .addSerializer(Instant.class, new InstantWriter())
                .addDeserializer(Instant.class, new InstantReader());
    }

    private static final class AmountReader extends StdDeserializer<BigInteger> {
        private static final long serialVersionUID = 1;

        AmountReader() {
            super(BigInteger.class);
        }

        @Override
        public BigInteger deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            String text = parser.currentToken() == JsonToken.VALUE_STRING ? parser.getText() : "";
            boolean spelled = !text.isEmpty() && text.length() <= DIGITS_MAX;
            spelled = spelled && (text.length() == 1 || text.charAt(0) != '0');
            for (int index = 0; spelled && index < text.length(); index++) {
                spelled = text.charAt(index) >= '0' && text.charAt(index) <= '9';
            }
            BigInteger amount = spelled ? new BigInteger(text) : BigInteger.ZERO;
            if (!spelled || amount.bitLength() > 256) {
                throw context.weirdStringException(text, BigInteger.class, "not whole base units as decimal digits");
            }
            return amount;
        }
    }

    private static final class InstantReader extends StdDeserializer<Instant> {
        private static final long serialVersionUID = 1;

        InstantReader() {
            super(Instant.class);
        }

        @Override
        public Instant deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            String text = parser.currentToken() == JsonToken.VALUE_STRING ? parser.getText() : "";
            if (READ.size() > REMEMBERED_MAX) {
                READ.clear();
            }
            try {
                return READ.computeIfAbsent(text, spelled -> OffsetDateTime.parse(spelled).toInstant());
            } catch (DateTimeParseException error) {
                throw context.weirdStringException(text, Instant.class, "not an RFC 3339 instant with an offset");
            }
        }
    }

    private static final class InstantWriter extends JsonSerializer<Instant> {
        @Override
        public void serialize(Instant value, JsonGenerator generator, SerializerProvider provider) throws IOException {
            generator.writeString(spelled(value.toEpochMilli()));
        }
    }
}
