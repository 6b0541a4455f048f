/**
 * Clients that others wrote, unmodified, through the sidecar of a whole mesh: mTLS to the broker, policies in force. `npm test` runs those that the machine
 * has; `WEFT_CONFORMANCE=all node --test test/conformance/kafka-clients/*.test.ts` brings the others first (npm's own, kafkajs and
 * @platformatic/kafka, are what the integration tests use).
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { type ClientMesh, startClientMesh } from './mesh.ts'
import { franzGo, javaClients, kcat, pythonWithClients } from './programs.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 120_000
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

const NEWEST = '4.3.0'
const OLDER = '3.9.1'

const PYTHON = [
  'confluent-kafka: groups, all packings',
  'confluent-kafka: a regular expression under KIP-848',
  'confluent-kafka: transactions',
  'confluent-kafka: what is refused',
  'confluent-kafka: serializers with the registry',
  'cloudevents: what it writes and what we write',
  'aiokafka',
  'kafka-python',
]

test('Kafka clients through a sidecar', { timeout: 900_000 }, async (t) => {
  const clients = await Promise.all([pythonWithClients(), javaClients(NEWEST), kcat(), franzGo()])
  if (clients.every((found) => 'missing' in found))
    return t.skip(clients.map((found) => 'missing' in found && found.missing).join('; '))
  const [python, java, cat, franz] = clients
  const mesh = await startClientMesh(t)

  for (const scenario of PYTHON)
    await t.test(scenario, async (each) => {
      if ('missing' in python) return each.skip(python.missing)
      const script = join(import.meta.dirname, 'python', 'scenarios.py')
      await run(python.python, [script, scenario, JSON.stringify(mesh)], { timeout: TIMEOUT_MS })
    })
  await t.test('franz-go', async (each) => {
    if ('missing' in franz) return each.skip(franz.missing)
    await run(franz.program, [mesh.bootstrap], { timeout: TIMEOUT_MS })
  })
  await t.test('kcat', async (each) => {
    if ('missing' in cat) return each.skip(cat.missing)
    await runKcat(cat.kcat, mesh)
  })
  await t.test(`Java ${NEWEST}: the tools of Kafka`, async (each) => {
    if ('missing' in java) return each.skip(java.missing)
    await runTools(each, new Tools(java.classPath, mesh.bootstrap), 'c-java')
    await shareRecords(each, new Tools(java.classPath, mesh.bootstrap), 'c-java')
  })
  await t.test(`Java ${OLDER}: the tools of Kafka`, async (each) => {
    const older = await javaClients(OLDER)
    if ('missing' in older) return each.skip(older.missing)
    await runTools(each, new Tools(older.classPath, mesh.bootstrap), 'c-older')
  })
  await t.test('Kafka Streams: words, counted exactly once', async (each) => {
    if ('missing' in java) return each.skip(java.missing)
    await countWords(each, new Tools(java.classPath, mesh.bootstrap))
  })
})

async function runKcat(command: string, { bootstrap }: ClientMesh): Promise<void> {
  const lines = Array.from({ length: 1_000 }, (_, n) => `${n % 10}:${n}`)
  const producer = spawn(command, ['-P', '-b', bootstrap, '-t', 'c-kcat', '-K', ':', '-z', 'snappy'])
  producer.stdin.end(`${lines.join('\n')}\n`)
  assert.deepEqual(await once(producer, 'close'), [0, null])
  const asGroup = ['-G', 'c-kcat', 'c-kcat', '-e', '-q', '-X', 'auto.offset.reset=earliest', '-K', ':']
  for (const how of [['-C', '-t', 'c-kcat', '-e', '-q', '-K', ':'], asGroup]) {
    const { stdout } = await run(command, ['-b', bootstrap, ...how], { timeout: TIMEOUT_MS })
    assert.deepEqual(stdout.trim().split('\n').toSorted(), lines.toSorted())
  }
}

/** The command-line programs of Kafka's own tests. */
class Tools {
  readonly bootstrap: string
  readonly #classPath: string

  constructor(classPath: string, bootstrap: string) {
    this.#classPath = classPath
    this.bootstrap = bootstrap
  }

  arguments(main: string, ...words: readonly string[]): string[] {
    return ['-Xmx256m', '-cp', this.#classPath, main, ...words]
  }

  async run(main: string, ...words: readonly string[]): Promise<string> {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES }
    return (await run('java', this.arguments(main, ...words), options)).stdout
  }

  /** Of `org.apache.kafka.tools`. */
  tool(name: string, ...words: readonly string[]): Promise<string> {
    return this.run(`org.apache.kafka.tools.${name}`, '--bootstrap-server', this.bootstrap, ...words)
  }

  makeTopic(name: string, partitions = 1): Promise<string> {
    return this.tool('TopicCommand', '--create', '--topic', name, '--partitions', String(partitions))
  }
}

/** The JSON lines that a tool writes, by their name. */
const events = (output: string, name: string): readonly Record<string, unknown>[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => event.name === name)

