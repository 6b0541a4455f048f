export {
  type CertificateAuthority,
  controlPlaneId,
  type IssuedKeyPair,
  openCertificateAuthority,
} from './authority.ts'
export { type BrokerCertificateRequest, issueBrokerCertificate } from './broker-certificate.ts'
export { type JoinTokenRequest, type JoinTokens, openJoinTokens } from './join-tokens.ts'
export { publicKeyOfRequest } from './signing-request.ts'
