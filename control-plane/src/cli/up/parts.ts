import { ControlPlane } from './control-plane.ts'
import { choosePort } from './free-port.ts'
import type { Ground } from './ground.ts'
import { externalKafka, type Kafka, LocalKafka } from './kafka.ts'
import { kafkaFromEnvironment } from './kafka-environment.ts'
import type { MeshFile } from './mesh-file.ts'
import { Service } from './service.ts'

export interface Parts {
  readonly controlPlane: ControlPlane
  readonly kafka: Kafka | undefined
  readonly services: ReadonlyMap<string, Service>
}

interface PartsOptions {
  readonly file: MeshFile
  readonly env: NodeJS.ProcessEnv
  readonly restart: 'always' | undefined
  readonly preferDefaultPorts: boolean
}

/** The ports of DESIGN.md, for the one mesh that a person starts. */
const DEFAULT_HTTP_PORT = 15_014
const DEFAULT_GRPC_PORT = 15_012

/** Makes the parts of a mesh file and chooses their ports; starts nothing. */
export async function makeParts(ground: Ground, options: PartsOptions): Promise<Parts> {
  const { file, preferDefaultPorts, restart } = options
  // The broker needs a certificate of the running control plane, and that one needs the address of the broker: so the
  // port is chosen before either starts.
  const kafka = await planKafka(ground, file, options.env)
  const controlPlane = new ControlPlane(ground, {
    httpPort: await choosePort(preferDefaultPorts ? DEFAULT_HTTP_PORT : undefined),
    grpcPort: await choosePort(preferDefaultPorts ? DEFAULT_GRPC_PORT : undefined),
    resources: file.resources,
    ...(kafka !== undefined && { kafka: kafka.cluster }),
  })
  const services = new Map<string, Service>()
  for (const service of file.services) {
    const { name, ingress, port } = service
    const settings = restart === undefined ? service : { ...service, restart }
    const ingressPort =
      ingress === false ? undefined : await choosePort(ingress === true ? undefined : ingress)
    const appPort = await choosePort(port)
    const { namespace } = file
    services.set(name, new Service(ground, { settings, namespace, appPort, ingressPort, controlPlane }))
  }
  return { controlPlane, services, kafka: kafka?.make(controlPlane) }
}

interface KafkaPlan {
  readonly cluster: Pick<Kafka, 'bootstrapServers' | 'security'>
  readonly make: (controlPlane: ControlPlane) => Kafka
}

async function planKafka(
  ground: Ground,
  { kafka: settings }: MeshFile,
  env: NodeJS.ProcessEnv,
): Promise<KafkaPlan | undefined> {
  if (settings === 'none') return undefined
  const external = kafkaFromEnvironment(env)
  if (external !== undefined)
    return { cluster: external, make: () => externalKafka(external.bootstrapServers, external.security) }
  const port = await choosePort(settings.port)
  return {
    cluster: { bootstrapServers: [`127.0.0.1:${port}`], security: 'mtls' },
    make: (controlPlane) => new LocalKafka(ground, { controlPlane, port, settings }),
  }
}