async function runTools(t: TestContext, tools: Tools, topic: string): Promise<void> {
  await tools.makeTopic(topic, 3)
  await t.test('VerifiableProducer', async () => {
    const sent = await tools.tool(
      'VerifiableProducer',
      '--topic',
      topic,
      '--max-messages',
      '1000',
      '--acks',
      '-1',
    )
    assert.equal(events(sent, 'tool_data')[0]?.acked, 1_000)
  })
  for (const protocol of ['classic', 'consumer'])
    await t.test(`VerifiableConsumer, ${protocol} protocol`, async () => {
      const group = [
        '--group-id',
        `${topic}-${protocol}`,
        '--group-protocol',
        protocol,
        '--reset-policy',
        'earliest',
      ]
      const read = await tools.tool(
        'VerifiableConsumer',
        '--topic',
        topic,
        ...group,
        '--max-messages',
        '1000',
      )
      const counts = events(read, 'records_consumed').map(({ count }) => Number(count))
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        1_000,
      )
    })
  await t.test('ProducerPerformance', async () => {
    const load = ['--num-records', '5000', '--record-size', '1000', '--throughput', '-1']
    const props = ['--producer-props', `bootstrap.servers=${tools.bootstrap}`]
    const main = 'org.apache.kafka.tools.ProducerPerformance'
    assert.match(await tools.run(main, '--topic', topic, ...load, ...props), /^5000 records sent/m)
  })
  const [origin, copied, copier] = ['origin', 'copied', 'copier'].map((name) => `${topic}-${name}`) as [
    string,
    string,
    string,
  ]
  await t.test('TransactionalMessageCopier', async () => {
    await tools.makeTopic(copied)
    await tools.makeTopic(origin)
    await tools.tool('VerifiableProducer', '--topic', origin, '--max-messages', '200', '--acks', '-1')
    const topics = ['--input-topic', origin, '--input-partition', '0', '--output-topic', copied]
    const ids = ['--consumer-group', copier, '--transactional-id', copier, '--transaction-size', '20']
    const main = 'org.apache.kafka.tools.TransactionalMessageCopier'
    await tools.run(main, '--broker-list', tools.bootstrap, ...topics, ...ids, '--max-messages', '200')
    const committed = ['--isolation-level', 'read_committed', '--from-beginning', '--max-messages', '200']
    const read = await tools.tool(
      'consumer.ConsoleConsumer',
      '--topic',
      copied,
      '--group',
      copied,
      ...committed,
    )
    assert.deepEqual(new Set(read.trim().split('\n')).size, 200)
  })
  await t.test('topics and groups are administered', async () => {
    assert.match(await tools.tool('TopicCommand', '--list'), new RegExp(`^${topic}$`, 'm'))
    assert.doesNotMatch(await tools.tool('TopicCommand', '--list'), /secret/)
    const described = await tools.tool(
      'consumer.group.ConsumerGroupCommand',
      '--describe',
      '--group',
      `${topic}-classic`,
    )
    assert.match(described, new RegExp(`${topic}-classic +${topic}`))
    await tools.tool('TopicCommand', '--delete', '--topic', origin)
  })
}

/** KIP-932, of which older clients know nothing. */
async function shareRecords(t: TestContext, tools: Tools, topic: string): Promise<void> {
  await t.test('VerifiableShareConsumer', async () => {
    const group = ['--group-id', 'c-share', '--offset-reset-strategy', 'earliest']
    const read = await tools.tool(
      'VerifiableShareConsumer',
      '--topic',
      topic,
      ...group,
      '--max-messages',
      '1000',
    )
    const counts = events(read, 'offsets_acknowledged').map(({ count }) => Number(count))
    assert.ok(counts.reduce((sum, count) => sum + count, 0) >= 1_000, String(counts))
  })
}

async function countWords(t: TestContext, tools: Tools): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), 'weft-streams-'))
  t.after(() => rm(state, { recursive: true, force: true }))
  await Promise.all([tools.makeTopic('c-lines', 2), tools.makeTopic('c-counts', 2)])
  await tools.tool(
    'VerifiableProducer',
    '--topic',
    'c-lines',
    '--max-messages',
    '300',
    '--acks',
    '-1',
    '--repeating-keys',
    '5',
    '--value-prefix',
    '7',
  )
  const source = join(import.meta.dirname, 'java', 'WordCount.java')
  const app = spawn('java', tools.arguments(source, tools.bootstrap, 'c-lines', 'c-counts', state), {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = once(app, 'close')
  t.after(() => app.kill('SIGKILL'))
  const committed = ['--isolation-level', 'read_committed', '--from-beginning', '--max-messages', '300']
  const counts = await tools.tool(
    'consumer.ConsoleConsumer',
    '--topic',
    'c-counts',
    '--group',
    'c-counts',
    ...committed,
  )
  app.stdin.end()
  await ended
  // Each word came once, so each is counted once, and no count is repeated.
  assert.deepEqual(new Set(counts.trim().split('\n')), new Set(['1']))
}
