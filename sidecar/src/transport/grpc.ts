/** `application/grpc`, alone, with a codec or with parameters; grpc-web is another protocol. */
const GRPC = /^application\/grpc(?:$|[+;])/

/** True for the content type of gRPC over HTTP/2. */
export const isGrpcType = (contentType: string): boolean => GRPC.test(contentType)
