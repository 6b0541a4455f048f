/** The event API in a process of its own, to be killed: `bridge-process.ts <bootstrap> <topic> <app port>`. */
import { snapshotOf, startBridge, subscriptionEntry, topicEntry } from './world.ts'

const [bootstrap = '', topic = '', appPort = ''] = process.argv.slice(2)
const snapshots = snapshotOf([bootstrap], {
  topics: [topicEntry(topic)],
  subscriptions: [
    subscriptionEntry(topic, { retry: { attempts: 1_000, backoffBaseMs: 1, backoffMaxMs: 20 } }),
  ],
})
await startBridge(snapshots, { appPort: Number(appPort) })
