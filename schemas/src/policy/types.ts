/** The vocabulary of access decisions: who (Subject) does what (Action) to what. Pure data; see decide.ts. */

/** A JSON Web Token (RFC 7519) that was verified: what it claims of the end user for whom the caller acts. */
export interface ProvenToken {
  /** `<namespace>/<name>` of every JwtProvider that accepts it. */
  readonly providers: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
}

/** The caller. `anonymous` is a caller without a certificate (an ingress listener, never a mesh hop). */
export type Subject = (
  | {
      readonly kind: 'workload'
      readonly uri: string
      readonly namespace: string
      readonly serviceAccount: string
    }
  | { readonly kind: 'anonymous' }
  /** A caller from outside at a gateway that asks for certificates: the names in it, as `DNS:…` and `URI:…`. */
  | { readonly kind: 'certificate'; readonly names: readonly string[] }
) & { readonly token?: ProvenToken }

/** Kafka's own words (org.apache.kafka.common.acl.AclOperation), lower case; produce = WRITE, consume = READ. */
export const KAFKA_OPERATIONS = [
  'produce',
  'consume',
  'describe',
  'create',
  'delete',
  'alter',
  'describeConfigs',
  'alterConfigs',
  'clusterAction',
  'idempotentWrite',
] as const
export type KafkaOperation = (typeof KAFKA_OPERATIONS)[number]

export interface HttpAction {
  readonly protocol: 'http'
  /** What is called: a Service where absent. */
  readonly resource?: 'externalService' | 'gateway'
  /** Its name and namespace. */
  readonly service: string
  readonly namespace: string
  readonly method: string
  /** Path without query, as it came; `decide` normalises it and refuses what cannot be normalised. */
  readonly path: string
}

export interface KafkaAction {
  readonly protocol: 'kafka'
  readonly resource: 'topic' | 'group' | 'transactionalId' | 'cluster'
  readonly name: string
  readonly operation: KafkaOperation
  /** For consume of a topic: the group, where it is known (push subscriptions, offset commits). */
  readonly group?: string
}

/** A connection whose bytes nobody reads: all that is known is where it leads. */
export interface TcpAction {
  readonly protocol: 'tcp'
  /** A service of the mesh where absent. */
  readonly resource?: 'externalService'
  readonly service: string
  readonly namespace: string
  /** Port of the service. */
  readonly port: number
}

export type Action = HttpAction | KafkaAction | TcpAction

/** `claims`: each one named must have one of the values, in which `*` stands for anything; a name with dots leads into objects. */
export interface JwtMatch {
  /** A JwtProvider of the policy's namespace. */
  readonly provider: string
  readonly claims?: Readonly<Record<string, readonly string[]>>
}

/** One entry of `from`: all members that are present must hold. `identity` may hold `*`. */
export interface SourceMatch {
  readonly serviceAccount?: string
  /** Without it, a `serviceAccount` is one of the policy's own namespace. */
  readonly namespace?: string
  readonly identity?: string
  readonly anonymous?: true
  /** A name in the certificate of a caller from outside, as `DNS:…` or `URI:…`; may hold `*`. */
  readonly clientCertificate?: string
  /** Alone: whoever carries such a token. */
  readonly jwt?: JwtMatch
}

/** `methods` and `paths` absent: any. A path is exact, or a prefix where it ends in `*`. */
export interface HttpMatch {
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
}

/** `groups`: patterns with `*` and `${serviceAccount}`, `${namespace}`; which consumer groups go with a consume. */
export interface KafkaMatch {
  readonly operations: readonly KafkaOperation[]
  readonly groups?: readonly string[]
}

/** `ports` absent: any. They are those of the service, as callers write them. */
export interface TcpMatch {
  readonly ports?: readonly number[]
}

/** One entry of `to`; a matcher of one protocol never matters to another. An entry has one member. */
export interface OperationMatch {
  readonly http?: HttpMatch
  readonly kafka?: KafkaMatch
  readonly tcp?: TcpMatch
}

export interface PolicyRule {
  /** Absent: every caller with an identity (never `anonymous`). */
  readonly from?: readonly SourceMatch[]
  /** Absent: every operation of the target. */
  readonly to?: readonly OperationMatch[]
}

/** Exactly one member. Topic, group and transactional-id names may end in `*`. */
export interface PolicyTarget {
  readonly service?: string
  readonly externalService?: string
  readonly gateway?: string
  readonly topic?: string
  readonly group?: string
  readonly transactionalId?: string
  readonly cluster?: true
  readonly mesh?: true
}

/** AccessPolicy.spec, complete: every default filled in. */
export interface AccessPolicySpec {
  readonly target: PolicyTarget
  readonly action: 'allow' | 'deny'
  readonly mode: 'enforce' | 'audit'
  readonly rules: readonly PolicyRule[]
}

/** A policy with its name, as the snapshot carries it. */
export interface NamedPolicy extends AccessPolicySpec {
  readonly name: string
  readonly namespace: string
}

export type DecisionReason =
  | 'allowed-by-policy'
  | 'denied-by-policy'
  | 'no-policy-allows'
  | 'mesh-default'
  | 'path-not-normalisable'

export interface Decision {
  readonly allowed: boolean
  readonly reason: DecisionReason
  /**
   * `<namespace>/<name>` of the policy that decided. For `no-policy-allows` the first that speaks of the target and
   * allows others or other things; absent where none speaks of it.
   */
  readonly policy?: string
  /** A policy in audit mode that would have refused what was let through. */
  readonly audited?: string
  /** One sentence for a person: identity, action, target, policy. */
  readonly explanation: string
}
