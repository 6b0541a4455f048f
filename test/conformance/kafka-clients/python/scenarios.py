"""Python's Kafka clients through a sidecar: `scenarios.py <scenario> <mesh as JSON>`. Ends with 0 where all was as it should be."""

import asyncio
import json
import sys
import time
import urllib.request
import uuid

RECORDS = 1_000
KEYS = 10
PATIENCE_S = 60

mesh = json.loads(sys.argv[2])
BOOTSTRAP = mesh["bootstrap"]


def new_name():
    return "c-" + uuid.uuid4().hex[:8]


class Counted:
    """Records that come once each, in the order of their key."""

    def __init__(self):
        self.last = {}
        self.count = 0

    def take(self, key, value):
        number = int(value)
        assert self.last.get(key, -1) < number, f"{number} after {self.last[key]} of {key}"
        self.last[key] = number
        self.count += 1


def confluent_topic(partitions=3):
    from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    name = new_name()
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result(PATIENCE_S)
    until = time.time() + PATIENCE_S
    while name not in admin.list_topics(timeout=PATIENCE_S).topics:
        assert time.time() < until
        time.sleep(0.1)
    for future in admin.describe_configs([ConfigResource("topic", name)]).values():
        assert future.result(PATIENCE_S)
    assert "secret" not in admin.list_topics(timeout=PATIENCE_S).topics, "a topic is seen that may not be"
    return name


def confluent_produce(topic, **settings):
    from confluent_kafka import Producer

    faults = []
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "enable.idempotence": True, **settings})
    for number in range(RECORDS):
        producer.produce(
            topic,
            key=str(number % KEYS),
            value=str(number),
            on_delivery=lambda error, _: faults.append(error) if error else None,
        )
    assert producer.flush(PATIENCE_S) == 0 and not faults, faults[:3]


def confluent_consume(topics, count, **settings):
    from confluent_kafka import Consumer

    consumer = Consumer(
        {"bootstrap.servers": BOOTSTRAP, "group.id": new_name(), "auto.offset.reset": "earliest", **settings}
    )
    consumer.subscribe(topics)
    messages = []
    until = time.time() + PATIENCE_S
    while len(messages) < count:
        assert time.time() < until, f"{len(messages)} of {count}"
        message = consumer.poll(1)
        if message is None:
            continue
        assert not message.error(), message.error()
        messages.append(message)
    consumer.commit(asynchronous=False)
    assigned = {partition.topic for partition in consumer.assignment()}
    consumer.close()
    return messages, assigned


def confluent_groups():
    topic = confluent_topic()
    for packing in ["none", "gzip", "snappy", "lz4", "zstd"]:
        confluent_produce(topic, **{"compression.type": packing})
    for protocol in ["classic", "consumer"]:
        messages, _ = confluent_consume([topic], 5 * RECORDS, **{"group.protocol": protocol})
        assert len({(m.partition(), m.offset()) for m in messages}) == 5 * RECORDS


def confluent_regex():
    """KIP-848, where the broker resolves the expression: nothing of a topic comes that is not allowed."""
    topic = confluent_topic()
    confluent_produce(topic)
    pattern = f"^({topic}|secret)$"
    messages, assigned = confluent_consume([pattern], RECORDS, **{"group.protocol": "consumer"})
    assert {m.topic() for m in messages} == {topic}, {m.topic() for m in messages}
    assert "secret" not in assigned, assigned


def confluent_transactions():
    from confluent_kafka import Producer

    topic = confluent_topic(1)
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": new_name()})
    producer.init_transactions(PATIENCE_S)
    for number in range(6):
        producer.begin_transaction()
        for _ in range(5):
            producer.produce(topic, value=str(number))
        if number % 2 == 0:
            producer.commit_transaction(PATIENCE_S)
        else:
            producer.abort_transaction(PATIENCE_S)
    messages, _ = confluent_consume([topic], 15, **{"isolation.level": "read_committed"})
    assert {m.value() for m in messages} == {b"0", b"2", b"4"}, {m.value() for m in messages}


