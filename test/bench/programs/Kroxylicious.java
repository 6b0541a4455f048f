// Peer: runs the Kroxylicious runtime from a YAML file. Run by the source launcher: java -cp 'jars/*' Kroxylicious.java FILE
import io.kroxylicious.proxy.KafkaProxy;
import io.kroxylicious.proxy.config.ConfigParser;
import io.kroxylicious.proxy.internal.config.Features;
import java.nio.file.*;

public class Kroxylicious {
  public static void main(String[] words) throws Exception {
    ConfigParser parser = new ConfigParser();
    var config = parser.parseConfiguration(Files.readString(Path.of(words[0])));
    try (KafkaProxy proxy = new KafkaProxy(parser, config, Features.defaultFeatures())) {
      proxy.startup().block();
    }
  }
}
