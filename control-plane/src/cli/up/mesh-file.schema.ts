/** The JSON Schema of `weft.yaml`. */

const NAME = { type: 'string', format: 'dns-label' }
const PORT = { type: 'integer', minimum: 1, maximum: 65_535 }
const TEXT = { type: 'string', maxLength: 4096 }
const PATHS = { type: 'array', items: TEXT, maxItems: 64 }

const SERVICE = {
  type: 'object',
  additionalProperties: false,
  required: ['command'],
  properties: {
    command: {
      type: 'array',
      items: TEXT,
      minItems: 1,
      maxItems: 256,
      description: 'Program and arguments; no shell reads them.',
    },
    serviceAccount: { ...NAME, description: 'The identity of the service. Default: its name.' },
    port: {
      ...PORT,
      description: 'Where the app listens; this one if it is free, else any. Handed over as PORT.',
    },
    ingress: {
      type: ['boolean', 'integer'],
      minimum: 1,
      maximum: 65_535,
      description:
        'A plain loopback port for callers without identity (a browser): true, or the port if it is free.',
    },
    env: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      maxProperties: 256,
      description: 'Added to the environment of the app.',
    },
    workdir: {
      ...TEXT,
      description: 'Working folder of the app, from the folder of this file. Default: that folder.',
    },
    healthPath: {
      ...TEXT,
      description: 'Answers 200 when the app is ready. Default: ready when the port is open.',
    },
    watch: { ...PATHS, description: 'Files and folders; a change restarts the app.' },
    restart: {
      type: 'string',
      enum: ['never', 'always'],
      description:
        'What happens when the app ends by itself: the whole mesh stops (never, the default), or it starts again.',
    },
  },
}

export const MESH_FILE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'services'],
  properties: {
    name: { ...NAME, description: 'Name of the mesh.' },
    namespace: { ...NAME, description: 'Namespace of its services. Default: default.' },
    resources: {
      type: ['string', 'array'],
      items: TEXT,
      maxItems: 64,
      maxLength: 4096,
      description: 'Folders of resource files, from the folder of this file; watched while the mesh runs.',
    },
    kafka: {
      type: ['object', 'string', 'null'],
      additionalProperties: false,
      properties: {
        port: { ...PORT, description: 'Port of the broker if it is free, else any.' },
        properties: {
          type: 'object',
          additionalProperties: { type: ['string', 'number', 'boolean'] },
          maxProperties: 256,
          description: 'More lines of server.properties.',
        },
      },
      description:
        'Settings of the broker that is started where KAFKA_BROKERS is not set; none for a mesh without Kafka.',
    },
    services: {
      type: 'object',
      propertyNames: NAME,
      additionalProperties: SERVICE,
      minProperties: 1,
      maxProperties: 64,
    },
  },
}