def confluent_refused():
    from confluent_kafka import KafkaError, Producer

    told = []
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    producer.produce("secret", value="x", on_delivery=lambda error, _: told.append(error))
    producer.flush(PATIENCE_S)
    assert told and told[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, told


def confluent_schemas():
    """Confluent's serializers through our registry and a topic whose values are looked at in full; and events of the event API beside them."""
    from confluent_kafka import Producer
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
    from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    registry = SchemaRegistryClient(
        {"url": mesh["controlPlaneUrl"], "basic.auth.user.info": f"any:{mesh['adminToken']}"}
    )
    order = {
        "type": "record",
        "name": "Order",
        "namespace": "shop",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total", "type": "double"},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        ],
    }
    context = SerializationContext("orders", MessageField.VALUE)
    serialize = AvroSerializer(registry, json.dumps(order))
    value = serialize({"id": "avro", "total": 1.5, "note": "n", "at": 1_700_000_000_000}, context)
    assert not registry.test_compatibility(
        "orders-value", Schema(json.dumps(order).replace('"double"', '"string"'), "AVRO")
    )

    def send(value):
        told = []
        producer = Producer({"bootstrap.servers": BOOTSTRAP})
        producer.produce("orders", value, on_delivery=lambda error, _: told.append(error))
        assert producer.flush(PATIENCE_S) == 0
        return told[0]

    until = time.time() + PATIENCE_S
    while send(value) is not None:
        # The sidecar hears of a schema a moment after the registry.
        assert time.time() < until
        time.sleep(0.2)
    assert send(b"no schema").name() == "INVALID_RECORD"
    event = json.dumps({"id": "http", "total": 2, "at": 1_700_000_000_001}).encode()
    request = urllib.request.Request(
        mesh["eventsUrl"] + "/v1/topics/orders/events", event, {"content-type": "application/json"}
    )
    assert urllib.request.urlopen(request).status == 200

    deserialize = AvroDeserializer(registry)
    messages, _ = confluent_consume(["orders"], 2)
    read = {order["id"]: order for order in (deserialize(m.value(), context) for m in messages)}
    assert read["avro"]["note"] == "n" and read["http"]["total"] == 2.0 and read["http"]["note"] is None, read

    cart = {"title": "Cart", "type": "object", "properties": {"n": {"type": "integer"}}}
    context = SerializationContext("c-carts", MessageField.VALUE)
    value = JSONSerializer(json.dumps(cart), registry)({"n": 1}, context)
    assert JSONDeserializer(json.dumps(cart), schema_registry_client=registry)(value, context) == {"n": 1}
    for subject in ["orders-value", "c-carts-value"]:
        assert registry.get_latest_version(subject).version == 1


def cloudevents():
    """The CloudEvents package, in both modes: over HTTP into the topic, where it reads it; into the topic, and read from the stream of a subscription."""
    from cloudevents.core.bindings import http, kafka
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent
    from confluent_kafka import Producer

    def event(name, data, media):
        subject = 'order "12" % é'
        return CloudEvent(
            {"id": name, "source": "/shop", "type": "T", "subject": subject, "datacontenttype": media, "region": "eu"},
            data,
        )

    def told(each):
        data = each.get_data()
        return {**each.get_attributes(), "data": data.decode() if isinstance(data, bytes) and each.get_datacontenttype().startswith("text") else data}

    events = [
        event("json", {"total": 3, "name": "Jürgen"}, "application/json"),
        event("text", "grüß dich", "text/plain"),
        event("bytes", bytes([0, 255, 128]), "application/octet-stream"),
    ]
    sent = {}
    for mode in ["binary", "structured"]:
        for each in events:
            named = CloudEvent({**each.get_attributes(), "id": f"http-{mode}-{each.get_id()}"}, each.get_data())
            message = getattr(http, f"to_{mode}_event")(named)
            url = mesh["eventsUrl"] + "/v1/topics/c-events/events"
            body = message.body.encode() if isinstance(message.body, str) else message.body
            assert urllib.request.urlopen(urllib.request.Request(url, body, message.headers)).status == 200
            sent[named.get_id()] = named
    messages, _ = confluent_consume(["c-events"], len(sent))
    for message in messages:
        headers = {name: value for name, value in message.headers()}
        read = kafka.from_kafka_event(kafka.KafkaMessage(headers, message.key(), message.value()))
        assert told(read) == told(sent[read.get_id()]), (told(read), told(sent[read.get_id()]))

    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for mode in ["binary", "structured"]:
        for each in events:
            named = CloudEvent({**each.get_attributes(), "id": f"kafka-{mode}-{each.get_id()}"}, each.get_data())
            message = getattr(kafka, f"to_{mode}_event")(named)
            producer.produce("c-events", message.value, key=message.key, headers=dict(message.headers))
            sent[named.get_id()] = named
    assert producer.flush(PATIENCE_S) == 0
    stream = urllib.request.urlopen(mesh["eventsUrl"] + "/v1/subscriptions/events/events?settle=auto", timeout=PATIENCE_S)
    left = set(sent)
    while left:
        line = stream.readline()
        if line.startswith(b"data: "):
            read = JSONFormat().read(CloudEvent, json.dumps(json.loads(line[6:])["event"]))
            assert told(read) == told(sent[read.get_id()]), (told(read), told(sent[read.get_id()]))
            left.discard(read.get_id())
    stream.close()


async def aiokafka():
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    topic = new_name()
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 3, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, enable_idempotence=True)
    await producer.start()
    for number in range(RECORDS):
        await producer.send(topic, str(number).encode(), key=str(number % KEYS).encode())
    await producer.flush()
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=BOOTSTRAP, group_id=new_name(), auto_offset_reset="earliest"
    )
    await consumer.start()
    counted = Counted()
    while counted.count < RECORDS:
        message = await asyncio.wait_for(consumer.getone(), PATIENCE_S)
        counted.take(message.key, message.value)
    await consumer.commit()
    await consumer.stop()
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=new_name())
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic, b"0")
    await producer.stop()


def kafka_python():
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.admin import KafkaAdminClient, NewTopic

    topic = new_name()
    admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    admin.create_topics([NewTopic(topic, 3, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP)
    sent = [
        producer.send(topic, str(number).encode(), key=str(number % KEYS).encode()) for number in range(RECORDS)
    ]
    for future in sent:
        future.get(PATIENCE_S)
    producer.close()
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=BOOTSTRAP,
        group_id=new_name(),
        auto_offset_reset="earliest",
        consumer_timeout_ms=PATIENCE_S * 1000,
    )
    counted = Counted()
    for message in consumer:
        counted.take(message.key, message.value)
        if counted.count == RECORDS:
            break
    consumer.close()
    assert counted.count == RECORDS, counted.count


SCENARIOS = {
    "confluent-kafka: groups, all packings": confluent_groups,
    "confluent-kafka: a regular expression under KIP-848": confluent_regex,
    "confluent-kafka: transactions": confluent_transactions,
    "confluent-kafka: what is refused": confluent_refused,
    "confluent-kafka: serializers with the registry": confluent_schemas,
    "cloudevents: what it writes and what we write": cloudevents,
    "aiokafka": lambda: asyncio.run(aiokafka()),
    "kafka-python": kafka_python,
}

if __name__ == "__main__":
    SCENARIOS[sys.argv[1]]()
