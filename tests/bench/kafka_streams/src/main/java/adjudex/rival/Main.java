package adjudex.rival;

import adjudex.rival.Inputs.Content;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.Stores;

/** The benchmark's rival: what our services decide, by Kafka Streams, exactly once. */
public final class Main {
    private static final String USAGE =
            "arguments: bootstrap prefix claims|votes application-id state-folder threads facts-file\n"
                    + "reads topics that begin with the prefix, writes <application-id>.events";
    private static final String DECIDER = "decider";

    private Main() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length != 7) {
            System.err.println(USAGE);
            System.exit(2);
        }
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[3]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[5]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        Topology topology = topology(arguments[1], arguments[2], arguments[3] + ".events", Facts.read(arguments[6]));
        CountDownLatch ended = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(topology, settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((state, before) -> {
            if (state.hasCompletedShutdown()) {
                ended.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        endWithDriver();
        streams.start();
        ended.await();
    }

    /** Ends this process when its driver is gone, and with it the other end of standard input. */
    private static void endWithDriver() {
        Thread watch = new Thread(() -> {
            try {
                System.in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException error) {
                error.printStackTrace();
            }
            Runtime.getRuntime().halt(1);
        });
        watch.setDaemon(true);
        watch.start();
    }

    private static Topology topology(String prefix, String mode, String events, Facts facts) {
        return switch (mode) {
            case "claims" -> topology(prefix, Claims.ACCEPTED, () -> new Claims(prefix, facts), Claims.Cover.class, events);
            case "votes" -> topology(prefix, Votes.ACCEPTED, () -> new Votes(prefix, facts), Votes.Case.class, events)
                    .addStateStore(
                            Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(Votes.VOTES),
                                    Serdes.String(),
                                    Json.serde(Votes.Vote.class)),
                            DECIDER);
            default -> throw new IllegalArgumentException(USAGE);
        };
    }

    private static <S> Topology topology(
            String prefix,
            Map<String, Map<String, Class<? extends Content>>> accepted,
            ProcessorSupplier<byte[], byte[], byte[], byte[]> decider,
            Class<S> state,
            String events) {
        Serde<byte[]> bytes = Serdes.ByteArray();
        String[] topics = accepted.keySet().stream().map(prefix::concat).sorted().toArray(String[]::new);
        return new Topology()
                .addSource("inputs", bytes.deserializer(), bytes.deserializer(), topics)
                .addProcessor(DECIDER, decider, "inputs")
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(Decider.MEMORY), Serdes.String(), bytes),
                        DECIDER)
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(Decider.STATES), Serdes.String(), Json.serde(state)),
                        DECIDER)
                .addSink("events", events, bytes.serializer(), bytes.serializer(), DECIDER);
    }
}
