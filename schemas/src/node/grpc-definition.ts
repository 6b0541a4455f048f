import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'

/** One method in the form that @grpc/grpc-js takes, for a client and for a server. */
export interface GrpcMethod<Request, Response> {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (message: Request) => Buffer
  readonly requestDeserialize: (bytes: Uint8Array) => Request
  readonly responseSerialize: (message: Response) => Buffer
  readonly responseDeserialize: (bytes: Uint8Array) => Response
}

type Methods = Readonly<Record<string, Pick<DescMethod, 'input' | 'output'>>>
export type GrpcDefinition<Service extends { readonly method: Methods }> = {
  readonly [Name in keyof Service['method']]: GrpcMethod<
    MessageShape<Service['method'][Name]['input']>,
    MessageShape<Service['method'][Name]['output']>
  >
}

/** The same bytes as the class that grpc-js writes. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** A generated service as a service definition of grpc-js, for a client and for a server. */
export function grpcDefinition<Service extends Omit<DescService, 'method'> & { readonly method: Methods }>(
  service: Service,
): GrpcDefinition<Service> {
  const codec = <Desc extends DescMessage>(desc: Desc) => ({
    write: (message: MessageShape<Desc>) => asBuffer(toBinary(desc, message)),
    read: (bytes: Uint8Array) => fromBinary(desc, bytes),
  })
  const methods = service.methods.map((method) => {
    const request = codec(method.input)
    const response = codec(method.output)
    const definition: GrpcMethod<MessageShape<DescMessage>, MessageShape<DescMessage>> = {
      path: `/${service.typeName}/${method.name}`,
      requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
      requestSerialize: request.write,
      requestDeserialize: request.read,
      responseSerialize: response.write,
      responseDeserialize: response.read,
    }
    return [method.localName, definition] as const
  })
  return Object.fromEntries(methods) as unknown as GrpcDefinition<Service>
}
