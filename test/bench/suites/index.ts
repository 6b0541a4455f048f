import { grpc } from './grpc.ts'
import { http } from './http.ts'
import { kafka } from './kafka.ts'
import { publish } from './publish.ts'

export const SUITES = { http, grpc, kafka, publish } as const
export type SuiteName = keyof typeof SUITES
