import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'

/** One method in the form that @grpc/grpc-js takes, for a client and for a server. */
export interface GrpcMethod<Request, Response, Bytes extends Uint8Array> {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (message: Request) => Bytes
  readonly requestDeserialize: (bytes: Uint8Array) => Request
  readonly responseSerialize: (message: Response) => Bytes
  readonly responseDeserialize: (bytes: Uint8Array) => Response
}

type Methods = Readonly<Record<string, Pick<DescMethod, 'input' | 'output'>>>
export type GrpcDefinition<Service extends { readonly method: Methods }, Bytes extends Uint8Array> = {
  readonly [Name in keyof Service['method']]: GrpcMethod<
    MessageShape<Service['method'][Name]['input']>,
    MessageShape<Service['method'][Name]['output']>,
    Bytes
  >
}

/**
 * A generated service as a service definition of grpc-js. `wrap` makes of bytes what the transport writes:
 * grpc-js wants a Buffer, which this package, free of node, does not know.
 */
export function grpcDefinition<
  Service extends Omit<DescService, 'method'> & { readonly method: Methods },
  Bytes extends Uint8Array,
>(service: Service, wrap: (bytes: Uint8Array) => Bytes): GrpcDefinition<Service, Bytes> {
  const codec = <Desc extends DescMessage>(desc: Desc) => ({
    write: (message: MessageShape<Desc>) => wrap(toBinary(desc, message)),
    read: (bytes: Uint8Array) => fromBinary(desc, bytes),
  })
  const methods = service.methods.map((method) => {
    const request = codec(method.input)
    const response = codec(method.output)
    const definition: GrpcMethod<MessageShape<DescMessage>, MessageShape<DescMessage>, Bytes> = {
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
  return Object.fromEntries(methods) as unknown as GrpcDefinition<Service, Bytes>
}
