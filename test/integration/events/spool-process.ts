/** A publisher's event API in a process of its own, to be killed: `spool-process.ts <bootstrap> <topic> <spool folder>`. Tells its URL. */
import { snapshotOf, startBridge, topicEntry } from './world.ts'

const [bootstrap = '', topic = '', spoolDir = ''] = process.argv.slice(2)
const topics = [{ ...topicEntry(topic), durability: 'spool' as const }]
const bridge = await startBridge(snapshotOf([bootstrap], { topics }), { spoolDir })
process.stdout.write(`${bridge.url}\n`)
