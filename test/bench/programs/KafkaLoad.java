// Load for the Kafka suite, with Kafka's own client. Words: produce|consume|rate, bootstrap, topic, count or rate, seconds.
// Writes one line of JSON. Run by the source launcher: java -cp 'jars/*' KafkaLoad.java …
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

public class KafkaLoad {
  static final byte[] VALUE = new byte[1024];

  public static void main(String[] words) throws Exception {
    String bootstrap = words[1], topic = words[2];
    int amount = Integer.parseInt(words[3]);
    switch (words[0]) {
      case "produce" -> produce(bootstrap, topic, amount);
      case "consume" -> consume(bootstrap, topic, amount);
      default -> rate(bootstrap, topic, amount, Integer.parseInt(words[4]));
    }
  }

  static KafkaProducer<byte[], byte[]> producer(String bootstrap, int lingerMs) {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers", bootstrap, "acks", "all", "linger.ms", lingerMs, "batch.size", 65536,
            "client.id", "bench"),
        new ByteArraySerializer(), new ByteArraySerializer());
  }

  static void produce(String bootstrap, String topic, int records) throws Exception {
    AtomicInteger errors = new AtomicInteger();
    try (var producer = producer(bootstrap, 5)) {
      producer.partitionsFor(topic);
      long begin = System.nanoTime();
      for (int sent = 0; sent < records; sent++)
        producer.send(new ProducerRecord<>(topic, VALUE), (metadata, error) -> { if (error != null) errors.incrementAndGet(); });
      producer.flush();
      report(records, System.nanoTime() - begin, errors.get());
    }
  }

  /** The newest records, without a group. */
  static void consume(String bootstrap, String topic, int records) {
    var settings = Map.<String, Object>of("bootstrap.servers", bootstrap, "client.id", "bench");
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      var partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      consumer.seek(partition, Math.max(0, end - records));
      long begin = System.nanoTime();
      int read = 0;
      while (read < Math.min(records, end)) read += consumer.poll(Duration.ofSeconds(10)).count();
      report(read, System.nanoTime() - begin, 0);
    }
  }

  static void report(int records, long nanos, int errors) {
    System.out.printf(Locale.ROOT, "{\"requests\":%d,\"perSecond\":%.1f,\"errors\":%d}%n", records, records * 1e9 / nanos, errors);
  }

  /** An open loop: the delay of a record counts from the moment at which it was due. */
  static void rate(String bootstrap, String topic, int perSecond, int seconds) throws Exception {
    int total = perSecond * seconds;
    long[] nanos = new long[total];
    AtomicInteger errors = new AtomicInteger();
    CountDownLatch left = new CountDownLatch(total);
    try (var producer = producer(bootstrap, 0)) {
      producer.partitionsFor(topic);
      long begin = System.nanoTime();
      for (int sent = 0; sent < total; sent++) {
        long due = begin + sent * 1_000_000_000L / perSecond;
        for (long wait; (wait = due - System.nanoTime()) > 0; ) LockSupport.parkNanos(wait);
        int at = sent;
        producer.send(new ProducerRecord<>(topic, VALUE), (metadata, error) -> {
          nanos[at] = System.nanoTime() - due;
          if (error != null) errors.incrementAndGet();
          left.countDown();
        });
      }
      left.await(30, TimeUnit.SECONDS);
    }
    Arrays.sort(nanos);
    System.out.printf(
        Locale.ROOT, "{\"requests\":%d,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"errors\":%d}%n",
        total, nanos[total / 2] / 1e6, nanos[(int) (total * 0.99)] / 1e6, errors.get());
  }
}
