/**
 * Every form of text that a resource may hold: what it must look like, and the words that say so. Functions and not
 * regular expressions alone, because length comes first: no expression sees a megabyte.
 */
import { gatewayDurationMs } from '../gateway-duration.ts'
import { normalisePath } from '../policy/path.ts'
import { parseSpiffeId } from '../spiffe.ts'
import { isStartAt } from '../timestamp.ts'
import { isRegularExpression } from './regular-expression.ts'
import { isOwnHeader } from './reserved-headers.ts'

interface TextFormat {
  /** Completes the sentence "expected …". */
  readonly expected: string
  readonly test: (text: string) => boolean
}

const format = (
  expected: string,
  maxLength: number,
  test: RegExp | ((text: string) => boolean),
): TextFormat => ({
  expected,
  test: (text) => text.length <= maxLength && (test instanceof RegExp ? test.test(text) : test(text)),
})

/** Kafka's own limit (org.apache.kafka.common.internals.Topic). */
const MAX_KAFKA_NAME = 249
/** Leaves room for kind, namespace and `.yaml` in a file name of 255 bytes. */
const MAX_RESOURCE_NAME = 128

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/
const LABEL_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
const URI_PATH = /^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$/
const ORIGIN = /^(?:\*|https?:\/\/(?:\*|(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?)$/
const PLACEHOLDERS = /\$\{(?:serviceAccount|namespace)\}/g

const isDnsName = (text: string): boolean =>
  text.split('.').every((label) => label.length <= 63 && DNS_LABEL.test(label))
const isKafkaName = (text: string): boolean => /^[A-Za-z0-9._-]+$/.test(text) && text !== '.' && text !== '..'
const isPath = (text: string): boolean => normalisePath(text) === text
const starOnlyAtEnd = (text: string): boolean => !text.slice(0, -1).includes('*')
const withoutStar = (text: string): string => (text.endsWith('*') ? text.slice(0, -1) : text)
const withoutPlaceholders = (text: string): string => text.replaceAll(PLACEHOLDERS, 'x')
const isPrintable = (text: string): boolean => /^[\x21-\x7e\u00a1-\ud7ff\ue000-\ufffd]+$/.test(text)

export const FORMATS = {
  'dns-label': format(
    'lower-case letters, digits and dashes, at most 63, a letter or digit at both ends',
    63,
    DNS_LABEL,
  ),
  'dns-name': format(
    `lower-case letters, digits, dashes and dots, at most ${MAX_RESOURCE_NAME}, a letter or digit at both ends`,
    MAX_RESOURCE_NAME,
    isDnsName,
  ),
  'label-key': format(
    'a label name: letters, digits, ".", "_", "-", at most 63, with an optional "dns.name/" before it',
    317,
    isLabelKey,
  ),
  'label-value': format(
    'a label value: letters, digits, ".", "_", "-", at most 63',
    63,
    (text) => text === '' || LABEL_NAME.test(text),
  ),
  expression: format('an expression, at most 2048 characters', 2048, isExpression),
  'start-at': format('earliest, latest, or a time as 2026-11-26T10:00:00Z', 40, isStartAt),
  'kafka-name': format(
    `a Kafka name: letters, digits, ".", "_", "-", at most ${MAX_KAFKA_NAME}`,
    MAX_KAFKA_NAME,
    isKafkaName,
  ),
  'group-name': format(
    'a consumer group name: at most 249 printable characters without "*", "$" and spaces',
    MAX_KAFKA_NAME,
    (text) => isPrintable(text) && !/[*$]/.test(text),
  ),
  'config-key': format('the name of a Kafka topic setting, such as retention.ms', 128, /^[a-z][a-z0-9.]*$/),
  'topic-pattern': format(
    'a topic name; "*" only at the end; ${serviceAccount} and ${namespace} are filled in',
    MAX_KAFKA_NAME,
    (text) => starOnlyAtEnd(text) && (text === '*' || isKafkaName(withoutPlaceholders(withoutStar(text)))),
  ),
  'prefix-pattern': format(
    'a name; "*" only at the end; ${serviceAccount} and ${namespace} are filled in',
    MAX_KAFKA_NAME,
    (text) => starOnlyAtEnd(text) && isPattern(text),
  ),
  'group-pattern': format(
    'a group name in which "*" stands for anything; ${serviceAccount} and ${namespace} are filled in',
    MAX_KAFKA_NAME,
    isPattern,
  ),
  path: format(
    'a path in normal form: "/" first, no "//", "/./", "/../", query, or needless escapes',
    2048,
    isPath,
  ),
  'path-pattern': format(
    'a path in normal form ("/" first, no "//", "/./", "/../", query, or needless escapes); "*" only at the end, for a prefix',
    2048,
    (text) => starOnlyAtEnd(text) && isPath(withoutStar(text)),
  ),
  method: format('an HTTP method in upper case, such as GET', 32, /^[A-Z][A-Z-]*$/),
  token: format('a name as headers and cookies have it (RFC 9110, token)', 128, TOKEN),
  'field-value': format(
    'a header value: printable characters of ASCII, no space at either end',
    4096,
    /^[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*$/,
  ),
  'query-name': format(
    'the name of a query parameter, as it stands in the URL',
    128,
    /^[A-Za-z0-9._~%!$'()*,;:@/?+-]+$/,
  ),
  'grpc-service': format(
    'a gRPC service, such as shop.v1.Orders',
    256,
    /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/,
  ),
  'spiffe-pattern': format(
    'a SPIFFE id, spiffe://<trust domain>/ns/<namespace>/sa/<service account>, in which "*" may stand for anything after the trust domain',
    1024,
    isSpiffePattern,
  ),
  'jwks-uri': format(
    'an https URL without user and fragment; http only on this host (localhost, 127.0.0.1, [::1])',
    2048,
    isJwksUri,
  ),
  'external-host': format('a host name in lower case, or an IP address', 253, isExternalHost),
  'http-url': format(
    'an http or https URL without a password, such as https://registry.example:8081',
    1024,
    isHttpUrl,
  ),
  'schema-subject': format('a text without spaces and slashes', 249, /^[^\s/?#]+$/),
  'byte-count': format('a number of bytes as a text, from "1"', 12, /^[1-9][0-9]*$/),
  ip: format('an IP address', 45, isIp),
  host: format('an IP address or a host name', 253, isHost),
  'host-port': format('host:port', 260, isHostPort),
  'dns-hostname': format('a DNS host name in lower case, without port', 253, isDnsName),
  'hostname-pattern': format(
    'a DNS host name in lower case, without port; its first label may be "*"',
    253,
    (text) => isDnsName(text.startsWith('*.') ? text.slice(2) : text),
  ),
  'settable-header-name': format(
    'a header name that a route may change: not one of the connection, of the trace, or of who called',
    256,
    (text) => TOKEN.test(text) && !isOwnHeader(text.toLowerCase()),
  ),
  'query-value': format('a text of at most 1024 characters', 1024, /^.+$/s),
  'regular-expression': format(
    'a regular expression in the syntax of RE2, without look-around and back-references, at most 1024 characters',
    1024,
    isRegularExpression,
  ),
  'uri-path': format(
    'a path that begins with "/", without query, spaces and control characters',
    1024,
    URI_PATH,
  ),
  'prefix-replacement': format('a path, or nothing', 1024, (text) => text === '' || URI_PATH.test(text)),
  'gateway-duration': format(
    'a duration of the Gateway API, such as 1h30m, 10s or 500ms',
    20,
    (text) => gatewayDurationMs(text) !== undefined,
  ),
  'grpc-name': format(
    'a gRPC name: letters, digits, "_" and ".", without "/"',
    1024,
    /^[A-Za-z_][A-Za-z0-9_.]*$/,
  ),
  origin: format(
    '"*", or an origin such as https://shop.example, in which "*" may stand for labels',
    253,
    ORIGIN,
  ),
} as const satisfies Record<string, TextFormat>

export type FormatName = keyof typeof FORMATS

/** Lines of it may be wrapped. */
function isExpression(text: string): boolean {
  return /^[^\p{Cc}]+$/u.test(text.replaceAll('\n', ' '))
}

function isLabelKey(text: string): boolean {
  const [first = '', second, ...more] = text.split('/')
  if (second === undefined) return first.length <= 63 && LABEL_NAME.test(first)
  return (
    more.length === 0 &&
    first.length <= 253 &&
    isDnsName(first) &&
    second.length <= 63 &&
    LABEL_NAME.test(second)
  )
}

function isPattern(text: string): boolean {
  return isPrintable(text) && !withoutPlaceholders(text).includes('$')
}

/** The trust domain is written out: `spiffe://*` would be anybody whom any federated authority vouches for. */
function isSpiffePattern(text: string): boolean {
  if (!text.includes('*')) return parseSpiffeId(text) !== undefined
  return /^spiffe:\/\/[a-z0-9._-]{1,255}\/[A-Za-z0-9._/*-]*$/.test(text)
}

function isIp(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/.test(text) || (text.includes(':') && isHost(text))
}

function isHost(text: string): boolean {
  return text.includes(':') ? URL.canParse(`http://[${text}]/`) : HOST_NAME.test(text)
}

function isHostPort(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (match === null) return false
  const port = Number(match[3])
  return isHost(match[1] ?? match[2] ?? '') && port >= 1 && port <= 65_535
}

/** Who could change the keys on their way could sign anything: plain text never leaves the host. */
function isJwksUri(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && LOOPBACK_HOSTS.has(url.hostname)
}

function isExternalHost(text: string): boolean {
  // A last label that is a number makes an address of a name, for some resolvers and not for others.
  return isIp(text) || (isDnsName(text) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(text))
}

/** Passwords are for the environment: resources are read by everybody. */
function isHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}
